"""Does it matter? Heads switched off, the next token before and after, and each head's part in one token's logit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.anatomy.specimens import Specimen
from pages._attention import opening
from pages._attention.choice import Choice, unlock
from pages._attention.written import BREAK
from pages._parts.code import show_code
from pages._parts.matrix import Cell, matrix
from pages._parts.next_tokens import next_tokens
from pages._parts.predict import predict
from pages._parts.specimen import provenance
from pages._parts.text import escaped, told_apart

GUESSES = ("hardly: below 0.01 nats", "a little: up to 0.1", "clearly: more than 0.1")
METHODS = {"zero": "zero", "mean": "their mean"}


def show(specimen: Specimen, text: str, sizes: Mapping[str, Any], choice: Choice) -> Mapping[str, Any]:
    """Ablation, the map of all heads, the logit's parts, and what attention is not."""
    head = opening.head_of(specimen, text, sizes["ids"], choice.layer, choice.head, True, True, 1.0)
    method = _ablation(specimen, text, sizes, choice, head)
    if method:  # before the reader has committed to a guess, the map would give it away
        _map(specimen, text, sizes, choice, method)
    _logit(specimen, text, sizes, choice)
    show_code(
        "core.anatomy.ablation:heads_off",
        "core.anatomy.ablation:next_token_logits",
        "core.anatomy.ablation:change_in_nats",
        "core.anatomy.attribution:attribute_logit",
    )
    return head


def _ablation(
    specimen: Specimen, text: str, sizes: Mapping[str, Any], choice: Choice, head: Mapping[str, Any]
) -> str | None:
    """What was put in the heads' place; None while the reader has not said what will happen."""
    picture, controls = st.columns([3, 2], gap="large")
    with controls:
        heads = _heads_off(sizes, choice)
        method = st.segmented_control(
            "Their output becomes",
            list(METHODS),
            default="zero",
            required=True,
            key="method",
            bind="query-params",
            help="Mean: each head's mean output over the positions of this sentence up to the token that asks. What "
            "the head always says stays; what depends on the token goes.",
        )
    data = opening.effect_of(specimen, text, sizes["ids"], choice.token, heads, method)
    asks = escaped(sizes["pieces"][choice.token])
    row = np.asarray(head["weights"], float)[choice.token]
    with controls:
        most = escaped(sizes["pieces"][int(row.argmax())])
        guess = predict(
            "guess",
            f"layer {choice.layer}, head {choice.head} puts {row.max():.0%} of its attention from **{asks}** on "
            f"**{most}**. How far will the next-token distribution move when the head is switched off?",
            GUESSES,
        )
        if guess:
            _verdict(data["kl"], _about_this(guess, choice), _named(heads), row.max(), len(heads))
    with picture:
        st.markdown(
            f"**What comes after {asks}?** All {sizes['vocabulary']:,} tokens have a share; these are the largest."
        )
        _bars(data, bool(guess), _named(heads))
        provenance(data, specimen.title, f"{_named(heads)} at {METHODS[method]}" if guess else "every head on")
    return method if guess else None


def _bars(data: Mapping[str, Any], revealed: bool, named: str) -> None:
    before = np.asarray(data["before"], float).tolist()
    after = np.asarray(data["after"], float).tolist() if revealed else None
    moved = f", {data['kl']:.3f} nats away without {named}" if revealed else ""
    next_tokens(
        data["pieces"],
        {"as it is": before} | ({"switched off": after} if after else {}),
        key="next_token",
        alt=f"The likeliest next tokens{moved}",
        download="attention-ablation",
    )


def _about_this(guess: str, choice: Choice) -> str:
    """The guess, as long as the page shows what it was made about."""
    now = f"{choice.layer}.{choice.head}.{choice.token}"
    if "about" not in st.query_params:
        st.query_params["about"] = now
    return guess if st.query_params["about"] == now else ""


def _heads_off(sizes: Mapping[str, Any], choice: Choice) -> list[tuple[int, int]]:
    every = [f"{layer}.{head}" for layer in range(sizes["layers"]) for head in range(sizes["heads"])]
    more = st.multiselect(
        f"Switched off beside layer {choice.layer}, head {choice.head}",
        [one for one in every if one != f"{choice.layer}.{choice.head}"],
        key="off",
        bind="query-params",
        placeholder="more heads, as layer.head",
    )
    chosen = [f"{choice.layer}.{choice.head}", *more]
    return sorted((int(layer), int(head)) for layer, head in (one.split(".") for one in chosen))


def _named(heads: Sequence[tuple[int, int]]) -> str:
    if len(heads) == 1:
        return f"layer {heads[0][0]}, head {heads[0][1]}"
    return f"{len(heads)} heads"


def _verdict(kl: float, guess: str, named: str, weight: float, count: int) -> None:
    truth = GUESSES[0] if kl < 0.01 else GUESSES[1] if kl <= 0.1 else GUESSES[2]
    said = "" if not guess else ", as you said" if guess == truth else f"; you said “{guess.split(':')[0]}”"
    st.latex(rf"\sum_v p_v \ln \frac{{p_v}}{{p^{{\text{{off}}}}_v}} = \mathbf{{{kl:.4f}}}\ \text{{nats}}")
    st.markdown(f"Without {named} the distribution over the full vocabulary moves by **{kl:.3f} nats** of KL{said}.")
    if count == 1 and weight >= 0.5 and kl < 0.01:
        st.markdown("It looks hard, and hardly matters here.")
    elif count == 1 and weight < 0.5 and kl > 0.1:
        st.markdown("It looks at nothing in particular, and matters.")
    st.markdown(
        "**Attention is not explanation.** Weights say what a head reads; not what it makes of it (W_O may turn it "
        "into something unused), nor what happens without it: other heads may read the same. Behind the first layers "
        "a “token” already holds others. Only changing the model tells."
    )


def _map(specimen: Specimen, text: str, sizes: Mapping[str, Any], choice: Choice, method: str) -> None:
    st.subheader("Every head, switched off alone", anchor=False)
    tokens, heads = choice.token + 1, sizes["layers"] * sizes["heads"]
    work = float(sizes["parameters"]) * tokens * (heads + 1)
    if work > opening.AT_ONCE:
        asked = st.toggle(
            f"Measure all {heads} heads: {heads + 1} sequences of {tokens} tokens through the model",
            key="every",
            bind="query-params",
            help="About a minute for a model of 135M parameters and a short sentence, on two CPU cores.",
        )
        if not asked:
            return
    data = opening.each_of(specimen, text, sizes["ids"], choice.token, method)
    kl = np.asarray(data["kl"], float)  # [layers, heads]
    most = np.unravel_index(int(kl.argmax()), kl.shape)
    picture, words = st.columns([3, 2], gap="large")
    with picture:
        matrix(
            kl.T,
            [f"head {head}" for head in range(kl.shape[1])],
            [str(layer) for layer in range(kl.shape[0])],
            key="each",
            alt=f"KL in nats without each head alone, up to {kl.max():.3f} at layer {most[0]}, head {most[1]}",
            template="layer {column}, {row}: {value} nats",
            low=0.0,
            decimals=4,
            marked=[(choice.head, choice.layer)],
            download="attention-each-head",
            on_lock=_choose,
        )
        provenance(data, specimen.title, f"KL in nats, columns are layers, {METHODS[method]}")
    with words:
        st.markdown(
            f"Most changes without **layer {most[0]}, head {most[1]}**: {kl.max():.3f} nats. All heads one by one add "
            f"up to {data['sum']:.3f}; the marked head changes {kl[choice.layer, choice.head]:.4f}."
        )
        st.markdown(
            "**What to look for.** A few heads carry this prediction. Choose another token that asks: others will."
        )
        st.caption("It does not show what heads do together: two that do the same can each be spared, but not both.")


def _choose(cell: Cell | None) -> None:
    if cell:
        st.session_state["head"], st.session_state["layer"] = cell
        unlock("heads")


def _logit(specimen: Specimen, text: str, sizes: Mapping[str, Any], choice: Choice) -> None:
    st.subheader("Who says so? One logit as a sum", anchor=False)
    likely = opening.effect_of(specimen, text, sizes["ids"], choice.token, [(choice.layer, choice.head)], "zero")
    names = told_apart(dict(zip(likely["tokens"], likely["pieces"], strict=True)))
    picture, controls = st.columns([3, 2], gap="large")
    with controls:
        of = st.selectbox("Logit of", list(names), format_func=lambda one: names[one], key="of", bind="query-params")
        against = st.selectbox(
            "less the logit of",
            [one for one in names if one != of],
            None,
            format_func=lambda one: names[one],
            placeholder="nothing",
            key="against",
            bind="query-params",
            help="The difference of two logits is the log of the ratio of their probabilities.",
        )
    data = opening.logit_of(specimen, text, sizes["ids"], choice.token, of, against)
    heads = np.asarray(data["heads"], float)  # [layers, heads]
    bias, feed = (np.asarray(data[name], float) for name in ("attention_bias", "feed_forward"))
    values = np.vstack([heads.T, bias, feed])
    with picture:
        matrix(
            values,
            [*(f"head {head}" for head in range(heads.shape[1])), "bias of W_O", "feed-forward"],
            [str(layer) for layer in range(heads.shape[0])],
            key="logit",
            alt=f"Parts of a logit of {data['logit']:.2f}: "
            + ", ".join(f"{name} {value:+.2f}" for name, value in data["sums"].items()),
            template="layer {column}, {row}: {value}",
            signed=True,
            marked=[(choice.head, choice.layer)],
            download="attention-logit",
        )
        provenance(data, specimen.title, "columns are layers")
    with controls:
        lines = [rf"{value:+.2f} &\ \text{{{name}}}" for name, value in data["sums"].items()]
        lines.append(rf"= \mathbf{{{data['total']:.2f}}} &\ \text{{in all}}")
        st.latex(rf"\begin{{aligned}} {BREAK.join(lines)} \end{{aligned}}")
        strongest = np.unravel_index(int(np.abs(heads).argmax()), heads.shape)
        st.markdown(
            f"The model's own number is **{data['logit']:.2f}**. The largest part of a head is that of "
            f"**layer {strongest[0]}, head {strongest[1]}**: {heads[strongest]:+.2f}; the marked one adds "
            f"{heads[choice.layer, choice.head]:+.2f}."
        )
        st.caption(
            "Direct logit attribution: the final norm's mean and scale are frozen, so that the parts sum. What a head "
            "changes in later layers is counted there, which is why this and the map of what taking a head out does "
            "disagree."
        )

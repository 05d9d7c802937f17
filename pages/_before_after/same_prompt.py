"""Part one: one prompt, one seed, two models, and what both think of every token."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.alignment.before_after.side_by_side import carriers
from core.errors import PlaygroundError
from pages._before_after.subject import Checkpoint, Subject
from pages._before_after.texts import side_by_side
from pages._parts import site
from pages._parts.code import show_code
from pages._parts.specimen import name_of, opened
from pages._parts.text import escaped
from pages._parts.token_strip import token_strip
from pages._parts.typed import typed
from pages._parts.writing import pen

_LONGEST = 500  # characters of a prompt

SHOWN = 12  # held-out prompts that can be paged through: the first ones, unpicked
Answer = Mapping[str, Any]
"""The fields of core.alignment.before_after.side_by_side.Answers."""


def show(subject: Subject) -> str:
    """Draw it; returns the claim."""
    if not subject.checkpoints:
        return "The same prompt, the same random numbers, two models: only what tuning changed can differ."
    checkpoint, own, place, seed, temperature = _choose(subject)
    held_out = subject.checkpoints[0]["rows"][place]
    prompt = own or str(held_out["prompt"])
    kept = not own and (seed, temperature) == (subject.seed, subject.temperature)
    cards = st.container()
    before = subject.checkpoints[0]["rows"][place]["response"] if kept else ""
    after = checkpoint["rows"][place]["response"] if kept else ""
    if kept:
        with cards:
            _cards(subject, checkpoint, prompt, before, after, place)
    try:
        answer = _read(subject, checkpoint, prompt, 0 if own else place, seed, temperature, kept)
    except PlaygroundError as error:
        st.error(escaped(str(error)))
        return "These two models could not be opened."
    if answer is None:
        st.caption(
            "Of the cached example only the last checkpoint's texts were read by both models, token by token. Move the "
            "slider to the end, or choose a run of yours."
        )
        subject.badge()
        return _claim_texts(before, after)
    if not kept:
        with cards:
            _cards(subject, checkpoint, prompt, answer["reference"], answer["tuned"], None)
    _parting(answer)
    places, whose = _strip(answer)
    subject.badge(f"{whose} text, read by both models")
    _equation(places, whose)
    _links(subject, checkpoint, prompt, answer)
    return _claim(answer)


def _choose(subject: Subject) -> tuple[Checkpoint, str, int, int, float]:
    """Which checkpoint answers, which prompt, from which numbers."""
    by_update = {int(one["update"]): one for one in subject.checkpoints[1:]}
    updates = list(by_update)
    left, right = st.columns([2, 3], gap="large", vertical_alignment="bottom")
    with left:
        if len(updates) > 1:
            asked = st.select_slider(
                "Tuned policy after update", updates, updates[-1], key="after", bind="query-params"
            )
            update = int(asked if asked is not None else updates[-1])
        else:
            update = updates[-1] if updates else 0
    with right, st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.pagination(
            min(SHOWN, len(subject.checkpoints[0]["rows"])), key="which", bind="query-params", max_visible_pages=7
        )
        with st.popover("Your own prompt", icon=":material/edit:", disabled=subject.run is None):
            own = typed(st, "text_input", "A prompt", key="own", bind="query-params", longest=_LONGEST)
            seed = st.number_input("Seed", 0, 2**31 - 1, subject.seed, key="own_seed", bind="query-params")
            temperature = st.slider(
                "Temperature", 0.1, 2.0, subject.temperature, 0.1, key="own_temperature", bind="query-params"
            )
            st.caption("Another seed or temperature has both models write anew, here and now.")
    checkpoint = by_update.get(update, subject.checkpoints[-1])
    if subject.run is None:  # of the cached example there are no weights to write anew with
        return checkpoint, "", number - 1, subject.seed, subject.temperature
    return checkpoint, (own or "").strip(), number - 1, int(seed), float(temperature)


def _cards(subject: Subject, checkpoint: Checkpoint, prompt: str, before: str, after: str, place: int | None) -> None:
    notes = ("", "")
    if place is not None:
        rows = (subject.checkpoints[0]["rows"][place], checkpoint["rows"][place])
        notes = tuple(f"{subject.voter}'s true taste {row['gold']:+.2f}" if "gold" in row else "" for row in rows)
    side_by_side(prompt, before, after, notes, f"After update {checkpoint['update']}")


def _read(
    subject: Subject, checkpoint: Checkpoint, prompt: str, row: int, seed: int, temperature: float, kept: bool
) -> Answer | None:
    """Both answers read by both models: from the gallery where it has them, else now."""
    if subject.run is None:
        read = subject.entry["read"] if subject.entry else ()
        last = checkpoint is subject.checkpoints[-1]
        return read[row] if last and kept and row < len(read) else None
    specimen = str(checkpoint["specimen"])
    with st.spinner("Both models read both texts…"):
        return answered(specimen, subject.model, prompt, row, seed, temperature, subject.length)


@st.cache_data(max_entries=64, show_spinner=False)
def answered(
    specimen: str, reference: str, prompt: str, row: int, seed: int, temperature: float, length: int
) -> dict[str, Any]:
    """Both models answer. Raises PlaygroundError when one cannot be opened."""
    from dataclasses import asdict

    from core.alignment.before_after.side_by_side import answer_both
    from core.language.configs import SamplingConfig

    (policy, tokenizer), (ref_policy, _) = opened(specimen), opened(reference)
    sampling = SamplingConfig(max_new_tokens=length, temperature=temperature, seed=seed)
    with pen:
        return asdict(answer_both(policy, ref_policy, tokenizer, prompt, sampling, row))


def _parting(answer: Answer) -> None:
    """Where the two texts leave each other, and that the same random number did it."""
    at = answer["parting"]
    if at is None:
        st.markdown("Both models drew **the same text**, token for token: nothing that tuning changed was hit here.")
        return
    both = [answer[name][at]["text"] if at < len(answer[name]) else "" for name in ("read_reference", "read_tuned")]
    words = ["the end" if not text or text == "<|endoftext|>" else f"“{escaped(text.strip())}”" for text in both]
    then = "At once" if at == 0 else "The first is the same; then" if at == 1 else f"The first {at} are the same; then"
    st.markdown(
        f"Both draw their tokens from the same random numbers. {then} one and the same number fell on {words[0]} for "
        f"the reference and on {words[1]} for the tuned policy; from there on they continue different texts. Marked "
        "words are in one text alone."
    )


def _strip(answer: Answer) -> tuple[Sequence[Mapping[str, Any]], str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        whose = st.segmented_control(
            "Read which text", ["tuned", "reference"], default="tuned", required=True, key="read", bind="query-params"
        )
        shade = st.segmented_control(
            "Colour shows",
            ["Log-ratio", "KL here"],
            default="Log-ratio",
            required=True,
            key="shade",
            bind="query-params",
            help="Log-ratio: log π − log π_ref of the token that stands there, blue where tuning made it likelier, "
            "orange and dashed where less likely. KL: how far the two distributions over all tokens lie apart there.",
        )
    places = answer[f"read_{whose}"]
    name = "log_ratio" if shade == "Log-ratio" else "kl"
    token_strip(
        [(place["text"], place[name]) for place in places],
        key=f"read_{whose}_{name}",
        label="log π − log π_ref" if name == "log_ratio" else "KL",
        alt=f"The {whose} text as tokens, tinted by {shade}",
        scale=2.0 if name == "log_ratio" else 1.0,
        running=False,
        notes=[_note(place) for place in places],
    )
    return places, str(whose)


def _note(place: Mapping[str, Any]) -> str:
    """What both models think of this place, in one line."""

    def top(found: Sequence[Sequence[Any]]) -> str:
        return ", ".join(f"“{text.strip() or text!r}” {share:.1%}" for text, share in found)

    return (
        f"“{place['text'].strip() or place['text']!r}” · reference {place['reference']:.2%} → tuned "
        f"{place['policy']:.2%} · KL here {place['kl']:.3f} nats · likeliest before: {top(place['reference_top'])} · "
        f"after: {top(place['policy_top'])}"
    )


def _equation(places: Sequence[Mapping[str, Any]], whose: str) -> None:
    st.subheader("The equation", anchor=False)
    st.latex(
        r"\mathrm{KL}_t = \sum_{v}\ \pi(v \mid s_t)\,\log\frac{\pi(v \mid s_t)}{\pi_{\text{ref}}(v \mid s_t)}"
        r"\qquad \mathrm{KL} = \sum_t \mathrm{KL}_t"
    )
    if places:
        most = max(places, key=lambda place: place["kl"])
        total = sum(place["kl"] for place in places)
        st.markdown(
            f"$s_t$ is the prompt and the tokens before place $t$; the sum runs over the whole vocabulary. Over the "
            f"{len(places)} tokens of the {whose} text it comes to **{total:.2f} nats**. The largest part, "
            f"**{most['kl']:.2f}**, stands at “{escaped(most['text'].strip() or most['text'])}”, whose own probability "
            f"went from {most['reference']:.2%} to {most['policy']:.2%}. "
            "**Look for** strong places in a pale text: there tuning chose other words."
        )
    show_code(
        "core.alignment.before_after.side_by_side:answer_both",
        "core.alignment.kl:exact_kl",
        "core.alignment.before_after.side_by_side:differing",
    )


def _links(subject: Subject, checkpoint: Checkpoint, prompt: str, answer: Answer) -> None:
    """Both models inside, as a difference, on this very text."""
    st.subheader("Look inside, as a difference", anchor=False)
    if subject.run is None:
        st.caption(
            "The cached example's weights are not on this machine. After a run of your own, links here open both "
            "models on this very text."
        )
        return
    shared = {"model": name_of(str(checkpoint["specimen"])), "sentence": (prompt + answer["tuned"])[:400]}
    for name, part, words in (
        ("attention", "As it learned", "Attention: one head, before and after"),
        ("embeddings", "What moved", "Embeddings: which vectors moved"),
        ("transformer_block", "Logit lens", "Block: the two models layer by layer"),
    ):
        st.page_link(site.page(name), label=words, icon=":material/difference:", query_params=shared | {"part": part})


def _claim(answer: Answer) -> str:
    places = answer["read_tuned"]
    if not places:
        return "The tuned policy ends its text at once."
    kl = [place["kl"] for place in places]
    total, found = sum(kl), carriers(kl)
    if total < 0.5:
        return f"The two models are nearly one on this text: {total:.2f} nats of KL over {len(places)} tokens."
    return (
        f"Tuning changed few places and with them the whole text: {found} of {len(places)} tokens carry half of its "
        f"{total:.1f} nats of KL."
        if found <= len(places) / 4
        else f"Tuning changed this text nearly everywhere: half of its {total:.1f} nats of KL lie on {found} of "
        f"{len(places)} tokens."
    )


def _claim_texts(before: str, after: str) -> str:
    if before == after:
        return "At this checkpoint the policy still writes what its reference writes."
    return "The same prompt, the same random numbers: what differs is what tuning changed."

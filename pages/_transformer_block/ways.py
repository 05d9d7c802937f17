"""Encoder and decoder: the same weights with and without the causal mask, and attention between two sentences."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.anatomy.specimens import Specimen
from core.errors import PlaygroundError
from core.gallery.build_block import HEAD, SOURCE, TARGET
from pages._parts.code import show_code
from pages._parts.matrix import matrix
from pages._parts.next_tokens import next_tokens
from pages._parts.specimen import provenance
from pages._parts.text import escaped
from pages._transformer_block import opening
from pages._transformer_block.choice import Columns, choose_head, choose_layer
from pages._transformer_block.words import number, word

View = Mapping[str, Any]
NAMES = ("decoder: causal mask", "encoder: no mask")


def show(specimen: Specimen, text: str, sizes: View, columns: Columns) -> str:
    """Both ways, then the two sentences. Returns the claim that the measurement makes."""
    with columns[0]:
        layer = choose_layer(sizes)
    with columns[1]:
        head = choose_head(sizes, HEAD)
    data = opening.ways_of(specimen, text, sizes["ids"], layer, head)
    _two_matrices(specimen, data, sizes, layer, head)
    _what_changes(data, sizes)
    show_code(
        "core.anatomy.cross_attention:both_ways",
        "core.anatomy.cross_attention:weights_of",
        "core.anatomy.parts:attention_mask_of",
    )
    _two_sentences(specimen, layer, head)
    _which_models()
    return claim(data, sizes)


def claim(data: View, sizes: View) -> str:
    """What taking the mask away changes, at the last token and over all."""
    if len(sizes["pieces"]) < 2:
        return "One token alone has nothing ahead of it: with or without the mask it is the same."
    first = data["moved"][-1][0]
    masked, open_ = data["decoder_mean"], data["encoder_mean"]
    words = "now that it can be seen" if open_ > masked else "for it never learned to look ahead"
    return (
        f"The mask makes this model a decoder. Without it “{word(sizes['pieces'][0])}” sees what follows and its "
        f"vector changes by {first:.0%}; the token that does come next gets {masked:.1%} with the mask and {open_:.1%} "
        f"without, {words}."
    )


def _two_matrices(specimen: Specimen, data: View, sizes: View, layer: int, head: int) -> None:
    labels = [f"{place} {piece}" for place, piece in enumerate(sizes["pieces"])]
    for column, name, title in zip(st.columns(2, gap="large"), ("decoder", "encoder"), NAMES, strict=True):
        with column:
            st.markdown(f"**As {title}** · layer {layer}, head {head}")
            weights = np.asarray(data[f"{name}_weights"], float)
            hidden = np.triu(np.ones_like(weights, bool), 1) if name == "decoder" else np.zeros_like(weights, bool)
            matrix(
                np.where(hidden, np.nan, weights),
                labels,
                labels,
                key=f"ways_{name}",
                alt=f"Attention weights of layer {layer}, head {head} as {title}",
                template="{row} looks at {column}: {value}",
                low=0.0,
                high=1.0,
                nothing="hidden by the causal mask",
            )
    provenance(data, specimen.id, "every layer with the same switch")
    st.caption(
        "*Look for* the upper right half: without the mask a token also looks at what comes after it. *It does not "
        "show* a trained encoder: these weights learned with the mask, and were never asked to use what lies ahead."
    )


def _what_changes(data: View, sizes: View) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**How far each token's vector moves** · ‖h_enc − h_dec‖ / ‖h_dec‖")
        matrix(
            np.asarray(data["moved"], float),
            [f"layer {layer}" for layer in range(sizes["layers"])],
            [f"{place} {piece}" for place, piece in enumerate(sizes["pieces"])],
            key="moved",
            alt="Relative change of each token's vector after each layer when the causal mask is taken away",
            template="behind {row}, {column} has moved by {value} of its length",
            low=0.0,
        )
        st.caption("The last token moves only because those before it did: it could see everything all along.")
    with right:
        last = escaped(sizes["pieces"][-1])
        st.markdown(f"**What comes after {last}?** · {number(data['change'][-1])} nats apart")
        next_tokens(
            data["pieces"],
            dict(zip(NAMES, data["probabilities"], strict=True)),
            key="ways_next",
            alt="Next token with and without the causal mask",
            download="encoder-decoder-next",
        )


def _two_sentences(specimen: Specimen, layer: int, head: int) -> None:
    st.subheader("Cross-attention: questions from one sentence, answers from another", anchor=False)
    st.markdown(
        "In an encoder–decoder, the decoder's queries also meet keys and values of the *encoded* text. A decoder-only "
        "model has no such layer. Here **one self-attention head lends its W_Q, W_K, W_V and W_O**: the arithmetic is "
        "that of cross-attention, with real numbers; nothing was trained for it."
    )
    left, right = st.columns(2, gap="medium")
    target = left.text_input("Asks: gives Q", TARGET, key="target", bind="query-params", max_chars=2000)
    source = right.text_input("Answers: gives K and V", SOURCE, key="source", bind="query-params", max_chars=2000)
    if not target or not source:
        st.info("Type two sentences: one asks, the other answers.")
        return
    try:
        data = opening.cross_of(specimen, source, target, layer, head)
    except PlaygroundError as error:
        st.error(escaped(str(error)))
        return
    asks, answers = data["pieces"]["target"], data["pieces"]["source"]
    picture, words = st.columns([3, 2], gap="large")
    with picture:
        cell = matrix(
            np.asarray(data["weights"], float),
            [f"{place} {piece}" for place, piece in enumerate(asks)],
            [f"{place} {piece}" for place, piece in enumerate(answers)],
            key="cross",
            alt=f"Weights of layer {layer}, head {head}: each of {len(asks)} asking tokens over {len(answers)} others",
            template="{row} (Q) on {column} (K): {value}",
            low=0.0,
            high=1.0,
        )
        provenance(
            data, specimen.id, f"layer {layer}, head {head}, borrowed; at most {opening.LONGEST_PAIR} tokens each"
        )
        st.caption("No mask: all of the other sentence has been read before the first word is asked for.")
    with words:
        _written_out(data, asks, answers, cell)
    show_code("core.anatomy.cross_attention:cross_attention")


def _written_out(data: View, asks: list[str], answers: list[str], cell: tuple[int, int] | None) -> None:
    row = cell[0] if cell else len(asks) - 1
    column = cell[1] if cell else int(np.argmax(data["weights"][row]))
    q, k, v = data["q"][row], data["k"][column], data["v"][column]
    terms = [f"{_signed(a)} \\cdot {_signed(b)}" for a, b in zip(q, k, strict=True)]
    half = len(terms) // 2
    st.markdown(f"**{escaped(asks[row])}** asks **{escaped(answers[column])}**")
    _lines(
        rf"q \cdot k &= {' + '.join(terms[:half])}",
        rf"&\quad + {' + '.join(terms[half:])} + \dots",
        rf"&= {data['scores'][row][column]:.3f}",
    )
    _lines(
        rf"q \cdot k / \sqrt{{{data['head_size']}}} &= {data['scaled'][row][column]:.3f}",
        rf"\text{{softmax over {len(answers)}}} &= {data['weights'][row][column]:.4f}",
    )
    _lines(
        rf"{data['weights'][row][column]:.3f} &\cdot ({_listed(v)}) + \dots",
        rf"&= ({_listed(data['head_output'][row])})",
    )
    st.caption("Click a cell to follow another pair.")


def _lines(*lines: str) -> None:
    st.latex(r"\begin{aligned}" + r" \\ ".join(lines) + r"\end{aligned}")


def _signed(value: float) -> str:
    """A number behind a sign."""
    return f"{value:.2f}" if value >= 0 else f"({value:.2f})"


def _listed(vector: list[float]) -> str:
    return r",\ ".join(f"{value:.2f}" for value in vector[:3]) + r",\ \dots"


def _which_models() -> None:
    with st.expander("Which models are which, and why GPT is a decoder"):
        st.markdown(
            "- **Decoder-only** (causal mask everywhere, no cross-attention): GPT-2, GPT-3, Llama, Mistral, Qwen, "
            "SmolLM2, and the storyteller here. Nearly all chat models whose architecture is published are of this "
            "kind.\n"
            "- **Encoder-only** (no mask): BERT, RoBERTa, ModernBERT. They fill gaps and give vectors for a whole "
            "text; they do not write.\n"
            "- **Encoder–decoder** (both, joined by cross-attention): the Transformer of 2017, T5, BART, Whisper.\n\n"
            "GPT (Radford et al., 2018) took the decoder of the 2017 Transformer and left out the encoder, and with it "
            "the cross-attention: what is left is a stack of blocks with masked self-attention. It is called a decoder "
            "for its mask, not because it decodes something."
        )

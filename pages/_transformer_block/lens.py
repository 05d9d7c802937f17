"""The logit lens: what the model would say at every layer and position, and how far two models' lenses are apart."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.anatomy.specimens import Specimen, list_specimens
from core.errors import PlaygroundError
from pages._parts.code import show_code
from pages._parts.matrix import Cell, matrix
from pages._parts.specimen import provenance
from pages._parts.text import escaped, told_apart
from pages._transformer_block import opening
from pages._transformer_block.choice import Columns, choose_token
from pages._transformer_block.words import word

View = Mapping[str, Any]
ALONE = "nothing"
COLOURS = {
    "its probability": "probabilities",
    "the final answer's": "of_answer",
    "KL from the end": "to_final",
}


def show(specimen: Specimen, text: str, sizes: View, columns: Columns) -> str:
    """Every layer and position as words. Returns the claim that the lens makes at the chosen token."""
    with columns[1]:
        token = choose_token(sizes, text)
    first, count = _window(sizes, token)
    data = opening.lens_of(specimen, text, sizes["ids"], first, count)
    colour = st.segmented_control(
        "Colour says",
        list(COLOURS),
        default="its probability",
        required=True,
        key="colour",
        bind="query-params",
        help="The probability of the word in the cell; that of the word the last layer will choose; or how far the "
        "whole distribution still is from the last layer's, in nats.",
    )
    _words(data, sizes, first, token, COLOURS[colour])
    provenance(data, specimen.id)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.latex(r"\text{lens}(h_l) = \text{softmax}\big(W_U\, \text{Norm}_\text{final}(h_l)\big)")
        show_code("core.anatomy.logit_lens:logit_lens", "core.anatomy.logit_lens:settled_at")
    with right:
        st.caption(
            "*Look for* the row from which on a column no longer changes its word. The input row mostly reads as the "
            "token itself where the embedding is also the unembedding. *It does not show* what a layer knows in a form "
            "that only later layers can read; the norm and W_U were trained for the last row alone."
        )
    _compare(specimen, sizes, first, count)
    return claim(data, sizes, first, token)


def claim(data: View, sizes: View, first: int, token: int) -> str:
    """From which layer on the final word stands first."""
    column = token - first
    final = word(data["pieces"][-1][column][0])
    row, here = data["settled"][column], word(sizes["pieces"][token])
    end = data["of_answer"][-1][column]
    if row == 0:
        return f"After “{here}”, the input itself already reads as the final answer, “{final}” ({end:.0%} in the end)."
    return (
        f"After “{here}” the final answer “{final}” ({end:.0%}) stands first from layer {row - 1} on, of layers 0 to "
        f"{sizes['layers'] - 1}; one layer earlier the stream read “{word(data['pieces'][row - 1][column][0])}”."
    )


def _window(sizes: View, token: int) -> tuple[int, int]:
    """The positions on screen: all, or as many around the token as can be computed at once."""
    length, most = len(sizes["ids"]), sizes["at_once"]
    if length <= most:
        return 0, length
    first = st.slider(
        "First position shown",
        0,
        length - most,
        min(max(0, token - most + 1), length - most),
        key="first",
        bind="query-params",
        help=f"Of {length} positions, {most} at a time: a distribution over the whole vocabulary at every layer.",
    )
    if not first <= token < first + most:
        first = min(max(0, token - most + 1), length - most)
        st.caption("The chosen token is kept in view.")
    return first, most


def _words(data: View, sizes: View, first: int, token: int, colour: str) -> None:
    values = np.asarray(data[colour], float)
    values = values[:, :, 0] if colour == "probabilities" else values
    rows = _rows(sizes)
    notes = [
        [
            ", ".join(f"{piece} {share:.1%}" for piece, share in zip(pieces, shares, strict=True))
            for pieces, shares in zip(row, of_row, strict=True)
        ]
        for row, of_row in zip(data["pieces"], data["probabilities"], strict=True)
    ]
    column = token - first
    matrix(
        values,
        rows,
        [f"{first + place} {piece}" for place, piece in enumerate(sizes["pieces"][first : first + values.shape[1]])],
        key="lens",
        alt=f"The likeliest next token at every layer and position. Behind {sizes['pieces'][token]}: "
        + ", ".join(f"{row} {cells[column][0]}" for row, cells in zip(rows, data["pieces"], strict=True)),
        template="{row}, after {column}: {note}",
        texts=np.asarray([[cell[0] for cell in row] for row in data["pieces"]]),
        notes=np.asarray(notes),
        cell_width=64,
        largest=96,
        low=0.0,
        high=None if colour == "to_final" else 1.0,
        marked=[(row, place) for place, row in enumerate(data["settled"])],
        download="logit-lens",
        on_lock=lambda cell: _take(first, cell),
    )
    st.caption("Dashed: from here on down the word stays. What a column says is what would come *behind* its token.")


def _take(first: int, cell: Cell | None) -> None:
    """The column just locked is the token that the page speaks about."""
    if cell:
        st.session_state["token"] = first + cell[1]


def _compare(specimen: Specimen, sizes: View, first: int, count: int) -> None:
    st.subheader("Beside another model", anchor=False)
    others = told_apart({one.id: one.title for one in list_specimens() if one.id != specimen.id})
    names = [ALONE, *others]
    other = st.selectbox(
        "Compare with",
        names,
        names.index(specimen.reference) if specimen.reference in others else 0,
        format_func=lambda one: others.get(one, one),
        key="beside",
        bind="query-params",
        help="A tuned policy beside the model it began as, or beside itself at another step of its training.",
    )
    if other == ALONE:
        st.caption("Choose the same model at another moment of its training, or a tuned one's reference.")
        return
    try:
        data = opening.difference_of(specimen.id, other, sizes["ids"], first, count)
    except PlaygroundError as error:
        st.warning(escaped(str(error)))
        return
    kl = np.asarray(data["kl"], float)
    row, column = data["largest"]
    pieces = sizes["pieces"][first : first + kl.shape[1]]
    st.markdown(
        f"They differ most after {escaped(pieces[column])}, {_rows(sizes)[row]}: **{kl[row, column]:.3g} nats**. At "
        f"the output the mean is **{data['at_the_end']:.3g} nats** a position."
    )
    matrix(
        kl,
        _rows(sizes),
        [f"{first + place} {piece}" for place, piece in enumerate(pieces)],
        key="lens_difference",
        alt=f"KL between the lenses of {specimen.id} and {other}, at every layer and position",
        template="{row}, after {column}: {value} nats",
        low=0.0,
        largest=44,
    )
    provenance(data, f"{specimen.id} against {other}", "KL(this ‖ other), full vocabulary")
    show_code("core.anatomy.logit_lens:lens_difference")


def _rows(sizes: View) -> list[str]:
    last = sizes["layers"] - 1
    return ["input", *(f"layer {layer}" + (" = output" if layer == last else "") for layer in range(sizes["layers"]))]

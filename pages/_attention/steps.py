"""One head, step by step: eight steps from what comes in to what goes out, each with its matrix and its numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core.anatomy.specimens import Specimen
from pages._attention import opening, written
from pages._attention.choice import Choice, unlock
from pages._parts.code import show_code
from pages._parts.matrix import Cell, matrix
from pages._parts.specimen import provenance
from pages._parts.terms import prose


@dataclass(frozen=True)
class Step:
    """One step: its name in the row of steps, its equation, and what is said beside its matrix."""

    name: str
    field: str
    title: str
    equation: str
    words: str
    look: str


STEPS = (
    Step(
        "x",
        "x",
        "What comes in",
        r"x = \operatorname{norm}(\text{residual stream})",
        "One row per token: the residual stream after this layer's norm. All heads of the layer are given the same x.",
        "Columns that stand out in every row say little about a token; a head can use what differs between rows.",
    ),
    Step(
        "Q K V",
        "qkv",
        "Three projections",
        r"q = x\,W_Q,\quad k = x\,W_K,\quad v = x\,W_V",
        "Each token asks (query), offers an answer to be found by (key), and holds what is handed over (value).",
        "Rows of Q and K that point the same way will match. A single column has no meaning of its own.",
    ),
    Step(
        "Q·Kᵀ",
        "scores",
        "Every query with every key",
        r"s_{ij} = q_i \cdot k_j",
        "One dot product a cell: rows ask, columns answer. Large means that this query finds this key.",
        "Only differences within a row will count. The upper triangle is computed too, and thrown away later.",
    ),
    Step(
        "÷ √d",
        "scaled",
        "Scaled",
        r"s_{ij} / \sqrt{d}",
        "A sum of d products grows like √d: divided by it, scores stay where the softmax is not saturated.",
        "The picture is the same, the numbers are smaller. Switch the scaling off and look at the softmax.",
    ),
    Step(
        "mask",
        "masked",
        "Causal mask",
        r"m_{ij} = s_{ij}/\sqrt{d}\ \text{ for } j \le i,\qquad -\infty \text{ for } j > i",
        "Nobody looks ahead: what comes later is set to −∞, and e to that is 0.",
        "A decoder keeps this triangle. Without the mask this head would see the very words it helps to predict.",
    ),
    Step(
        "softmax",
        "weights",
        "Attention weights",
        r"w_{ij} = \frac{e^{m_{ij}/\tau}}{\sum_{l} e^{m_{il}/\tau}}",
        "Each row becomes shares that sum to 1: this is what is usually called attention.",
        "A strong column: many tokens look at one. A strong diagonal: at themselves. Weights say what is read, not "
        "what is done with it: **attention is not explanation**.",
    ),
    Step(
        "· V",
        "head_output",
        "Weighted sum of values",
        r"z_i = \sum_{j} w_{ij}\, v_j",
        "Each token takes the values of what it looks at, in those shares.",
        "Rows that look at the same token come out alike.",
    ),
    Step(
        "· W_O",
        "output",
        "Into the residual stream",
        r"o_i = z_i\, W_O^{(\text{head})}",
        "The head's own rows of W_O bring it back to the width of the stream. Added over all heads, plus a bias that "
        "belongs to none, it is the attention module's output.",
        "Rows with strong colour change their token most.",
    ),
)
NAMES = [f"{number} {step.name}" for number, step in enumerate(STEPS, 1)]
SQUARE = ("scores", "scaled", "masked", "weights")
FIRST = "6 softmax"
TALLEST = 560  # pixels of rows


def show(specimen: Specimen, text: str, sizes: Mapping[str, Any], choice: Choice) -> Mapping[str, Any]:
    """The row of steps, the step's matrix and numbers, the switches. Returns the head that was drawn."""
    pieces = sizes["pieces"]
    step, answer = _row_of_steps(pieces)
    square = step.field in SQUARE
    picture, side = st.columns([3, 2] if square else [3, 1], gap="large")
    with side:
        words = st.container()
        scale, causal, temperature = _switches()
    head = opening.head_of(specimen, text, sizes["ids"], choice.layer, choice.head, scale, causal, temperature)
    key = int(np.asarray(head["weights"], float)[choice.token].argmax()) if answer is None else answer
    with words if square else picture:
        prose(f"**{step.title}.** {step.words}")
        st.latex(step.equation)
        if square:
            written.out(step.field, pieces, head, choice.token, key, temperature)
    with picture:
        _picture(step, pieces, head, choice.token, key)
        provenance(head, specimen.title, f"layer {choice.layer}, head {choice.head}")
        if not square:
            written.out(step.field, pieces, head, choice.token, key, temperature)
    with side:
        prose(f"**What to look for.** {step.look}")
        if len(head["group"]) > 1:
            others = " and ".join(str(one) for one in head["group"] if one != choice.head)
            st.caption(f"Grouped queries: this head shares its keys and values with head {others}.")
    if step.field in ("scores", "scaled"):
        written.terms(pieces, head, choice.token, key)
    show_code("core.anatomy.attention:trace_head", "core.anatomy.attention:read", "core.anatomy.parts:rotate")
    return head


def _row_of_steps(pieces: Sequence[str]) -> tuple[Step, int | None]:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        name = st.segmented_control(
            "Step",
            NAMES,
            default=FIRST,
            required=True,
            key="step",
            bind="query-params",
            label_visibility="collapsed",
            width="content",
        )
        st.space("stretch")
        at = NAMES.index(name)
        st.button("Back", key="back", shortcut="B", on_click=_go, args=(-1,), disabled=at == 0)
        st.button("Next", key="next", shortcut="N", on_click=_go, args=(1,), disabled=at + 1 == len(STEPS))
        answer = st.selectbox(
            "Token that answers (K)",
            range(len(pieces)),
            None,
            format_func=lambda index: f"{index} {pieces[index]}",
            placeholder="K: what it looks at most",
            key="answer",
            bind="query-params",
            on_change=unlock,
            args=("cell",),
            label_visibility="collapsed",
            width=210,
        )
    return STEPS[at], answer


def _go(by: int) -> None:
    """From where the reader is by now: keys may be pressed faster than pages are drawn."""
    at = NAMES.index(st.session_state["step"]) + by
    st.session_state["step"] = NAMES[min(max(at, 0), len(NAMES) - 1)]


def _switches() -> tuple[bool, bool, float]:
    scale = st.toggle("Divide by √d", True, key="scale", bind="query-params")
    causal = st.toggle(
        "Causal mask",
        True,
        key="causal",
        bind="query-params",
        help="Off: this head alone looks ahead. What it is given still comes from the model with its mask.",
    )
    temperature = st.slider(
        "Temperature τ of the softmax",
        0.1,
        4.0,
        1.0,
        0.1,
        key="tau",
        bind="query-params",
    )
    return scale, causal, temperature


def _picture(step: Step, pieces: Sequence[str], head: Mapping[str, Any], token: int, key: int) -> None:
    named = [f"Q {piece}" for piece in pieces]
    if step.field == "qkv":
        for column, (name, letter) in zip(st.columns(3), (("q", "Q"), ("k", "K"), ("v", "V")), strict=True):
            with column:
                _wide(name, f"{letter}  [{len(pieces)} × {head['head_size']}]", pieces, head[name], token)
        return
    if step.field not in SQUARE:
        values = np.asarray(head[step.field], float)
        _wide(step.field, f"[{len(pieces)} × {values.shape[1]}]", pieces, values, token)
        return
    values = np.asarray(head[step.field], float)
    softmax = step.field == "weights"
    matrix(
        values,
        named,
        [f"K {piece}" for piece in pieces],
        key="cell",
        alt=_described(step, pieces, values, token),
        template="{row} → {column}: {value}",
        signed=not softmax,
        low=0.0 if softmax else None,
        high=1.0 if softmax else None,
        marked=[(token, key)],
        download=f"attention-{step.field}",
        on_lock=_both,
    )


def _wide(name: str, title: str, pieces: Sequence[str], values: Any, token: int) -> None:
    """A matrix with a row a token and a column a dimension: a locked row chooses the query."""
    values = np.asarray(values, float)
    st.caption(title)
    matrix(
        values,
        pieces,
        [str(dimension) for dimension in range(values.shape[1])],
        key=f"at_{name}",
        alt=f"{name}: {values.shape[0]} tokens by {values.shape[1]} numbers, {values.min():.2f} to {values.max():.2f}",
        template="{row}, dimension {column}: {value}",
        signed=True,
        largest=22,
        column_labels=False,
        row_height=max(2, min(14, TALLEST // len(pieces))),
        marked_rows=[token],
        download=f"attention-{name}",
        on_lock=_row,
    )


def _described(step: Step, pieces: Sequence[str], values: np.ndarray, token: int) -> str:
    row = values[token]
    most = int(np.nanargmax(row))
    return (
        f"{step.title}: {len(pieces)} tokens by {len(pieces)}, rows ask and columns answer. In the row of "
        f"{pieces[token]} the largest value, {row[most]:.2f}, stands at {pieces[most]}."
    )


def _both(cell: Cell | None) -> None:
    if cell:
        st.session_state["token"], st.session_state["answer"] = cell


def _row(cell: Cell | None) -> None:
    if cell:
        st.session_state["token"] = cell[0]

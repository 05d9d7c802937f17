"""The chosen query and key written out: the very numbers of the dot product, the softmax, the weighted sum."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.anatomy.written_out import dot_product, softmax_row, weighted_sum
from pages._parts.matrix import matrix
from pages._parts.text import escaped

_SHOWN = 4  # shares that fit a line
_TERMS = 3  # products, one a line
BREAK = r" \\ "


def out(field: str, pieces: Sequence[str], head: Mapping[str, Any], token: int, key: int, temperature: float) -> None:
    """What belongs to the step that shows `field`."""
    asks, answers = (escaped(pieces[one]) for one in (token, key))
    if field == "x":
        st.markdown(
            f"**{len(pieces)} tokens × {head['width']} numbers.** The row of **{asks}** is what its query, key and "
            "value are made from."
        )
    elif field == "qkv":
        _projections(len(pieces), head)
    elif field in ("scores", "scaled"):
        st.markdown(f"The query of **{asks}** with the key of **{answers}**, largest terms first:")
        _dot(field, head, token, key)
    elif field == "masked":
        _masked(head, asks, answers, token, key)
    elif field == "weights":
        _softmax(pieces, head, token, key, temperature)
    elif field == "head_output":
        _sum(pieces, head, token)
    else:
        _output(head, asks, token)


def _projections(tokens: int, head: Mapping[str, Any]) -> None:
    width, size = head["width"], head["head_size"]
    bias = " + b" if head["biased"] else ""
    st.latex(
        rf"\underset{{[{tokens} \times {width}]}}{{x}}\;\underset{{[{width} \times {size}]}}{{W}}{bias} \;=\; "
        rf"\underset{{[{tokens} \times {size}]}}{{q,\ k,\ v}}"
    )
    if head["normed"]:
        st.markdown(
            "This family norms each query and key (RMSNorm, over the head's own numbers): shown is what is left."
        )
    st.markdown(
        "Positions turn queries and keys (RoPE): what is shown is after that turn. Values are not turned."
        if head["rotates"]
        else "Positions were added to the input already: nothing is turned here."
    )


def _dot(field: str, head: Mapping[str, Any], token: int, key: int) -> None:
    query, answer = np.asarray(head["q"], float)[token], np.asarray(head["k"], float)[key]
    product = dot_product(query, answer)
    shown = np.argsort(-np.abs(product.terms), kind="stable")[:_TERMS]
    lines = [rf"{_in(query[one])} \cdot {_in(answer[one])}" for one in shown]
    lines[-1] += r" + \dots" if len(query) > len(shown) else ""
    lines = [rf"q_{{{token}}} \cdot k_{{{key}}} &= {lines[0]}", *(f"&+ {line}" for line in lines[1:])]
    lines.append(rf"&= \mathbf{{{product.total:.3f}}}")
    if field == "scaled":
        value = float(np.asarray(head["scaled"], float)[token, key])
        root = rf"\sqrt{{{head['head_size']}}}"
        divided = np.isclose(value, product.total * head["scaling"], rtol=1e-3, atol=1e-3)
        lines.append(
            rf"{product.total:.3f} / {root} &= \mathbf{{{value:.3f}}}"
            if divided
            else rf"\text{{not divided by }} {root}\text{{: }} &\ \mathbf{{{value:.3f}}}"
        )
    st.latex(rf"\begin{{aligned}} {BREAK.join(lines)} \end{{aligned}}")


def terms(pieces: Sequence[str], head: Mapping[str, Any], token: int, key: int) -> None:
    """The dot product, dimension by dimension, as three rows."""
    query, answer = np.asarray(head["q"], float)[token], np.asarray(head["k"], float)[key]
    product = dot_product(query, answer)
    st.markdown(
        f"The query of **{escaped(pieces[token])}** with the key of **{escaped(pieces[key])}**, all {len(query)} terms:"
    )
    matrix(
        np.vstack([query, answer, product.terms]),
        [f"Q {pieces[token]}", f"K {pieces[key]}", "Q × K"],
        [str(one) for one in range(len(query))],
        key="terms",
        alt=f"Query, key and their products in {len(query)} dimensions; the products sum to {product.total:.3f}",
        template="{row}, dimension {column}: {value}",
        signed=True,
        row_height=22,
        column_labels=False,
        download="attention-dot-product",
    )


def _masked(head: Mapping[str, Any], asks: str, answers: str, token: int, key: int) -> None:
    value = float(np.asarray(head["masked"], float)[token, key])
    seen = int(np.isfinite(np.asarray(head["masked"], float)[token]).sum())
    verb = "is masked: −∞" if np.isnan(value) else f"may be looked at: {value:.3f}"
    st.markdown(f"**{asks}** (position {token}) sees {seen} token{'s' if seen > 1 else ''}. **{answers}** {verb}.")


def _softmax(pieces: Sequence[str], head: Mapping[str, Any], token: int, key: int, temperature: float) -> None:
    row = softmax_row(np.asarray(head["masked"], float)[token], temperature)
    shown = [int(one) for one in np.argsort(-row.weights, kind="stable")[:_SHOWN] if row.weights[one] > 0]
    sums = " + ".join(f"{row.exponentials[one]:.3f}" for one in shown[:2])
    dots = r" + \dots" if (row.exponentials > 0).sum() > 2 else ""
    st.latex(
        rf"\begin{{aligned}} \Sigma &= {sums}{dots} {BREAK} &= {row.denominator:.3f} {BREAK}"
        rf"w_{{{token},{key}}} &= {row.exponentials[key]:.3f} / {row.denominator:.3f} = "
        rf"\mathbf{{{row.weights[key]:.3f}}} \end{{aligned}}"
    )
    words = ", ".join(f"**{escaped(pieces[one])}** {row.weights[one]:.1%}" for one in shown)
    st.markdown(
        f"The row of **{escaped(pieces[token])}**: {words}. Exponentials are taken less the row's largest score."
    )
    with_, without = head["entropy_scaled"], head["entropy_unscaled"]
    st.markdown(
        f"Mean entropy of the rows: **{with_:.2f} nats** with ÷ √d, **{without:.2f} nats** without "
        + (
            "(saturated: weight piles up on fewer tokens)."
            if without < 0.9 * with_
            else "(here that makes little difference)."
        )
    )


def _sum(pieces: Sequence[str], head: Mapping[str, Any], token: int) -> None:
    total = weighted_sum(np.asarray(head["weights"], float)[token], np.asarray(head["v"], float))
    names = [f"{weight:.2f} · V {pieces[one]}" for one, weight in zip(total.keys, total.weights, strict=True)]
    st.markdown(f"What **{escaped(pieces[token])}** takes, largest shares first:")
    matrix(
        np.vstack([total.parts, total.total]),
        [*names, f"{total.rest:.2f} · all others", "their sum"],
        [str(one) for one in range(len(total.total))],
        key="shares",
        alt="Values times their weights: " + ", ".join(names) + ", and their sum",
        template="{row}, dimension {column}: {value}",
        signed=True,
        largest=24,
        column_labels=False,
        download="attention-weighted-sum",
    )
    first = " + ".join(
        rf"{weight:.2f}\cdot{_in(float(np.asarray(head['v'], float)[one, 0]))}"
        for one, weight in zip(total.keys, total.weights, strict=True)
    )
    st.latex(rf"z_{{{token},0}} = {first} + \dots = {total.total[0]:.3f}")


def _output(head: Mapping[str, Any], asks: str, token: int) -> None:
    z, o = np.asarray(head["head_output"], float)[token], np.asarray(head["output"], float)[token]
    st.latex(
        rf"\underset{{[1 \times {head['head_size']}]}}{{z_{{{token}}}}}\;"
        rf"\underset{{[{head['head_size']} \times {head['width']}]}}{{W_O}} = "
        rf"\underset{{[1 \times {head['width']}]}}{{o_{{{token}}}}} = ({_in(o[0])},\ {_in(o[1])},\ \dots)"
    )
    st.markdown(
        f"From z = ({z[0]:.3f}, {z[1]:.3f}, …) this head adds a vector of {head['width']} numbers to the stream of "
        f"**{asks}**. How much of the layer's output that is, *All heads* measures."
    )


def _in(value: float) -> str:
    """A number inside a formula: negative ones in brackets."""
    return f"{value:.2f}" if value >= 0 else f"({value:.2f})"

"""All heads: a mosaic to sort and to open, the opened head as matrix or arcs, and the layer as the sum of its heads."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.anatomy.specimens import Specimen
from core.figures.contributions import contributions
from pages._attention import opening
from pages._attention.arcs import LEAST, arcs
from pages._attention.choice import Choice
from pages._attention.mosaic import STATISTICS, Head, mosaic
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.matrix import matrix
from pages._parts.specimen import provenance
from pages._parts.text import escaped

BY_LAYER = "layer"


def show(specimen: Specimen, text: str, sizes: Mapping[str, Any], choice: Choice) -> Mapping[str, Any]:
    """The mosaic, then the opened head, then the layer's sum."""
    head = opening.head_of(specimen, text, sizes["ids"], choice.layer, choice.head, True, True, 1.0)
    data = opening.heads_of(specimen, text, sizes["ids"])
    names = {BY_LAYER: "layer and head"} | {key: title for key, (title, _, _) in STATISTICS.items()}
    sort = st.segmented_control(
        "Sort by, largest first",
        list(names),
        default=BY_LAYER,
        required=True,
        format_func=names.get,
        key="sort",
        bind="query-params",
    )
    mosaic(
        data,
        sizes,
        (choice.layer, choice.head),
        key="heads",
        sort="" if sort == BY_LAYER else sort,
        on_pick=lambda head: _open(head, sizes),
    )
    provenance(data, specimen.title, f"{sizes['layers']} layers × {sizes['heads']} heads")
    groups = sizes["heads"] // sizes["kv_heads"]
    st.caption(
        (STATISTICS[sort][2][0].upper() + STATISTICS[sort][2][1:] + ". " if sort in STATISTICS else "")
        + (
            f"Grouped queries: {groups} query heads share one key and value head; the bars on the left bind them. "
            if groups > 1
            else "Every query head has a key and value head of its own. "
        )
        + "Look for columns (many tokens read one) and diagonals (each reads itself, or the one before). It does not "
        "show what a head does with what it reads. Shades go with the square root of the weight; above 64 tokens "
        "pictures are pooled by the maximum."
    )
    _opened_head(sizes, head, choice)
    _layer_sum(specimen, text, sizes, choice)
    show_code(
        "core.anatomy.attention:head_weights",
        "core.anatomy.head_statistics:head_statistics",
        "core.anatomy.attention:head_contributions",
    )
    return head


def _open(head: Head | None, sizes: Mapping[str, Any]) -> None:
    first = min(opening.LAYER, sizes["layers"] - 1), min(opening.HEAD, sizes["heads"] - 1)
    st.session_state["layer"], st.session_state["head"] = head or first


def _opened_head(sizes: Mapping[str, Any], head: Mapping[str, Any], choice: Choice) -> None:
    st.subheader(f"Layer {choice.layer}, head {choice.head}", anchor=False)
    pieces, weights = sizes["pieces"], np.asarray(head["weights"], float)
    view = st.segmented_control(
        "View",
        ["Arcs", "Matrix"],
        default="Arcs",
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    row = weights[choice.token]
    alt = (
        f"Attention of layer {choice.layer}, head {choice.head}; {pieces[choice.token]} looks most at "
        f"{pieces[int(row.argmax())]}, with {row.max():.0%}"
    )
    if view == "Arcs":
        arcs(weights, pieces, choice.token, key="arc", alt=alt, on_lock=_token)
        st.caption(
            f"An arc runs back from the token that asks to what it looks at; weights below {LEAST:.0%} are left out."
        )
        return
    matrix(
        weights,
        [f"Q {piece}" for piece in pieces],
        [f"K {piece}" for piece in pieces],
        key="cell",
        alt=alt,
        template="{row} → {column}: {value}",
        low=0.0,
        high=1.0,
        download="attention-weights",
        on_lock=lambda cell: _token(cell[0] if cell else None),
    )


def _token(token: int | None) -> None:
    if token is not None:
        st.session_state["token"] = token


def _layer_sum(specimen: Specimen, text: str, sizes: Mapping[str, Any], choice: Choice) -> None:
    st.subheader("Side by side, then W_O: a sum over heads", anchor=False)
    data = opening.sum_of(specimen, text, sizes["ids"], choice.layer)
    along = np.asarray(data["along"], float)[:, choice.token]
    norms = np.asarray(data["norm"], float)[:, choice.token]
    total = float(np.asarray(data["total"], float)[choice.token])
    group = sizes["heads"] // sizes["kv_heads"]
    names = [f"head {n}" + (f" (K, V {n // group})" if group > 1 else "") for n in range(sizes["heads"])]
    names.append("bias of W_O")
    picture, words = st.columns([3, 2], gap="large")
    with picture:
        st.plotly_chart(
            contributions(names, along.tolist(), norms.tolist(), choice.head, theme.dark()),
            config={"displayModeBar": False},
            key="layer_sum",
            alt=f"Parts of layer {choice.layer}'s attention output at one token: "
            + ", ".join(f"{name} {value:+.2f}" for name, value in zip(names, along, strict=True)),
        )
        downloads(
            "layer_sum",
            "attention-layer-sum",
            [["part", "along the output", "norm"], *zip(names, along.tolist(), norms.tolist(), strict=True)],
        )
    with words:
        st.latex(r"o = \sum_h z^{(h)} W_O^{(h)} + b")
        st.markdown(
            f"At **{escaped(sizes['pieces'][choice.token])}** the layer's output has length ‖o‖ = **{total:.2f}**. "
            "To join all z and multiply by W_O is to multiply each by its own rows of W_O and add. A bar is what a "
            "part adds in the direction of o; the bars sum to its length, and what parts add sideways cancels."
        )
        strongest = int(np.abs(along[:-1]).argmax())
        st.markdown(
            f"Most comes from **head {strongest}** ({along[strongest]:+.2f}; its own length is {norms[strongest]:.2f})."
        )
        provenance(data, specimen.title, f"layer {choice.layer}")

"""The next token over the full vocabulary: temperature, top-k and top-p on real bars, one number followed through."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.anatomy.specimens import Specimen
from core.figures.cut_distribution import cut_distribution, cut_rows
from core.gallery.build_block import DRAWN
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.specimen import provenance
from pages._parts.text import escaped
from pages._transformer_block import opening
from pages._transformer_block.choice import Columns, choose_token
from pages._transformer_block.words import number, word

View = Mapping[str, Any]


def show(specimen: Specimen, text: str, sizes: View, columns: Columns) -> str:
    """Bars and sliders. Returns the claim that they make."""
    with columns[1]:
        token = choose_token(sizes, text, "Behind")
    picture, controls = st.columns([3, 2], gap="large")
    with controls:
        temperature = st.slider(
            "Temperature", 0.05, 2.0, DRAWN.temperature, 0.05, key="temperature", bind="query-params"
        )
        top_k = st.slider("Top-k (0: all)", 0, 100, DRAWN.top_k, key="top_k", bind="query-params")
        top_p = st.slider("Top-p (1: all)", 0.05, 1.0, DRAWN.top_p, 0.05, key="top_p", bind="query-params")
    data = opening.next_of(specimen, text, sizes["ids"], token, temperature, top_k, top_p)
    with picture:
        rows = cut_rows(data)
        st.markdown(f"**What comes after {escaped(sizes['pieces'][token])}?**")
        st.vega_lite_chart(
            cut_distribution(rows, theme.dark()),
            key="cut",
            alt=f"Of {sizes['vocabulary']:,} tokens {data['kept']:,} can be drawn. Likeliest: "
            + ", ".join(f"{row['token']} {row['after']:.1%}" for row in rows[:5]),
        )
        table = [[row["token"], row["before"], row["after"]] for row in rows]
        downloads("cut", "next-token", [["token", "softmax", "drawn with"], *table])
        st.caption(
            "Bar: what it is drawn with. Upright line: the softmax before the cut. Pale, ✗: cut, with its softmax."
        )
        provenance(data, specimen.id)
    with controls:
        _followed(data, sizes, temperature)
    show_code("core.anatomy.next_token:next_token", "core.language.sampling:filter_logits")
    return claim(data, sizes, token)


def claim(data: View, sizes: View, token: int) -> str:
    """How many tokens are left, and what they held."""
    here, best = word(sizes["pieces"][token]), word(data["pieces"][0])
    everything = f"{sizes['vocabulary']:,}"
    if data["kept"] == sizes["vocabulary"]:
        return (
            f"After “{here}” every one of {everything} tokens can come, “{best}” with {data['after'][0]:.0%}: nothing "
            "is cut."
        )
    return (
        f"After “{here}” only {data['kept']:,} of {everything} tokens can still come: they held "
        f"{data['kept_mass']:.0%} of the probability and now share all of it, “{best}” {data['after'][0]:.0%}."
    )


def _followed(data: View, sizes: View, temperature: float) -> None:
    """One token from its logit to the probability that it is drawn with."""
    place = st.selectbox(
        "Follow a token",
        range(len(data["pieces"])),
        format_func=lambda index: f"{index + 1}  {data['pieces'][index]}",
        key="follow",
        bind="query-params",
    )
    logit, scaled, before, after = (data[name][place] for name in ("logits", "scaled", "before", "after"))
    st.latex(rf"\frac{{\text{{logit}}}}{{T}} = \frac{{{logit:.3f}}}{{{temperature:.2f}}} = {scaled:.3f}")
    st.latex(
        rf"p = \frac{{e^{{{scaled:.3f}}}}}{{\sum_{{v=1}}^{{{sizes['vocabulary']}}} e^{{z_v/T}}}} "
        rf"= e^{{{scaled:.3f} - {data['log_total']:.3f}}} = {before:.4f}"
    )
    if after:
        st.latex(rf"\frac{{p}}{{p_\text{{kept}}}} = \frac{{{before:.4f}}}{{{data['kept_mass']:.4f}}} = {after:.4f}")
    else:
        st.markdown("Cut: it is drawn with probability **0**, and the kept tokens share what it had.")
    st.markdown(
        f"Entropy **{number(data['entropy'])} nats** of what is drawn from, against {number(data['entropy_plain'])} at "
        "temperature 1 with nothing cut."
    )

"""The likeliest next tokens under one or two distributions: bars, and their numbers to take away."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.figures.paired_bars import paired_bars
from pages._parts import theme
from pages._parts.downloads import downloads


def next_tokens(
    pieces: Sequence[str], distributions: Mapping[str, Sequence[float | None]], *, key: str, alt: str, download: str
) -> None:
    """Draw the probabilities of `pieces`, likeliest first, under each named distribution.

    Args:
        pieces: the tokens as shown.
        distributions: one or two names with their probabilities, in the order of `pieces`.
        key: the chart's key.
        alt: what a screen reader says before the tokens.
        download: name of the downloaded files.
    """
    st.vega_lite_chart(paired_bars(pieces, distributions, theme.dark()), key=key, alt=f"{alt}: {', '.join(pieces)}")
    rows = zip(pieces, *distributions.values(), strict=True)
    downloads(key, download, [["token", *distributions], *map(list, rows)])

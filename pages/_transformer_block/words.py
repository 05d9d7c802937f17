"""How numbers and pieces are worded on this page."""

import math


def word(piece: str) -> str:
    """A token's piece within a sentence of ours: the space before it is not said, unless it is all there is."""
    return piece.strip("␣") or piece


def percent(share: float) -> str:
    """A probability; a small one is not said to be none."""
    return f"{share:.1%}" if share >= 0.0005 else "less than 0.1%"


def number(value: float | None) -> str:
    """Three digits; what is no number says so."""
    if value is None or not math.isfinite(value):
        return "more than float32 holds"
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.1e}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"

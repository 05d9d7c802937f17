"""Numbers of any size in a line of text."""

import math

from pages._parts.text import power_of_ten

_PLAIN = (1e-2, 1e4)


def short(value: float) -> str:
    """Two digits: `0.35`, `2.1·10⁻⁷`, `0`."""
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return "too large for float64"
    if _PLAIN[0] <= abs(value) < _PLAIN[1]:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}"
    return power_of_ten(value)


def counted(value: float) -> str:
    """A count of operations or bytes: `1.2 G`."""
    for size, letter in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g} "

"""Lines on shared scales, side by side: what several small charts need to be compared by eye."""

from collections.abc import Sequence
from typing import Any

from core.figures.named_lines import NamedLine, named_lines


def rails(
    lines: Sequence[NamedLine],
    dark: bool,
    x_title: str,
    y_title: str,
    *,
    x: tuple[float, float] | None = None,
    y: tuple[float, float] | None = None,
    height: int = 240,
    points: bool = False,
    legend: bool = True,
    log_x: bool = False,
) -> dict[str, Any]:
    """`named_lines` with the scales given: `x` and `y` are lowest and highest. `log_x`: doubling steps, as of n."""
    spec = named_lines(lines, dark, x_title, y_title, height=height, points=points, whole_x=False)
    encoding = spec["encoding"]
    if x:
        encoding["x"]["scale"] = {"domain": list(x), "nice": False}
    if log_x:
        encoding["x"]["scale"] = {"type": "log", "base": 2, "nice": False}
        encoding["x"]["axis"] |= {"format": "d", "tickCount": 7}
    if y:
        encoding["y"]["scale"] = {"domain": list(y), "nice": False}
    encoding["order"] = {"field": "x", "type": "quantitative"}
    if not legend:
        for channel in ("color", "strokeDash", "strokeWidth"):
            encoding[channel]["legend"] = None
    return spec

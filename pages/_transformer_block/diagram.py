"""One block as boxes that are live: each says how long the vector is that passes through it, and opens on a click."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core.figures.palette import GROUND
from pages._parts import theme
from pages._parts.downloads import downloads

_HERE = Path(__file__).parent
HINT = "Point at a box, or step with the arrow keys; click or Enter opens it below."
_component = st.components.v2.component(
    "rlhf_playground.block_diagram",
    html='<div class="figure"><svg class="diagram" role="group"></svg></div>'
    '<div class="detail" aria-live="polite"></div>',
    css=(_HERE / "diagram.css").read_text(encoding="utf-8"),
    js=(_HERE.parent / "_parts" / "drawing.js").read_text(encoding="utf-8")
    + (_HERE / "diagram.js").read_text(encoding="utf-8"),
)


def diagram(
    boxes: Sequence[dict[str, Any]], opened: str | None, *, key: str, alt: str, on_pick: Callable[[str | None], None]
) -> None:
    """Draw the seven boxes of a block, the residual stream above and its two branches below.

    Args:
        boxes: in the order of the flow, each with `id`, `title`, `norm` (text), `first` and `second` (lines under it),
            `detail` (the sentence on hover), `colour`, `dash` and `share` (0 to 1: how thick its line is).
        opened: the id of the box that is open.
        key: the widget's key.
        alt: what a screen reader says of the whole.
        on_pick: called, before the page runs again, with the id of the box just opened, or None.
    """
    data = {
        "key": key,
        "boxes": list(boxes),
        "opened": opened,
        "hint": HINT,
        "alt": alt,
        "ground": GROUND.on(theme.dark()),
    }

    def picked() -> None:
        found = st.session_state[key]["picked"]
        if found is not None:
            on_pick(found["box"])

    _component(data=data, key=key, on_picked_change=picked, height="content")
    downloads(key, "transformer-block")

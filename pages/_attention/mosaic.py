"""All layers × heads as one picture: hover previews a head, a click opens it, a second click lets it go."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core.figures.palette import colour, sequential
from pages._parts import theme
from pages._parts.downloads import downloads

_HERE = Path(__file__).parent
HINT = "Point at a head, or step with the arrow keys; click or Enter opens it."
_CSS = """
.mosaic { display: flex; flex-wrap: wrap; gap: 0.75rem 1.5rem; align-items: flex-start; }
.area { flex: 0 1 auto; min-width: 0; max-width: 100%; max-height: 40rem; overflow: auto; }
.all { display: block; outline: none; touch-action: pan-y; }
.all:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
.preview { flex: 0 0 13rem; font-size: 0.875rem; }
.large { display: block; }
.name { font-weight: 650; margin: 0.5rem 0 0.25rem; }
.facts b { display: inline-block; min-width: 3.6rem; font-variant-numeric: tabular-nums; }
.hint { opacity: 0.75; margin-top: 0.5rem; }
"""
_HTML = """
<div class="mosaic"><div class="area"><canvas class="all" tabindex="0" role="img"></canvas></div>
<div class="preview" aria-live="polite"><canvas class="large" aria-hidden="true"></canvas>
<div class="name"></div><div class="facts"></div><div class="hint"></div></div></div>
"""
_component = st.components.v2.component(
    "rlhf_playground.mosaic",
    html=_HTML,
    css=_CSS,
    js=(_HERE.parent / "_parts" / "drawing.js").read_text(encoding="utf-8")
    + (_HERE / "mosaic.js").read_text(encoding="utf-8"),
)

STATISTICS = {
    # key: (title, unit, what it is)
    "entropy": ("entropy", " nats", "0 when all weight is on one token, ln n when it is spread evenly over n"),
    "distance": ("mean distance", "", "tokens between the query and what it looks at"),
    "previous": ("previous token", "", "weight on the token just before"),
    "first": ("first token", "", "weight on the first token, where heads often look when they look for nothing"),
    "duplicate": ("earlier copies", "", "weight on earlier copies of the query's own token"),
    "induction": ("what followed a copy", "", "weight on the token after an earlier copy: how patterns are repeated"),
}

Head = tuple[int, int]


def mosaic(
    data: Mapping[str, Any],
    sizes: Mapping[str, int],
    opened: Head,
    *,
    key: str,
    sort: str = "",
    on_pick: Callable[[Head | None], None],
) -> None:
    """Draw every head of `data` (a `heads_view`).

    Args:
        data: pictures and statistics.
        sizes: layers, heads, kv_heads.
        opened: the head that the page shows.
        key: the widget's key; the locked head lives in the URL under it.
        sort: the statistic to sort by, largest first; "" leaves heads in their layers.
        on_pick: called with the head just clicked, or None when it was let go.
    """
    heads = sizes["heads"]
    flat = {name: [_number(value) for row in rows for value in row] for name, rows in data["statistics"].items()}
    locked = st.query_params.get(key)
    opened_index = opened[0] * heads + opened[1]
    _component(
        data={
            "key": key,
            "layers": sizes["layers"],
            "heads": heads,
            "group": heads // sizes["kv_heads"],
            "side": data["side"],
            "pictures": data["pictures"],
            "statistics": flat,
            "named": [[name, title, unit] for name, (title, unit, _) in STATISTICS.items()],
            "sorted": sort,
            "order": _order(flat[sort]) if sort else None,
            "open": opened_index,
            "locked": opened_index if locked == f"{opened[0]}-{opened[1]}" else None,
            "colours": sequential(theme.dark()),
            "key_colour": colour("key", theme.dark()),
            "hint": HINT,
            "alt": f"Attention weights of {sizes['layers']} layers of {heads} heads, one small picture each",
        },
        key=key,
        on_picked_change=lambda: _picked(key, on_pick),
        height="content",
    )
    downloads(key, "attention-heads")


def _picked(key: str, on_pick: Callable[[Head | None], None]) -> None:
    picked = st.session_state[key]["picked"]
    if picked is None:
        return
    if picked["head"] is None:
        st.query_params.pop(key, None)
        on_pick(None)
    else:
        layer, head = picked["head"]
        st.query_params[key] = f"{layer}-{head}"
        on_pick((layer, head))


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else value


def _order(values: Sequence[float | None]) -> list[int]:
    """Largest first; heads without the number last, in their own order."""
    return sorted(range(len(values)), key=lambda index: (values[index] is None, -(values[index] or 0.0)))

"""A scrubber through the checkpoints: the same prompts' answers, one update after the other, played in the browser."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent
_HTML = """
<div class="bar"><button class="play"></button><button class="back" aria-label="one checkpoint back">◀</button>
<input type="range" min="0" step="1" aria-label="checkpoint">
<button class="on" aria-label="one checkpoint on">▶</button>
<output class="where"></output></div><div class="facts"></div><div class="answers" aria-live="off"></div>
"""
_component = st.components.v2.component(
    "rlhf_playground.scrubber",
    html=_HTML,
    css=(_HERE / "scrubber.css").read_text(encoding="utf-8"),
    js=(_HERE.parent / "_parts" / "drawing.js").read_text(encoding="utf-8")
    + (_HERE / "scrubber.js").read_text(encoding="utf-8"),
)


def scrubber(stops: Sequence[dict[str, Any]], prompts: Sequence[str], *, key: str) -> None:
    """Draw it. Where it is let go, the place is kept in the URL under `key`.

    Args:
        stops: of each checkpoint `title`, `facts` (name, words) and, for each prompt, `answers`: its text as
            (stretch, differs from the reference) pairs.
        prompts: what was asked.
        key: the widget's key.
    """
    asked = st.query_params.get(key, "")
    at = int(asked) if asked.isascii() and asked.isdecimal() and int(asked) < len(stops) else len(stops) - 1
    data = {"stops": list(stops), "prompts": list(prompts), "at": at}
    _component(data=data, key=key, on_place_change=lambda: _keep(key), height="content")


def _keep(key: str) -> None:
    place = st.session_state[key]["place"]
    if place is not None:
        st.query_params[key] = str(int(place))

"""A response one can point into: each token with what else could have come, and a click that branches."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "rlhf_playground.written",
    html='<div class="text" role="group"></div><div class="detail" aria-live="polite"></div>'
    '<div class="alternatives"></div>',
    css=(_HERE / "written.css").read_text(encoding="utf-8"),
    js=(_HERE / "written.js").read_text(encoding="utf-8"),
)


def written(
    prompt: str,
    tokens: Sequence[dict[str, Any]],
    locked: int | None,
    *,
    key: str,
    alt: str,
    on_lock: Callable[[int | None], None],
    on_branch: Callable[[int, int], None],
) -> None:
    """Show `prompt` and the tokens behind it, as `core.anatomy.writing.Written`.

    Args:
        prompt: as the reader wrote it.
        tokens: in order.
        locked: the place whose alternatives stay on screen; the last token's otherwise.
        key: the widget's key.
        alt: what a screen reader says of the whole.
        on_lock: called with the place just locked, or None.
        on_branch: called with a place and the id of the token that is to stand there.
    """
    data = {
        "prompt": prompt,
        "tokens": list(tokens),
        "locked": locked,
        "alt": alt,
        "hint": "Nothing is written yet: press Step or Play.",
    }

    def picked() -> None:
        found = st.session_state[key]["picked"]
        if found is not None:
            on_lock(found["token"])

    def branched() -> None:
        found = st.session_state[key]["branched"]
        if found is not None:
            on_branch(int(found["place"]), int(found["token"]))

    _component(data=data, key=key, on_picked_change=picked, on_branched_change=branched, height="content")

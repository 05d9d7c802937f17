"""The sentence as the model gets it: pieces, ids and bytes, one to point at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages._parts.downloads import downloads

_HERE = Path(__file__).parent
_CSS = """
.tokens { display: flex; flex-wrap: wrap; gap: 4px; max-height: 15rem; overflow-y: auto; padding: 3px; }
button { all: unset; cursor: pointer; display: grid; justify-items: center; padding: 0.2rem 0.45rem; min-width: 2rem; }
button { border: 1px solid color-mix(in srgb, currentColor 18%, transparent); border-radius: 0.4rem; }
button:hover, button:focus-visible { outline: 2px solid currentColor; outline-offset: -1px; }
button[aria-pressed="true"] { border-color: var(--policy); box-shadow: inset 0 0 0 2px var(--policy); }
button.same { border-style: dashed; border-color: var(--policy); }
.piece { font-size: 1rem; max-width: 12rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.id, .bytes { font-size: 0.75rem; opacity: 0.75; font-variant-numeric: tabular-nums; }
.bytes { max-width: 9rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-family: monospace; }
.detail { font-size: 0.875rem; opacity: 0.85; min-height: 1.5rem; margin-top: 0.25rem; overflow-wrap: anywhere; }
"""
_component = st.components.v2.component(
    "rlhf_playground.embeddings_tokens",
    html='<div class="tokens" role="group"></div><div class="detail" aria-live="polite"></div>',
    css=_CSS,
    js="".join(
        file.read_text(encoding="utf-8") for file in (_HERE.parent / "_parts" / "drawing.js", _HERE / "tokens.js")
    ),
)


def tokens(found: Sequence[dict[str, Any]], chosen: int, *, key: str) -> None:
    """Draw the tokens with `chosen` lit and its other occurrences dashed. A click puts the position into the URL under
    `key`, a second click takes it out: `chosen_token` reads it."""
    data = {
        "key": key,
        "tokens": list(found),
        "chosen": chosen,
        "alt": f"{len(found)} tokens; token {chosen} is chosen",
        "hint": "Point at a token, or step with the arrow keys; click or Enter chooses it, a second time lets go.",
    }
    _component(data=data, key=key, on_picked_change=lambda: _keep(key), height="content")
    downloads(key, key)


def chosen_token(key: str, length: int) -> int | None:
    """The position locked in the URL, if this sentence has it."""
    asked = st.query_params.get(key, "")
    return int(asked) if asked.isascii() and asked.isdecimal() and int(asked) < length else None


def _keep(key: str) -> None:
    picked = st.session_state[key]["picked"]
    if picked is None:
        return
    if str(picked["position"]) == st.query_params.get(key):
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = str(picked["position"])

"""The Overview as it stands before the app has loaded: the same words and numbers, sent with the very first answer.

Streamlit's page is a hundred files of JavaScript, a websocket and a run of Python away. What the first screen says of
the cached loop is known without any of them; the app's own page takes its place when it stands (first_sight.js).
"""

import html
import json
from pathlib import Path

from core.figures import palette
from core.gallery import load_entry
from pages._overview import cached_loop
from pages._parts import theme
from pages._parts.badge import badge_html
from pages._parts.before_after import HEADING, cards, opening
from pages._parts.picture_words import picture_words
from pages._parts.text import minus

_HERE = Path(__file__).parent
_PARTS = _HERE.parent / "_parts"


def first_sight() -> str:
    """HTML to stand beside the app's own element; empty when no loop has been computed for the gallery."""
    entry = load_entry("loop")
    if entry is None:
        return ""
    screen = cached_loop.screen(entry)
    opens, which = opening(entry["examples"])
    before, after = cards(entry["examples"][opens], screen.voter)
    badge = badge_html("cached", model=entry["model"], seed=entry["seed"], note=f"simulated voter {screen.voter}")
    picture = {
        "words": picture_words(screen.pipeline, screen.voter, screen.win_rate),
        "css": _text(_PARTS / "picture.css"),
        "js": _text(_PARTS / "picture.js"),
    }
    # In a script nothing ends it but its own end tag, which no text of ours or of a model's can then spell.
    told = json.dumps(picture, ensure_ascii=False).replace("<", "\\u003c")
    return f"""<div id="first-sight"><div class="sight">
<style>.sight {{ {palette.css_variables()} }}{theme.CSS}{_text(_HERE / "first_sight.css")}</style>
<div class="coming" role="status" aria-label="The controls are loading"></div>
<header>{theme.LOGO}</header>
<main>
<div class="strip"></div>
<h1>{html.escape(cached_loop.TITLE)}</h1>
<p class="claim">{html.escape(minus(screen.claim))}</p>
<div class="picture"></div>
<div class="row">{badge}</div>
<div class="row"><p><strong>{HEADING}</strong> &nbsp; {which}</p></div>
<div class="cards">{before}{after}</div>
</main>
</div>
<script type="application/json">{told}</script>
<script type="module" async>{_text(_HERE / "first_sight.js")}</script>
</div>"""


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")

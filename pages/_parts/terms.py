"""Words with their meaning on hover, on focus and on touch: a dotted line under a term where a page first uses it."""

import html
import re
from urllib.parse import urlencode

import streamlit as st

from core.glossary_search import Occurrence, first_occurrences
from pages._parts import site
from pages._parts.text import minus

_SEEN = "terms_seen"
# Code, formulas, links, badges, icons, and markup itself stay as they are.
_OUTSIDE = re.compile(r"`[^`]*`|\$[^$]*\$|!?\[[^\]]*\](?:\([^)]*\))?|:[\w-]+\[[^\]]*\]|:material/\w+:|<[^>]*>|&\w+;")


def begin_page() -> None:
    """Before a page runs: nothing has been explained on it yet."""
    st.session_state[_SEEN] = set()


def marked(text: str) -> str:
    """`text`, our own Markdown or HTML, with its first use of each term marked. Not for fragments that run alone."""
    seen: set[str] = st.session_state.setdefault(_SEEN, set())
    found = first_occurrences(text, seen, [match.span() for match in _OUTSIDE.finditer(text)])
    seen.update(one.term.name for one in found)
    for one in reversed(found):
        text = text[: one.start] + _mark(text, one) + text[one.end :]
    return text


def prose(text: str) -> None:
    """A paragraph of our own Markdown, its terms explained."""
    st.markdown(marked(minus(text)), unsafe_allow_html=True)


def _mark(text: str, one: Occurrence) -> str:
    term = one.term
    see = term.page + (f"?{urlencode(term.url)}" if term.url else "")
    return (
        f'<span class="term" role="button" tabindex="0" data-see="{html.escape(see)}" '
        f'data-where="{html.escape(site.title(term.page))}" aria-description="{html.escape(term.means)}">'
        f"{text[one.start : one.end]}</span>"
    )

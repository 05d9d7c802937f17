"""The look shared by all pages: colours by concept, two sizes of text, space. And which ground we stand on."""

from pathlib import Path

import streamlit as st

from core.figures import palette

CSS = (Path(__file__).parent / "theme.css").read_text(encoding="utf-8")
MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 32 32" fill="none">'
    '<path d="M25.5 11.5A10.5 10.5 0 1 0 26.4 17" stroke="#7466E8" stroke-width="3.4" stroke-linecap="round"/>'
    '<path d="M27.6 5.2v7.2h-7.2" stroke="#7466E8" stroke-width="3.4" stroke-linecap="round" stroke-linejoin="round"/>'
    '<path d="M16 11.4l4.6 4.6-4.6 4.6-4.6-4.6z" fill="#14A277"/></svg>'
)
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="208" height="32" viewBox="0 0 208 32">'
    + MARK.replace("<svg ", '<svg x="0" y="0" ')
    + '<text x="42" y="22" font-family="system-ui, sans-serif" font-size="18" '
    'textLength="158" lengthAdjust="spacingAndGlyphs" '
    'font-weight="600" fill="#7A8594">RLHF Playground</text></svg>'
)


def dark() -> bool:
    """Whether the reader's page is dark. Only for figures drawn on the server: CSS knows by itself."""
    return st.context.theme.type == "dark"


def apply() -> None:
    """Put the shared style sheet on the page."""
    st.html(f"<style>.stApp {{ {palette.css_variables()} }}{CSS}</style>")

"""The look shared by all pages: colours by concept, two sizes of text, space. And which ground we stand on."""

import streamlit as st

from core.figures import palette

MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 32 32" fill="none">'
    '<path d="M25.5 11.5A10.5 10.5 0 1 0 26.4 17" stroke="#7466E8" stroke-width="3.4" stroke-linecap="round"/>'
    '<path d="M27.6 5.2v7.2h-7.2" stroke="#7466E8" stroke-width="3.4" stroke-linecap="round" stroke-linejoin="round"/>'
    '<path d="M16 11.4l4.6 4.6-4.6 4.6-4.6-4.6z" fill="#14A277"/></svg>'
)
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="208" height="32" viewBox="0 0 208 32">'
    + MARK.replace("<svg ", '<svg x="0" y="0" ')
    + '<text x="42" y="22" font-family="Source Sans, Source Sans 3, Helvetica, Arial, sans-serif" font-size="18" '
    'font-weight="600" fill="#7A8594">RLHF Playground</text></svg>'
)


def dark() -> bool:
    """Whether the reader's page is dark. Only for figures drawn on the server: CSS knows by itself."""
    return st.context.theme.type == "dark"


def apply() -> None:
    """Put the shared style sheet on the page."""
    st.html(f"<style>.stApp {{ {palette.css_variables()} }}{_CSS}</style>")


_CSS = """
.stMainBlockContainer { max-width: 1180px; padding: 4.5rem 2rem 6rem; }
.stMainBlockContainer h1 { font-size: 2rem; line-height: 1.2; font-weight: 650; padding: 0.75rem 0 0; letter-spacing: -0.01em; }
.stMainBlockContainer h2, .stMainBlockContainer h3 { font-size: 1.25rem; line-height: 1.35; font-weight: 650; padding: 1.5rem 0 0.25rem; }
.claim { font-size: 1.25rem; line-height: 1.5; max-width: 46rem; margin: 0 0 1rem; opacity: 0.85; }
.note { opacity: 0.75; max-width: 46rem; }
.badge { display: inline-flex; flex-wrap: wrap; gap: 0.25rem 0.6rem; align-items: center; font-size: 0.875rem; opacity: 0.9; }
.badge b { font-weight: 600; padding: 0 0.5rem; border-radius: 999px; border: 1px solid currentColor; }
.badge .live { color: var(--reward); } .badge .cached { color: var(--policy); } .badge .simulated { color: var(--kl); }
.said { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.55; margin: 0; }
.said .prompt { opacity: 0.62; }
.card { margin: 0; padding: 0.85rem 1.1rem 1rem; border-radius: 0.6rem; min-height: 6rem; background: color-mix(in srgb, currentColor 4%, transparent); }
.card figcaption { display: flex; justify-content: space-between; flex-wrap: wrap; gap: 0 1rem; font-size: 0.875rem; padding-bottom: 0.4rem; }
.card.policy { border-left: 3px solid var(--policy); } .card.policy b { color: var(--policy); }
.card.reference { border-left: 3px dashed var(--reference); } .card.reference b { color: var(--reference); }
.model { padding: 1rem 1.1rem; border-radius: 0.6rem; margin-bottom: 0.5rem; border: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
.model header { display: flex; justify-content: space-between; gap: 1rem; } .model p { margin: 0.25rem 0 0; overflow-wrap: anywhere; }
.model .id { font-family: var(--st-code-font, monospace); font-size: 0.875rem; opacity: 0.75; } .model .facts { font-size: 0.875rem; opacity: 0.8; }
.model header span { font-size: 0.875rem; white-space: nowrap; } .model.ready header span { color: var(--reward); }
.stages { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1rem; font-size: 0.875rem; }
.stages .track { height: 4px; border-radius: 2px; background: color-mix(in srgb, currentColor 12%, transparent); margin-top: 0.35rem; overflow: hidden; }
.stages .fill { height: 100%; border-radius: 2px; background: var(--policy); transition: width 0.4s; }
.stages .later { opacity: 0.6; }
.st-key-strip { border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); padding-bottom: 0.5rem; }
.st-key-strip .arrow { opacity: 0.45; } .st-key-strip .again { font-size: 0.875rem; white-space: nowrap; margin-left: 0.25rem; }
.st-key-strip a { padding: 0.15rem 0.6rem; border-radius: 999px; border: 1px solid transparent; white-space: nowrap; }
.st-key-strip a [data-testid="stIconMaterial"] { display: none; }
.st-key-strip a p { font-size: 0.875rem; }
.st-key-strip [class*="-idle-policy"] strong { color: var(--policy); } .st-key-strip [class*="-chosen"] strong { color: var(--chosen); }
.st-key-strip [class*="-reward"] strong { color: var(--reward); } .st-key-strip [class*="-kl"] strong { color: var(--kl); }
.st-key-strip [class*="station-lit"] a { border-color: currentColor; background: color-mix(in srgb, currentColor 6%, transparent); }
.st-key-strip [class*="-busy-"] a p::after { content: " ●"; color: var(--reward); }
@media (max-width: 900px) { .stMainBlockContainer { padding-left: 1.25rem; padding-right: 1.25rem; } }
"""

"""Glossary: every word of the field that the pages use, and where it can be seen."""

import html

import streamlit as st

from core.glossary import TERMS
from core.glossary_search import search
from pages._parts import site
from pages._parts.header import page_header

page_header(
    "glossary",
    "Glossary",
    f"{len(TERMS)} words, a sentence or two each, and the page where it can be seen. Underlined in the pages, they "
    "explain themselves.",
)
words = st.text_input("Search", key="word", bind="query-params", placeholder="advantage, calibration, mask")
found = search(words or "")
if not found:
    st.info("No entry has all of these words.", icon=":material/search_off:")
for term in found:
    page = site.page(term.page)
    entry, link = st.columns([5, 1.4], gap="medium", vertical_alignment="center")
    entry.html(f"<p><b>{html.escape(term.name)}</b><br>{html.escape(term.means)}</p>")
    with link:
        st.page_link(page, label=page.title, icon=page.icon, query_params=dict(term.url))

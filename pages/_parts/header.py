"""The head of every page: where am I, the title, and the one sentence that the picture below proves."""

import html

import streamlit as st

from pages._parts import terms
from pages._parts.state import Pipeline
from pages._parts.strip import strip
from pages._parts.text import minus


def page_header(here: str, title: str, claim: str, pipeline: Pipeline | None = None) -> None:
    """Strip, title, claim. `here` is the page's name; `claim` is our own words, plain text."""
    strip(here, pipeline)
    st.title(title, anchor=False)
    st.html(f'<p class="claim">{terms.marked(html.escape(minus(claim)))}</p>')

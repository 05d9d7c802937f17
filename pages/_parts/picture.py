"""The pipeline as one picture: four stations with their real state, and the arrow that leads back to the first."""

from pathlib import Path

import streamlit as st

from pages._parts import site
from pages._parts.picture_words import picture_words
from pages._parts.state import Pipeline

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "rlhf_pipeline",
    html='<ol class="stations"></ol><p class="loop"></p>',
    css=(_HERE / "picture.css").read_text(encoding="utf-8"),
    js=(_HERE / "picture.js").read_text(encoding="utf-8"),
)


def pipeline_picture(state: Pipeline, voter: str = "you", win_rate: float | None = None, key: str = "pipeline") -> None:
    """Draw `state`. A click on a station opens its page. `voter` is who votes; `win_rate` is of the tuned policy."""
    words = picture_words(state, voter, win_rate)
    chosen = _component(data=words, key=key, on_station_change=lambda: None).get("station")
    if chosen:
        st.switch_page(site.page(chosen))

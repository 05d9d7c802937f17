"""Where am I: the pipeline as one thin line on top of every page, each station with its live state, each a link."""

import streamlit as st

from core.figures.palette import CONCEPTS
from pages._parts import site
from pages._parts.state import Pipeline, my_pipeline
from pages._parts.text import escaped
from pages._parts.told import fragment

_PART_OF = {"loss_surface": "reward_model", "token_microscope": "ppo"}  # pages that look closer at a station


def strip(here: str, pipeline: Pipeline | None = None) -> None:
    """Draw the strip with the station of the page `here` lit. While something trains, it keeps itself up to date."""
    state = pipeline or my_pipeline()
    if state.busy and pipeline is None:
        _living_strip(here)
    else:
        _draw(here, state)


@fragment(run_every=2.0)
def _living_strip(here: str) -> None:
    _draw(here, my_pipeline())


def _draw(here: str, state: Pipeline) -> None:
    with st.container(key="strip", horizontal=True, vertical_alignment="center", gap="xxsmall"):
        st.html('<span class="whose" title="where your own loop stands">yours</span>', width="content")
        for index, station in enumerate(state.stations()):
            if index:
                st.html('<span class="arrow" aria-hidden="true">→</span>', width="content")
            lit = "lit" if station.name == _PART_OF.get(here, here) else "unlit"
            busy = "busy" if station.busy else "idle"
            with st.container(key=f"station-{lit}-{busy}-{station.concept}", width="content"):
                st.page_link(
                    site.page(station.name),
                    label=f"**{CONCEPTS[station.concept].mark} {station.title}** {escaped(station.state)}",
                    icon=None,
                    help="You are here" if station.name == here else None,
                    query_params={"run": station.run} if station.run else None,
                )
        st.html(
            '<span class="arrow again" title="and again, with responses of the tuned policy">↺</span>',
            width="content",
        )

"""Which run, update, response and token is looked at: all of it in the URL, counted from 1 there as on the page."""

from dataclasses import dataclass

import streamlit as st

from core.alignment.ppo_reading.microscope import COLOURED, telling_token
from core.alignment.ppo_reading.slides import Slide
from core.runs.store import Run
from pages._parts.text import escaped
from pages._token_microscope.source import GALLERY, Source, runs_with_rollouts, source_of

_TELL_THE_PUSH = ("log_ratio", "advantage", "return")  # of `COLOURED`


@dataclass(frozen=True)
class Choice:
    """A token of a slide; `locked` where the reader chose it, else it is the most telling one."""

    row: int
    place: int
    locked: bool


def choose_run() -> Source:
    """The gallery's run, or one of the reader's own that kept its rollouts."""
    runs = {run.id: run for run in runs_with_rollouts()}
    asked = st.query_params.get("run")
    if asked and asked not in runs and asked != GALLERY:
        st.warning(f"The run {escaped(asked)} is not here, or kept no rollouts: this is the gallery's.")

    def keep() -> None:
        _forget("run", "update", "sample", "token")
        if st.session_state["microscope_run"] != GALLERY:
            st.query_params["run"] = st.session_state["microscope_run"]

    if st.session_state.get("microscope_run") not in (GALLERY, *runs):
        st.session_state["microscope_run"] = asked if asked in runs else GALLERY
    chosen = st.selectbox(
        "Run",
        [GALLERY, *runs],
        format_func=lambda id: "The gallery's loop" if id == GALLERY else _name(runs[id]),
        key="microscope_run",
        on_change=keep,
        help="PPO and loop runs of yours stand here once they have made an update.",
    )
    return source_of(runs.get(chosen))


def choose_update(source: Source) -> int:
    """One of the updates that were kept; by default the last, of the gallery's three the one in the middle."""
    updates = sorted(source.updates)
    asked = _whole("update")
    key = f"update_{source.run.id if source.run else GALLERY}"

    def keep() -> None:
        st.query_params["update"] = str(st.session_state[key])
        _forget("sample", "token")

    if key not in st.session_state:
        opening = updates[-1] if source.run else updates[len(updates) // 2]
        st.session_state[key] = asked if asked in source.updates else opening
    return int(st.selectbox("Update", updates, key=key, on_change=keep))


def choose_colour(answered: bool) -> str:
    """What tokens are coloured by: a name of `COLOURED`.

    `answered`: whether the reader has said which way the token went. Until then there is no colour that tells it.
    """
    names = [what for what in COLOURED if answered or what not in _TELL_THE_PUSH]
    return str(
        st.segmented_control(
            "Colour tokens by",
            names,
            default=names[0],
            required=True,
            format_func=lambda what: COLOURED[what][0],
            key="colour" if answered else "colour_before",
            bind="query-params" if answered else None,
        )
    )


def chosen_token(slide: Slide) -> Choice:
    """What the URL names; the most telling token of its response, or of all, where it names none."""
    number, place = _whole("sample"), _whole("token")
    if number is None or number - 1 not in slide.numbers:
        return Choice(*telling_token(slide), locked=False)
    row = slide.numbers.index(number - 1)
    if place is not None and 1 <= place <= slide.length(row):
        return Choice(row, place - 1, locked=True)
    return Choice(*telling_token(slide, row), locked=False)


def keep_token(slide: Slide, row: int, place: int | None) -> None:
    """Put a token into the URL, with its response and its update; None lets it go."""
    st.query_params["update"] = str(slide.update)
    keep_response(slide.numbers[row])
    if place is not None:
        st.query_params["token"] = str(place + 1)


def keep_response(number: int) -> None:
    """Put a response into the URL, by its number in the rollout, counted from 0."""
    st.query_params["sample"] = str(number + 1)
    _forget("token")


def _forget(*names: str) -> None:
    for name in names:
        st.query_params.pop(name, None)


def _whole(name: str) -> int | None:
    text = st.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 9 else None


def _name(run: Run) -> str:
    return f"{run.id} · {run.name}" if run.name != run.id else run.id

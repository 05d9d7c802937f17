"""The guided tour: a bar at the foot of the page that says what to do here and leads on. Nobody is made to take it.

Which stop one is at stands in the URL, so a refresh keeps it; the session remembers it where a link forgot.
"""

import html
from pathlib import Path
from typing import Literal

import streamlit as st

from pages._parts import site
from pages._parts.stops import STOPS, VOTED, Stop

_pointer = st.components.v2.component(
    "rlhf_playground.tour",
    html="<span></span>",
    js=(Path(__file__).parent / "tour.js").read_text(encoding="utf-8"),
)
OVER = "over"  # in a link that leads out of the tour
_AT, _DONE, _VOTE, _PLACE = "tour_at", "tour_done", "tour_vote_before", "tour_place"


def invitation() -> None:
    """On the first stop's page: the button that starts the tour; nothing for a reader who is on it."""
    if not st.session_state.get(_AT):
        st.button(
            "**New here?** The tour: ten stops, ten minutes",
            key="tour_start",
            type="tertiary",
            icon=":material/tour:",
            on_click=_turn_to,
            args=(1,),
        )


def accompany(page: str) -> None:
    """Draw the bar on the page called `page`, if the reader is on the tour."""
    number = _at()
    if number is None:
        return
    stop = STOPS[number - 1]
    here = stop.page == page
    _arrive(number, stop, page)
    if here and stop.done(_url()):
        st.session_state.setdefault(_DONE, set()).add(number)
    with st.container(key="tour"):
        st.html(_words(number, stop, here))
        if here and stop.at:
            _pointer(data={"stop": number, "at": stop.at}, key="tour_pointer", height="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="tour_ways"):
            if number > 1:
                _go(page, number - 1, "Back", ":material/arrow_back:")
            if not here:
                _go(page, number, f"Go to {stop.title}", ":material/arrow_forward:", onward=True)
            elif number < len(STOPS):
                _go(page, number + 1, f"Next stop: {STOPS[number].title}", ":material/arrow_forward:", onward=True)
            else:
                label = "Now your own loop: **vote**"
                st.page_link(
                    site.page("label"), label=label, icon=":material/how_to_vote:", query_params={"tour": OVER}
                )
            st.button("End the tour", key="tour_end", type="tertiary", icon=":material/close:", on_click=_end)


def _arrive(number: int, stop: Stop, page: str) -> None:
    """On coming to the stop, open the view it is about. After a refresh the view is the one the URL says."""
    came_from, st.session_state[_PLACE] = st.session_state.get(_PLACE), (number, page)
    if stop.page != page or came_from == (number, page):
        return
    for name, value in stop.url.items():
        if came_from or name not in st.query_params:
            st.session_state[name] = value  # several pages call a control `part`: the last page's must not live on


def list_of_stops() -> None:
    """All ten, each a link; those whose act was done in this visit are marked."""
    done = st.session_state.get(_DONE, set())
    for number, stop in enumerate(STOPS, 1):
        link, act = st.columns([1, 3], gap="small", vertical_alignment="center")
        with link:
            page, mark = site.page(stop.page), " ✓" if number in done else ""
            label = f"**{number} · {stop.title}**{mark}"
            st.page_link(page, label=label, icon=page.icon, query_params={"tour": str(number)})
        act.html(f'<div class="note">{html.escape(stop.act)}</div>')


def _at() -> int | None:
    """The stop in the URL, else the one this session was at last; None without a tour."""
    asked = st.query_params.get("tour", "")
    if asked == OVER:
        _end()
        return None
    if asked.isascii() and asked.isdecimal() and 1 <= int(asked) <= len(STOPS):
        number = int(asked)
    elif st.session_state.get(_AT):
        number = st.session_state[_AT]
        st.query_params["tour"] = str(number)
    else:
        return None
    if st.session_state.get(_AT) != number:
        st.session_state[_AT] = number
        st.session_state[_VOTE] = _newest_vote()
    return number


def _url() -> dict[str, str]:
    """What the page's controls are set to, and whether a vote was given since this stop began.

    Controls have the same name in the session as in the URL, and Streamlit can lose the URL's when a run is cut short.
    """
    url = st.query_params.to_dict()
    set_to = {str(name): str(value) for name, value in st.session_state.items() if isinstance(value, str | int | float)}
    voted = _newest_vote() not in (None, st.session_state.get(_VOTE))
    return {**url, **set_to, VOTED: "yes" if voted else ""}


def _newest_vote() -> int | None:
    vote = st.session_state.get("label_last")
    return None if vote is None else vote.id


def _words(number: int, stop: Stop, here: bool) -> str:
    done = number in st.session_state.get(_DONE, set())
    act = html.escape(stop.act if here else f"This stop is on the page “{site.page(stop.page).title}”.")
    notice = f'<p class="notice"><b>Notice</b> {html.escape(stop.notice)}</p>' if here else ""
    mark = '<span class="done">✓ done</span> ' if done else ""
    return (
        f'<section aria-label="Tour, stop {number} of {len(STOPS)}"><p role="status">'
        f'<span class="stop">{number} of {len(STOPS)} · {html.escape(stop.title)}</span> {mark}<b>{act}</b></p>'
        f"{notice}</section>"
    )


def _go(here: str, number: int, label: str, icon: str, onward: bool = False) -> None:
    """The way to a stop. To another page a link; on the same page a button, as a link would leave the address alone."""
    page = site.page(STOPS[number - 1].page)
    with st.container(key=f"tour_{'onward' if onward else 'back'}", width="content"):
        if STOPS[number - 1].page == here:
            look: Literal["primary", "tertiary"] = "primary" if onward else "tertiary"
            st.button(label, key=f"tour_to_{number}", type=look, icon=icon, on_click=_turn_to, args=(number,))
        else:
            st.page_link(page, label=label, icon=icon, query_params={"tour": str(number)})


def _turn_to(number: int) -> None:
    st.query_params["tour"] = str(number)


def _end() -> None:
    st.session_state.pop(_AT, None)
    st.query_params.pop("tour", None)

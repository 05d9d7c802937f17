"""Responses for the next votes, written ahead in the background so that nobody waits for one."""

import streamlit as st

from core.errors import PlaygroundError
from core.feedback.own_prompts import OWN, own_prompts_of
from core.feedback.quartets import READING_TEMPERATURE
from core.feedback.store import FeedbackStore
from core.runs import supervisor
from core.runs.jobs import PairsJob
from core.runs.store import Run, RunStore
from pages._parts.run_view import MOVING
from pages._parts.text import escaped
from pages._parts.told import fragment

_LOW = 16  # pairs: fewer waiting, and more are written
_LOW_FOURS = 4
_BATCH = 64  # pairs written at a time


def keep_filled(
    store: FeedbackStore, annotator: str, policy: str, prompts: str, *, wanted: bool, four: bool = False
) -> None:
    """Show how much waits, and have more written when it is little; `wanted`: the page itself waits for one.

    `four`: sets of four are what is waited for, not pairs. After new prompts of one's own, more is written at once.
    """
    if prompts.startswith(OWN) and not own_prompts_of(annotator):
        return
    count = store.waiting_quartets if four else store.waiting
    low = _LOW_FOURS if four else _LOW
    waiting = count(annotator, policy, prompts)
    newest = _newest(policy, prompts)
    idle = newest is None or newest.status == "finished"
    asked = idle and st.session_state.pop("label_write_now", False)
    if idle and (asked or (waiting < low and not _in_vain(newest))):
        try:
            newest = RunStore().get(supervisor.submit(_job(policy, prompts)))
        except PlaygroundError as error:  # a class's limit: what waits can be voted on all the same
            st.caption(escaped(str(error)))
    writing = newest is not None and newest.status in MOVING

    @fragment(run_every=1.0 if writing else None)
    def view() -> None:
        waiting = count(annotator, policy, prompts)
        run = _newest(policy, prompts)
        if (wanted and waiting) or (writing and (run is None or run.status not in MOVING)):
            st.rerun()
        what = ("set of four waits" if waiting == 1 else "sets of four wait") if four else ""
        what = what or ("pair waits" if waiting == 1 else "pairs wait")
        st.caption(f"{waiting} {what} for you" + (", others are being written" if writing else ""))
        if run and (run.status in ("failed", "interrupted", "stopped") or _in_vain(run)) and waiting < low:
            st.warning(
                "The policy wrote nothing that can be compared: the same again and again, or nothing at all."
                if _in_vain(run)
                else escaped(run.error or f"Writing pairs {run.status}.")
            )
            if st.button("Write more pairs", key="write_pairs"):
                _again(policy, prompts)

    view()


def _job(policy: str, prompts: str) -> PairsJob:
    return PairsJob(policy=policy, prompts=prompts, count=_BATCH, temperature=READING_TEMPERATURE)


def _in_vain(run: Run | None) -> bool:
    """Whether it has finished and nothing that it wrote was new."""
    return run is not None and run.status == "finished" and (run.result or {}).get("added") == 0


def _newest(policy: str, prompts: str) -> Run | None:
    """The newest run that wrote, or writes, pairs of this policy and prompt set."""
    return next(iter(RunStore().list("pairs", policy=policy, prompts=prompts)), None)


def _again(policy: str, prompts: str) -> None:
    try:
        supervisor.submit(_job(policy, prompts))
    except PlaygroundError as error:
        st.error(escaped(str(error)))
        return
    st.rerun()

"""Pairs for the next votes, written ahead in the background so that nobody waits for one."""

import streamlit as st

from core.errors import PlaygroundError
from core.feedback.store import FeedbackStore
from core.runs import supervisor
from core.runs.jobs import PairsJob
from core.runs.store import Run, RunStore
from pages._parts.run_view import MOVING
from pages._parts.text import escaped

_LOW = 16  # pairs: fewer waiting, and more are written
_BATCH = 64  # pairs written at a time: one batch of a small policy


def keep_filled(store: FeedbackStore, annotator: str, policy: str, prompts: str, *, wanted: bool) -> None:
    """Show how many pairs wait, and have more written when they are few; `wanted`: the page itself waits for one."""
    waiting = store.waiting(annotator, policy, prompts)
    newest = _newest(policy, prompts)
    if waiting < _LOW and (newest is None or newest.status == "finished"):
        newest = RunStore().get(supervisor.submit(PairsJob(policy=policy, prompts=prompts, count=_BATCH)))
    writing = newest is not None and newest.status in MOVING

    @st.fragment(run_every=1.0 if writing else None)
    def view() -> None:
        waiting = store.waiting(annotator, policy, prompts)
        run = _newest(policy, prompts)
        if (wanted and waiting) or (writing and (run is None or run.status not in MOVING)):
            st.rerun()
        st.caption(f"{waiting} pairs wait for you" + (", others are being written" if writing else ""))
        if run and run.status in ("failed", "interrupted", "stopped") and waiting < _LOW:
            st.warning(escaped(run.error or f"Writing pairs {run.status}."))
            if st.button("Write more pairs", key="write_pairs"):
                _again(policy, prompts)

    view()


def _newest(policy: str, prompts: str) -> Run | None:
    """The newest run that wrote, or writes, pairs of this policy and prompt set."""
    for run in RunStore().list("pairs"):
        if run.config.get("policy") == policy and run.config.get("prompts") == prompts:
            return run
    return None


def _again(policy: str, prompts: str) -> None:
    try:
        supervisor.submit(PairsJob(policy=policy, prompts=prompts, count=_BATCH))
    except PlaygroundError as error:
        st.error(escaped(str(error)))
        return
    st.rerun()

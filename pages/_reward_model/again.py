"""Experiments that learn a run's votes again in the background: start one, watch it, find the newest."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.errors import PlaygroundError
from core.runs import supervisor
from core.runs.jobs import AgainJob
from core.runs.store import Run, RunStore, Step
from pages._parts.run_view import watch
from pages._parts.text import escaped
from pages._reward_model.subject import Subject


def newest(subject: Subject, kind: str) -> Run | None:
    """The newest experiment of this kind on the subject's votes, whatever its state."""
    if subject.run is None:
        return None
    return next((run for run in RunStore().list(kind) if run.config.get("of") == subject.run.id), None)


def finished(subject: Subject, kind: str) -> Run | None:
    """The newest one that has its result."""
    if subject.run is None:
        return None
    done = (run for run in RunStore().list(kind) if run.config.get("of") == subject.run.id and run.result)
    return next(done, None)


def start_button(subject: Subject, label: str, key: str, make: Callable[[str], AgainJob], note: str) -> None:
    """A button that queues what `make(run id)` gives; without a run of one's own it says how to get one."""
    ready = subject.run is not None and subject.folder is not None
    if st.button(label, key=key, icon=":material/play_arrow:", disabled=not ready, type="primary"):
        try:
            supervisor.submit(make(subject.run.id if subject.run else ""))
        except PlaygroundError as error:
            st.error(escaped(str(error)))
            return
        st.rerun()
    st.caption(note if ready else "For your own votes: train a reward model first, under *How good*.")


def watched(run: Run | None, words: Callable[[Sequence[Step]], str]) -> None:
    """The state of an experiment that has not ended, with its buttons and one sentence of `words(steps)`."""
    if run is None or (run.status == "finished" and run.result):
        return

    def draw(now: Run, steps: Sequence[Step]) -> None:
        if steps:
            st.caption(words(steps))

    watch(run.id, draw)

"""A run as it goes: its state, its buttons, and whatever a page draws from its steps, kept up to date in place."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.errors import PlaygroundError
from core.runs import supervisor
from core.runs.jobs import JOBS
from core.runs.pace import may_end_early, seconds_left, seconds_taken
from core.runs.store import Run, RunStore, Step
from pages._parts import site
from pages._parts.pace_words import left_in_words
from pages._parts.text import escaped
from pages._parts.told import fragment

LOOK = 0.8  # seconds between looks at a run at work: a step is to stand on its page within one
MOVING = ("queued", "running")  # what changes by itself, without anybody touching the page
_WORDS = {
    "queued": ":material/hourglass_empty: waiting for its turn",
    "running": ":material/play_arrow: running",
    "paused": ":material/pause: paused",
    "stopped": ":material/stop: stopped",
    "finished": ":material/check: finished",
    "failed": ":material/error: failed",
    "interrupted": ":material/power_off: interrupted",
}


def is_moving(run: Run) -> bool:
    """Whether the run changes by itself: a paused one does too while it has been asked to go on and has not yet."""
    return run.status in MOVING or (run.status == "paused" and run.requested != "pause" and run.pid is not None)


def run_in_url(*kinds: str) -> Run | None:
    """The run that `?run=` names, when it is one of `kinds`. Says so in place when there is no such run."""
    run_id = st.query_params.get("run")
    if not run_id:
        return None
    try:
        run = RunStore().get(run_id)
    except PlaygroundError as error:
        st.warning(escaped(str(error)))
        return None
    # A link to the page one is on already tells the script its parameters and leaves the browser's address without
    # them: the next click would show the example again.
    st.query_params["run"] = run_id
    return run if run.kind in kinds else None


def as_example(claim: str, *kinds: str) -> str:
    """What an example shows, said to be one where the reader has a run of these kinds to mistake it for."""
    return f"Example: {claim}" if _newest(kinds) else claim


def _newest(kinds: tuple[str, ...]) -> Run | None:
    return next((run for run in RunStore().list() if run.kind in kinds), None)


def offer_own(page: str, *kinds: str) -> None:
    """On a page that shows an example: the way to the reader's own newest run of these kinds, if there is one."""
    run = _newest(kinds)
    if run is not None:
        label = f"This is an example. Yours, {run.status}: **{escaped(run.name)}**"
        st.page_link(site.page(page), label=label, icon=":material/person:", query_params={"run": run.id})


def watch(run_id: str, draw: Callable[[Run, Sequence[Step]], None], heard: bool = False) -> None:
    """Status and buttons of the run, then `draw(run, steps)`, in place again every `LOOK` seconds while the run moves.

    `heard`: what is done in the drawing of a run that has ended concerns the rest of the page too.

    Only this part of the page runs again, so nobody loses what they are typing. When the run begins, and when it ends,
    the whole page runs once more, to show what only a run at work or an ended one has.
    """
    at_first = RunStore().get(run_id)
    moving = is_moving(at_first)

    def view() -> None:
        store = RunStore()
        run = store.get(run_id)
        steps = store.steps(run_id)
        _status(run, steps)
        draw(run, steps)
        begun = at_first.status == "queued" != run.status
        if begun or (moving and not is_moving(run)):
            st.rerun()

    (view if heard and not moving else fragment(run_every=LOOK if moving else None)(view))()


def _status(run: Run, steps: Sequence[Step]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="run_status"):
        st.markdown(f"**{_WORDS[run.status]}** {_progress(run, steps)}", width="stretch")
        run_buttons(run)
    if run.status in MOVING:
        st.progress(min(1.0, run.step / run.total) if run.total else 0.0)
    if run.error:
        st.error(escaped(run.error))


def _progress(run: Run, steps: Sequence[Step]) -> str:
    words = [f"`{run.id}`"]
    if run.total:
        before_all = "writing the pairs to learn from: " if run.stage == "preferences" else ""
        words.append(f"{before_all}step {run.step} of {run.total}")
    if run.started:
        words.append(f"{seconds_taken(run):.0f} s")
    if (left := seconds_left(run, steps)) is not None:
        words.append(left_in_words(left, at_most=may_end_early(run)))
    if run.status == "queued" and (before := _waited_for(run)):
        words.append(f"one run trains at a time: {before}")
    return " · ".join(words)


def _waited_for(run: Run) -> str:
    """What stands before a run that is queued, in words; empty when nothing does."""
    known = [one for one in RunStore().list() if one.kind in JOBS and JOBS[one.kind].queued]
    running = [one.id for one in known if one.status == "running"]
    earlier = sum(one.status == "queued" and one.created < run.created for one in known)
    words = [f"`{running[0]}` is at it"] if running else []
    return ", then ".join([*words, *([f"{earlier} more before this one"] if earlier else [])])


def run_buttons(run: Run) -> None:
    """Pause, step, resume and stop: those that make sense now."""
    if run.requested and run.status in (*MOVING, "paused") and (run.requested, run.status) != ("pause", "paused"):
        st.caption(f"{run.requested} asked: takes hold at the next step", width="content")
    elif run.status in MOVING:
        _button("Pause", "pause", supervisor.pause, run)
        _button("Stop", "stop", supervisor.stop, run)
    elif run.status == "paused":
        _button("Step", "skip_next", supervisor.step, run)
        _button("Resume", "play_arrow", supervisor.resume, run)
        _button("Stop", "stop", supervisor.stop, run)
    elif run.status in ("stopped", "interrupted", "failed"):
        _button("Resume", "play_arrow", supervisor.resume, run)


def _button(label: str, icon: str, act: Callable[[str], object], run: Run) -> None:
    if st.button(label, icon=f":material/{icon}:", key=f"run_{label.lower()}"):
        try:
            act(run.id)
        except PlaygroundError as error:
            st.error(escaped(str(error)))
            return
        st.rerun()

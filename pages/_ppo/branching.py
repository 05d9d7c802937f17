"""Going on from an earlier point of a run, otherwise: a new run that shares its past."""

import streamlit as st

from core.errors import PlaygroundError
from core.runs import supervisor
from core.runs.branching import branch_points, origin_of
from core.runs.store import Run, RunStore
from pages._parts.series import rows_of
from pages._parts.text import escaped
from pages._ppo.steering import FIELDS, current


def branch_button(run: Run) -> None:
    """A popover: from where, with which β and rate. Starting goes to the new run, with its origin laid beside it."""
    points = branch_points(run)
    if not points:
        return
    steps = {step.number: step for step in RunStore().steps(run.id)}
    labels = {
        number: f"update {step.step}" if (step := steps.get(number)) and step.stage == "ppo" else f"step {number}"
        for number in points
    }
    with st.popover("Branch from a checkpoint", icon=":material/fork_right:", key="branch_open"):
        st.caption("A new run with the same past. Without a change it retraces this one, bit for bit.")
        key = f"branch_at_{run.id}"
        _follow_newest(key, points[-1])
        at = st.selectbox("Go on after", points[::-1], format_func=labels.__getitem__, key=key)
        rows = rows_of((step for number, step in steps.items() if number <= at), "ppo")
        wanted = {}
        for field, (label, metric, form, step) in FIELDS.items():
            before = current(run, rows, field, metric)
            value = st.number_input(
                label, min_value=0.0, value=before, step=step, format=form, key=f"branch_{field}_{run.id}_{at}"
            )
            if value != before:
                wanted[field] = value
        if st.button("Start the branch", type="primary", icon=":material/fork_right:", key="branch_start"):
            try:
                new = supervisor.branch(run.id, at, wanted)
            except PlaygroundError as error:
                st.error(escaped(str(error)))
                return
            st.query_params.from_dict({"run": new, "ppo_with": [run.id]})
            st.rerun()


def _follow_newest(key: str, newest: int) -> None:
    """Where the newest checkpoint is chosen it stays the newest, and what a reader chose stays."""
    if key in st.session_state and st.session_state[key] == st.session_state.get(f"{key}_newest"):
        st.session_state[key] = newest
    st.session_state[f"{key}_newest"] = newest


def origin(run: Run) -> None:
    """Where this run was branched off, if it was."""
    found = origin_of(run)
    if found:
        st.caption(f"Branched from `{found.run}` after its step {found.step}: the curves before it are shared.")

"""An experiment's findings: those of the reader's run in the URL, or the cached ones; and computing it again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import PlaygroundError
from core.gallery import load_entry
from core.runs import supervisor
from core.runs.job import Job
from core.runs.store import Run, Step
from pages._parts.badge import badge
from pages._parts.run_view import is_moving, run_in_url, watch
from pages._parts.text import escaped


@dataclass(frozen=True)
class Found:
    """What an experiment found, and what it was asked."""

    config: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]]
    data: Mapping[str, Any]  # what the cached entry holds besides
    run: str  # id of the reader's run, "" for the cached result

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        """The findings of one kind, in the order they were made."""
        return [one for one in self.findings if one["kind"] == kind]

    def badge(self, note: str = "") -> None:
        """Where the numbers come from; of several seeds they are the mean."""
        first, count = int(self.config.get("seed", 0)), int(self.config.get("seeds", 1))
        if count > 1:
            note = f"mean of seeds {', '.join(map(str, range(first, first + count)))} · {note}"
        badge(
            "live" if self.run else "cached",
            model=str(self.config.get("model", "")),
            seed=self.config.get("seed") if count == 1 else None,
            run=self.run,
            note=note or str(self.data.get("command", "")),
        )


def found(kind: str, entry_name: str = "") -> Found | None:
    """The finished run that the URL names, else the cached experiment, else None.

    `entry_name`: the gallery's entry, where it is not called like the kind of run.
    """
    run = run_in_url(kind)
    if run and run.result:
        return Found(run.config, run.result["findings"], {}, run.id)
    entry = load_entry(entry_name or kind)
    if entry is None:
        return None
    extra = {name: value for name, value in entry["data"].items() if name != "findings"}
    return Found(entry["key"], entry["data"]["findings"], extra | {"command": entry["command"]}, "")


def again(kind: str, make: Callable[[], Job], cost: str) -> None:
    """The button that computes it again in the background, and the run of it while there is one."""
    run = run_in_url(kind)
    if run is None:
        if st.button("Compute it again", icon=":material/replay:", key=f"{kind}_again", help=cost):
            try:
                st.query_params["run"] = supervisor.submit(make())
            except PlaygroundError as error:
                st.error(escaped(str(error)))
                return
            st.rerun()
        return
    if is_moving(run) or not run.result:
        watch(run.id, _progress)
    if st.button("Back to the cached result", icon=":material/undo:", key=f"{kind}_back", width="stretch"):
        st.query_params.pop("run", None)
        st.rerun()


def _progress(run: Run, steps: Sequence[Step]) -> None:
    if steps:
        cell, cells = (int(steps[-1].metrics.get(name) or 0) for name in ("cell", "cells"))
        st.caption(f"Part {cell} of {cells}: {steps[-1].stage}. The cached result stands beside it until it is done.")


def missing(kind: str) -> None:
    """What is said where nothing was computed yet."""
    st.info(f"Nothing has been computed yet: press the button, or run `python -m core gallery --only {kind}`.")

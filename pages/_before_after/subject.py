"""Whose before and after: a run of the reader's, looked back over in the background, or the cached example."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import PlaygroundError
from core.gallery import load_entry
from core.runs import supervisor
from core.runs.looked import checkpoints_of, newest_look
from core.runs.looking_job import LookBackJob
from core.runs.store import Run, RunStore, Step
from pages._parts.badge import badge
from pages._parts.run_view import MOVING, watch
from pages._parts.text import escaped
from pages._parts.voters import voter_title

CACHED = "cached example"
BEFORE_AFTER = "before_after"  # the gallery's entry
Checkpoint = Mapping[str, Any]
"""`update`, `specimen` (of a run) and `rows`, as core.runs.looked gives them."""


@dataclass(frozen=True)
class Subject:
    """One tuned policy and what it wrote on its way."""

    run: Run | None  # None: the gallery's
    checkpoints: Sequence[Checkpoint]  # the reference first
    looked: Run | None = None

    @property
    def entry(self) -> Mapping[str, Any] | None:
        """The gallery's data; None for a run."""
        found = load_entry(BEFORE_AFTER) if self.run is None else None
        return found["data"] if found else None

    @property
    def config(self) -> Mapping[str, Any]:
        """Of the loop behind it."""
        if self.run:
            return self.run.config
        found = load_entry(BEFORE_AFTER)
        return found["key"]["config"] if found else {}

    @property
    def id(self) -> str:
        """What blind votes are filed under."""
        return self.run.id if self.run else "gallery"

    @property
    def model(self) -> str:
        """The reference."""
        return str(self.config.get("model") or "storyteller")

    @property
    def voter(self) -> str:
        """What to call whose taste the gold is; empty where it is not known."""
        from core.feedback.annotators import get_annotator

        name = self.config.get("annotator") or self.config.get("gold")
        return get_annotator(str(name)).title if name else ""

    @property
    def seed(self) -> int:
        """Of the held-out responses."""
        if self.looked:
            return int(self.looked.config["seed"])
        return int(self.entry["seed"]) if self.entry else LookBackJob.over("", dict(self.config)).seed

    @property
    def temperature(self) -> float:
        """At which all of them were written."""
        return float(self.config.get("ppo", {}).get("temperature", 1.0))

    @property
    def length(self) -> int:
        """Longest response, in tokens."""
        return int(self.config.get("ppo", {}).get("max_new_tokens", 32))

    @property
    def trained_with(self) -> int:
        """Seed of the run itself."""
        return int(self.config.get("seed", self.config.get("ppo", {}).get("seed", 0)))

    def badge(self, note: str = "") -> None:
        """Where the figure above comes from."""
        notes = [note, f"texts drawn with seed {self.seed}"]
        if self.run:
            notes += [f"look back {self.looked.id}"] if self.looked else []
            badge("live", model=self.model, seed=self.trained_with, run=self.run.id, note=_joined(notes))
        elif entry := load_entry(BEFORE_AFTER):
            notes += [f"{self.config['pairs']:,} votes of {voter_title(self.config['annotator'])}", entry["command"]]
            badge("cached", model=entry["model"], seed=self.trained_with, note=_joined(notes))


def _joined(notes: Sequence[str]) -> str:
    return " · ".join(note for note in notes if note)


def choose_subject() -> Subject:
    """The widget (`?run=`), and all that is known of what it names. Has a finished run looked back over."""
    runs = {run.id: run for run in RunStore().list() if run.kind in ("ppo", "loop")}
    asked = st.query_params.get("run")
    if asked and asked not in runs and asked != CACHED:
        st.warning(f"There is no PPO or loop run {escaped(asked)}: here is the cached example.")
    chosen = st.selectbox(
        "Run",
        [CACHED, *runs],
        key="run",
        bind="query-params",
        help="A run that tuned a policy, or the example that came with the program.",
    )
    run = runs.get(chosen)
    if run is None:
        entry = load_entry(BEFORE_AFTER)
        return Subject(None, entry["data"]["checkpoints"] if entry else ())
    looked = newest_look(RunStore(), run.id)
    if looked is None and run.status == "finished":
        looked = _look(run)
    seen = len(RunStore().steps(looked.id)) if looked else 0
    return Subject(run, _checkpoints(looked.id, seen) if looked and seen else (), looked)


def looking(subject: Subject) -> None:
    """What a person waits for, while there is something to wait for."""
    run, looked = subject.run, subject.looked
    if run is None:
        return
    if run.status in MOVING:
        st.info("This run is still at work. When it has finished, its checkpoints are looked back over by themselves.")
    elif looked is None:
        st.info("This run has not finished; what it has kept so far can be looked back over.")
        if st.button("Look back over its checkpoints", icon=":material/history:", key="look"):
            _look(run)
            st.rerun()
    elif looked.status != "finished":
        st.markdown("**Every checkpoint answers the same held-out prompts now**, in the background.")
        watch(looked.id, _count)


def _count(looked: Run, steps: Sequence[Step]) -> None:
    st.caption(f"{len(steps)} of {looked.total or '?'} checkpoints have answered.")


def _look(run: Run) -> Run | None:
    try:
        return RunStore().get(supervisor.submit(LookBackJob.over(run.id, run.config)))
    except PlaygroundError as error:
        st.error(escaped(str(error)))
        return None


@st.cache_data(max_entries=4, show_spinner=False)
def _checkpoints(looked: str, seen: int) -> list[dict[str, Any]]:
    """`seen` makes a look back that went on be read anew."""
    store = RunStore()
    return list(checkpoints_of(store, store.get(looked)))

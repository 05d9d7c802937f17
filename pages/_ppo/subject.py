"""What the page shows: a run as it stands, or, before anything has run, the gallery's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.alignment.ppo_reading.curve_bands import Band, band_from
from core.gallery import load_entry
from core.record import WATCHED
from core.runs.store import Run, RunStore, Step
from pages._parts.badge import badge
from pages._parts.run_view import MOVING
from pages._parts.series import Row, rows_of, values_of
from pages._parts.voters import voter_title


@dataclass(frozen=True)
class Subject:
    """One PPO run to be looked at."""

    name: str  # the run's id, or "gallery"
    rows: Sequence[Row]
    ppo: Mapping[str, Any]  # its PPOConfig, as stored
    run: Run | None = None
    entry: Mapping[str, Any] | None = None
    numbers: Mapping[int, int] = field(default_factory=dict)  # update -> its number over the whole run

    @property
    def moving(self) -> bool:
        """Whether it changes by itself."""
        return self.run is not None and self.run.status in MOVING

    @property
    def responses(self) -> int | None:
        """An update's."""
        return self.ppo.get("rollout_batch")

    def curves(self) -> dict[str, list[float]]:
        """Metric -> its values, in order of the updates."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return {name: values_of(self.rows, name) for name in names}

    def wear_badge(self) -> None:
        """Where these numbers come from."""
        if self.entry:
            note = f"{voter_title(self.entry['annotator'])} voted · {self.entry['command']}"
            badge("cached", model=self.entry["model"], seed=self.entry["seed"], note=note)
        elif self.run:
            model, beta = str(self.run.config.get("model", "")), self.ppo.get("kl_coef")
            changed = any(row.get("kl_coef") not in (None, beta) for row in self.rows)
            note = f"β = {beta}" + (" at first" if changed else "")
            badge("live", model=model, seed=self.ppo.get("seed"), run=self.run.id, note=note)


def of_run(run: Run, steps: Sequence[Step]) -> Subject:
    """The PPO stage of a run."""
    ppo = run.config.get("ppo", {})
    seed = run.config.get("seed", ppo.get("seed"))  # a whole loop's seed is everything's
    numbers = {step.step: step.number for step in steps if step.stage == "ppo"}
    return Subject(run.id, rows_of(steps, "ppo"), {**ppo, "seed": seed}, run=run, numbers=numbers)


def of_gallery() -> Subject | None:
    """The gallery's loop, or None where it has not been computed."""
    entry = load_entry("loop")
    return Subject("gallery", entry["curves"]["ppo"], entry["config"]["ppo"], entry=entry) if entry else None


def named(name: str) -> Subject | None:
    """The subject called `name`: "gallery" or a run's id."""
    if name == "gallery":
        return of_gallery()
    store = RunStore()
    known = {run.id: run for run in comparable()}
    return of_run(known[name], store.steps(name)) if name in known else None


def comparable() -> list[Run]:
    """The runs whose PPO curves can be laid beside each other, newest first."""
    return [run for run in RunStore().list() if run.kind in ("ppo", "loop") and run.step]


def bands() -> dict[str, Band]:
    """Metric -> the range of the default runs; empty where it has not been measured."""
    entry = load_entry("ppo_bands")
    if not entry:
        return {}
    runs = len(entry["key"]["seeds"])
    return {name: band for name, row in entry["data"]["bands"].items() if (band := band_from(row, runs))}


def watched_of(subject: Subject) -> tuple[list[dict[str, Any]], bool]:
    """The watched prompts' answers in order, and whether they are the gallery's, of another run than the curves."""
    if subject.run:
        return RunStore().samples_of_kind(subject.run.id, WATCHED), False
    entry = load_entry("ppo_bands")
    return (list(entry["data"]["watched"]), True) if entry else ([], False)


def chosen_update(subject: Subject, key: str = "ppo_update") -> int:
    """The place in `rows` of the update to look into: the newest while the run moves, and any other afterwards."""
    last = len(subject.rows) - 1
    if subject.moving or last < 1:
        st.caption("The newest update. Pause the run, or wait for its end, to look into the others.")
        return last
    updates = [int(row["step"] or 0) for row in subject.rows]
    wanted = st.query_params.get(key, "")
    start = int(wanted) if wanted.isdecimal() and int(wanted) in updates else updates[-1]
    picked = st.select_slider("Update", updates, start, key=f"{key}_{subject.name}_{last}")
    st.query_params[key] = str(picked)
    return updates.index(picked)

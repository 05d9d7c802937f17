"""Where the slides come from: the gallery, or the rollouts that a run kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.alignment.ppo_reading.slides import Slide, from_json, load_rollout, make_slide
from core.errors import PlaygroundError
from core.gallery import load_entry
from core.runs.shelf import removed, rollout_files
from core.runs.store import Run, RunStore
from pages._parts.badge import badge
from pages._parts.voters import voter_title

GALLERY = "gallery"
KINDS = ("ppo", "loop")


@dataclass(frozen=True)
class Source:
    """A run, or None for the gallery; and the updates that can be looked at, each with where it lies."""

    run: Run | None
    updates: Mapping[int, int]  # update -> number of the step, or place in the gallery's entry

    def slide(self, update: int) -> Slide:
        """Raises PlaygroundError when the rollout cannot be opened."""
        if self.run is None:
            entry = load_entry("microscope") or {}
            return from_json(_updates()[self.updates[update]], entry["key"]["ppo"])
        number = self.updates[update]
        file = rollout_files(self.run.folder).get(number)
        if file is None:
            raise PlaygroundError(f"The rollout of update {update} had to make room for newer ones.")
        return _of_run(self.run.id, number, update, str(file), file.stat().st_mtime_ns)

    def badge(self, slide: Slide) -> None:
        """Where the picture comes from."""
        facts = slide.facts
        shown = f"{len(slide.numbers)} of its {facts.responses} responses" if self.run is None else ""
        note = f"update {slide.update} · β = {slide.kl_coef:g}" + (f" · {shown}" if shown else "")
        if self.run is None:
            entry = load_entry("microscope") or {}
            key = entry["key"]
            made = f"{note} · {voter_title(key['annotator'])} voted · {entry['command']}"
            badge("cached", model=entry["model"], seed=key["seed"], note=made)
        else:
            model, seed = str(self.run.config.get("model", "")), slide.config.get("seed")
            badge("live", model=model, seed=seed, run=self.run.id, note=note)

    def missing(self) -> int:
        """How many rollouts and weights of the run had to make room."""
        return removed(self.run.folder) if self.run else 0


def runs_with_rollouts() -> list[Run]:
    """Newest first."""
    return [run for run in RunStore().list() if run.kind in KINDS and rollout_files(run.folder)]


def source_of(run: Run | None) -> Source:
    """What there is to look at; no updates where nothing was kept."""
    if run is None:
        return Source(None, {update["update"]: place for place, update in enumerate(_updates())})
    kept = rollout_files(run.folder)
    steps = RunStore().steps(run.id)
    return Source(run, {step.step: step.number for step in steps if step.stage == "ppo" and step.number in kept})


def _updates() -> Sequence[Mapping[str, Any]]:
    entry = load_entry("microscope")
    return entry["data"]["updates"] if entry else []


@st.cache_resource(max_entries=16, show_spinner=False)
def _of_run(run_id: str, number: int, update: int, file: str, written: int) -> Slide:
    """`written` makes a rollout that was written anew, by a run that was resumed, be read anew."""
    store = RunStore()
    run = store.get(run_id)
    metrics = store.steps(run_id, after=number - 1)[0].metrics
    config = run.job.model_dump(mode="json")["ppo"]
    if run.kind == "loop":
        config = config | {"seed": run.config["seed"]}
    return make_slide(load_rollout(Path(file)), config, update, metrics, _tokenizer(str(run.config["model"])))


@st.cache_resource(max_entries=3, show_spinner=False)
def _tokenizer(model: str) -> Any:
    from core.language.light_tokenizer import light_tokenizer

    return light_tokenizer(model)

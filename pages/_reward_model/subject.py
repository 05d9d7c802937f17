"""Which reward model the page is about: a run's own, or the gallery's while nothing has run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.alignment.configs import RewardConfig
from core.alignment.cross_examination.run_pairs import reward_config_of
from core.gallery import load_entry
from core.runs.store import Run
from pages._parts.badge import badge
from pages._parts.run_view import MOVING
from pages._parts.voters import voter_title


@dataclass(frozen=True)
class Subject:
    """The run whose reward model is looked at; None: the gallery's."""

    run: Run | None

    @property
    def cached(self) -> bool:
        """Whether everything comes from the gallery."""
        return self.run is None

    @property
    def moving(self) -> bool:
        """Whether it is being trained now."""
        return self.run is not None and self.run.status in MOVING

    @property
    def folder(self) -> Path | None:
        """Where its weights are, once it is trained."""
        folder = self.run.folder / "reward_model" if self.run else None
        return folder if folder and (folder / "config.json").exists() else None

    @property
    def reward(self) -> RewardConfig:
        """Its settings."""
        return reward_config_of(self.run.config if self.run else {})

    @property
    def model(self) -> str:
        """The policy whose trunk it began as."""
        return str(self.run.config.get("model", "")) if self.run else "storyteller"

    def entry(self, name: str) -> Mapping[str, Any] | None:
        """A cached view of the gallery's reward model; None for a run, or where none was computed."""
        entry = load_entry(name) if self.cached else None
        return entry["data"] if entry else None

    def badge(self, name: str, note: str = "") -> None:
        """Where the figure above comes from: live for a run, else the gallery's entry `name`."""
        if self.run:
            badge("live", model=self.model, seed=self.reward.seed, run=self.run.id, note=note)
        elif entry := load_entry(name):
            about = entry["key"]
            made = f"{about['pairs']:,} votes of {voter_title(about['annotator'])} · {entry['command']}"
            badge("cached", model=entry["model"], seed=about["seed"], note=f"{note} · {made}" if note else made)

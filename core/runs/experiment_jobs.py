"""Experiments as runs: hours of small trainings, resumable, for the pages that compare them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import override

from core.alignment.experiments.configs import ClinicConfig, FrontierConfig, GoodhartConfig, TastesConfig
from core.record import Controls, Record
from core.runs.job import Job


class GoodhartJob(Job, GoodhartConfig):
    """Over-optimisation against reward models of few and many votes; leaves the reward models and its findings."""

    kind: ClassVar[str] = "goodhart"

    @property
    @override
    def title(self) -> str:
        return f"Over-optimisation of {Path(self.model).name} for {self.annotator}"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.alignment.experiments.goodhart import run_goodhart

        return run_goodhart(self, folder, state, controls)


class FrontierJob(Job, FrontierConfig):
    """PPO, RLOO, GRPO, DPO and best of n on one reward–KL plane; leaves the reward models and its findings."""

    kind: ClassVar[str] = "frontier"

    @property
    @override
    def title(self) -> str:
        return f"Methods compared on {Path(self.model).name} for {self.annotator}"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.alignment.experiments.frontier import run_frontier

        return run_frontier(self, folder, state, controls)


class ClinicJob(Job, ClinicConfig):
    """PPO with each of ten mistakes, beside a healthy run; leaves the reward model and its findings."""

    kind: ClassVar[str] = "clinic"

    @property
    @override
    def title(self) -> str:
        return f"Clinic: {', '.join(self.failures) or 'all failures'}"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.alignment.experiments.clinic import run_clinic

        return run_clinic(self, folder, state, controls)


class TastesJob(Job, TastesConfig):
    """Two opposed annotators under one scalar reward; leaves the reward models and its findings."""

    kind: ClassVar[str] = "tastes"

    @property
    @override
    def title(self) -> str:
        return f"Two opposed tastes: {self.annotator} and the opposite"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.alignment.experiments.tastes import run_tastes

        return run_tastes(self, folder, state, controls)

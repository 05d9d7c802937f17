"""What a run can do: each job is a config whose `records` is a trainer. Importing this costs nothing: no torch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from core.config import Config
from core.errors import PlaygroundError
from core.record import Controls, Record


class Job(Config):
    """One kind of run. The fields are all that a run is made of: they are stored, and make the same job again."""

    kind: ClassVar[str]
    queued: ClassVar[bool] = True  # whether it takes its turn: one queued job trains at a time
    adjustable: ClassVar[frozenset[str]] = frozenset()  # fields that a person may change while it runs

    @property
    def title(self) -> str:
        """What a list of runs calls it."""
        raise NotImplementedError

    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        """Do the work, yielding a record an update.

        `folder` is where results go. `state` is what an earlier record's `state()` gave (None: from the beginning): the
        records that follow are then those that followed it. `controls` is asked at the start of every update.
        """
        raise NotImplementedError


JOBS: dict[str, type[Job]] = {}


def job_from(kind: str, config: dict[str, Any]) -> Job:
    """The job that a run's row describes. Raises PlaygroundError for an unknown kind or a field out of bounds."""
    if kind not in JOBS:
        raise PlaygroundError(f"There is no job called {kind!r}; there are: {', '.join(sorted(JOBS))}.")
    return JOBS[kind].checked(**config)

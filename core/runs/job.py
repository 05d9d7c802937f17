"""What every job is: a config that makes a run, and a trainer."""

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
    together: ClassVar[bool] = False  # whether several processes can train it, each a share of the rows
    adjustable: ClassVar[frozenset[str]] = frozenset()  # fields that a person may change while it runs

    @property
    def for_all(self) -> bool:
        """Whether what it makes is everybody's, where a class shares the server."""
        return False

    @property
    def title(self) -> str:
        """What a list of runs calls it."""
        raise NotImplementedError

    def check_change(self, field: str, value: float) -> None:
        """Raises PlaygroundError when the field cannot be changed while it runs, or `value` is out of its bounds."""
        if field not in self.adjustable:
            known = ", ".join(sorted(self.adjustable)) or "none"
            raise PlaygroundError(f"{field!r} cannot be changed while a {self.kind} run goes on; what can: {known}.")
        for config in _configs(self):
            if field in type(config).model_fields:
                type(config).checked(**{**dict(config), field: value})

    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        """Do the work, yielding a record an update.

        `folder` is where results go. `state` is what an earlier record's `state()` gave (None: from the beginning): the
        records that follow are then those that followed it. `controls` is asked at the start of every update.
        """
        raise NotImplementedError


def _configs(config: Config) -> Iterator[Config]:
    """The config and those that it is made of."""
    yield config
    for _, value in config:
        if isinstance(value, Config):
            yield from _configs(value)

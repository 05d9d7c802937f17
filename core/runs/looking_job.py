"""The job that looks back over a finished run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field
from typing_extensions import override

from core.record import Controls, Record
from core.runs.job import Job


class LookBackJob(Job):
    """The same held-out prompts at every checkpoint that a run has kept; leaves its figures and texts in the store."""

    kind: ClassVar[str] = "look-back"

    of: str = Field(description="id of the PPO or loop run that is looked back over")
    count: int = Field(128, ge=4, le=2000, description="held-out prompts answered, in turn when there are fewer")
    seed: int = Field(1_000_003, ge=0, le=2**31 - 1, description="fixes the responses; of every checkpoint the same")

    @property
    @override
    def title(self) -> str:
        return f"Looking back over {self.of}"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.runs.looking_source import look_back_of_run

        return look_back_of_run(self, state)

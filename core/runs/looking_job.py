"""The job that looks back over a finished run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field
from typing_extensions import override

from core.alignment.configs import is_large, measuring_seed
from core.record import Controls, Record
from core.runs.job import Job


class LookBackJob(Job):
    """The same held-out prompts at every checkpoint that a run has kept; leaves its figures and texts in the store."""

    kind: ClassVar[str] = "look-back"

    of: str = Field(description="id of the PPO or loop run that is looked back over")
    count: int = Field(128, ge=4, le=2000, description="held-out prompts answered, in turn when there are fewer")
    seed: int = Field(
        measuring_seed(0), ge=0, le=2**31 - 1, description="fixes the responses; of every checkpoint the same"
    )

    @classmethod
    def over(cls, run_id: str, config: dict[str, Any]) -> Self:
        """Of the run with that id and config: the texts of a loop's own measurement, and fewer of a large policy."""
        seed = config.get("seed", config.get("ppo", {}).get("seed", 0))
        few = is_large(str(config.get("model", "storyteller")))
        return cls.checked(of=run_id, seed=measuring_seed(int(seed)), count=32 if few else 128)

    @property
    @override
    def title(self) -> str:
        return f"Looking back over {self.of}"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.runs.looking_source import look_back_of_run

        return look_back_of_run(self, state)

"""What a trainer yields: one record an update. Trainers know nothing of processes, databases or screens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

Controls = Callable[[int], Mapping[str, float]]
"""Asked once at the start of every update, with its number: the fields to change from this update on."""


WATCHED = "watched"
"""The `kind` of samples that answer the same prompts from the same random numbers, update after update."""

PAIR = "pair"
"""The `kind` of samples that are two responses to one prompt, to be compared: {prompt, left, right}."""

LEARNT = "learnt"
"""The `kind` of samples that are a compared pair as a reward model's step met it, with both scores and its loss:
{prompt, chosen, rejected, score_chosen, score_rejected, loss}."""


@dataclass(frozen=True)
class Record:
    """One update: numbers, texts, and what is needed to start again right behind it."""

    step: int  # counts from 1 within its stage
    metrics: dict[str, float]
    stage: (
        str  # of a run of several: "preferences", "reward", "ppo", "evaluation"; else what trains: "dpo", "pretrain", …
    )
    total: int = 0  # steps the stage will take, 0 when unknown
    samples: list[dict[str, Any]] = field(default_factory=list)  # {prompt, response, score, kl, …} to show
    rollout: dict[str, Any] | None = None  # name -> tensor, [rows, tokens] each: every number behind the metrics
    state: Callable[[], dict[str, Any]] | None = (
        None  # weights, optimiser, random state, position: only asked when saved
    )
    snapshot: Callable[[Path], None] | None = None  # writes the weights alone into a folder, for looking back
    result: dict[str, Any] | None = None  # on the last record: the run's outcome

    def within(self, stage: str, **more: Any) -> Self:
        """This record of a run of several stages: its state also says the stage it belongs to, and `more`."""
        inner = self.state
        return replace(self, state=inner and (lambda: {"stage": stage, "of": inner(), **more}))


def no_controls(update: int) -> Mapping[str, float]:
    """Nothing changes."""
    return {}

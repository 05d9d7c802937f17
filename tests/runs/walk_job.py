"""A job small enough to be killed a hundred times: a random walk with momentum in two stages.

Its curve depends on everything that a resumed run must bring back: state, seed, and changes on the way. As a script it is
the worker of this job: `python walk_job.py RUN_ID`.
"""

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from core.config import Config
from core.errors import PlaygroundError
from core.record import Controls, Record
from core.runs.job import Job
from core.runs.jobs import JOBS


class Pace(Config):
    learning_rate: float = Field(0.1, gt=0, le=10, description="how far a step goes")


class WalkJob(Job):
    kind: ClassVar[str] = "walk"
    adjustable: ClassVar[frozenset[str]] = frozenset({"learning_rate"})

    warm: int = Field(5, ge=0, description="steps of the first stage, which asks for no changes")
    steps: int = Field(20, ge=0, description="steps of the second stage")
    seconds: float = Field(0.0, ge=0, description="how long a step takes")
    seed: int = Field(0, description="fixes the walk")
    pace: Pace = Pace()
    saved: bool = Field(True, description="whether it can be saved; where not, its worker starts fast, without torch")
    fail_at: int = Field(0, description="step of the second stage that fails (0: none)")
    fail_with: str = Field("", description="the failure: a key of FAILURES")

    @property
    def title(self) -> str:
        return f"A walk of {self.warm} + {self.steps} steps"

    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        now = state or {
            "stage": "warm",
            "step": 0,
            "at": 0.0,
            "velocity": 0.0,
            "learning_rate": self.pace.learning_rate,
        }
        while True:
            now = dict(now)
            if now["stage"] == "warm" and now["step"] >= self.warm:
                now.update(stage="walk", step=0)
            if now["stage"] == "walk" and now["step"] >= self.steps:
                return
            now["step"] += 1
            if now["stage"] == "walk":
                now.update(controls(now["step"]))
                if now["step"] == self.fail_at:
                    raise FAILURES[self.fail_with]
            noise = random.Random(f"{self.seed} {now['stage']} {now['step']}").gauss(0, 1)
            now["velocity"] = 0.9 * now["velocity"] + noise
            now["at"] += now["learning_rate"] * now["velocity"]
            time.sleep(self.seconds)
            last = now["stage"] == "walk" and now["step"] == self.steps
            if last:
                (folder / "walked").mkdir(exist_ok=True)
                (folder / "walked" / "at.txt").write_text(repr(now["at"]))
            yield Record(
                step=now["step"],
                stage=now["stage"],
                total=self.warm if now["stage"] == "warm" else self.steps,
                metrics={"at": now["at"], "velocity": now["velocity"], "learning_rate": now["learning_rate"]},
                samples=[{"at": now["at"]}] if now["step"] % 2 == 0 else [],
                state=(lambda now=now: now) if self.saved else None,
                result={"at": now["at"]} if last else None,
            )


class SideJob(WalkJob):
    kind: ClassVar[str] = "side"
    queued: ClassVar[bool] = False


PanicException = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})  # as Rust's are
FAILURES = {
    "person": PlaygroundError("The reward model lives in another vocabulary: train it on this policy."),
    "memory": MemoryError(),
    "panic": PanicException("Onig: retry-limit-in-match over"),
    "torch memory": RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
    "nan": FloatingPointError("the loss is nan at update 3"),
    "disk": OSError(28, "No space left on device"),
    "defect": KeyError("logprobs"),
}

JOBS["walk"] = WalkJob
JOBS["side"] = SideJob

if __name__ == "__main__":
    from core.runs import worker

    sys.exit(worker.main(*sys.argv[1:]))

"""What a surface run draws: the reward model that another run trained, found in the store."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.alignment.cross_examination.run_pairs import read_run_pairs, reward_config_of
from core.alignment.loss_surface.surface_run import Kept, Trained, run_surface
from core.errors import PlaygroundError
from core.record import Record
from core.runs.shelf import weight_folders
from core.runs.store import RunStore

if TYPE_CHECKING:
    from core.runs.jobs import SurfaceJob


def surface_of_run(job: "SurfaceJob", folder: Path, state: dict[str, Any] | None) -> Iterator[Record]:
    """Draw the reward model of the run that `job` names. Raises PlaygroundError when it has none to draw."""
    return run_surface(job, trained_by(job.run), folder, state)


def trained_by(run_id: str) -> Trained:
    """The reward training of the run `run_id`, and the weights it kept. Raises PlaygroundError where there is none."""
    store = RunStore()
    run = store.get(run_id)
    if run.kind not in ("reward", "loop"):
        raise PlaygroundError(f"{run_id} trained no reward model: it is a {run.kind} run")
    steps = {step.number: step for step in store.steps(run_id) if step.stage == "reward"}
    kept = [
        Kept(steps[number].step, weights, steps[number].metrics.get("probe/loss"))
        for number, weights in weight_folders(run.folder).items()
        if number in steps
    ]
    went_to = kept[-1].step if kept else 0
    if kept and (best := int(max(steps.items())[1].metrics.get("best_step") or 0)):
        # the last weights kept are those of the best measurement, which early stopping put back
        kept = [*(one for one in kept[:-1] if one.step < best), replace(kept[-1], step=best)]
    pairs = [one.pair for one in read_run_pairs(run.folder)]
    return Trained(str(run.config["model"]), reward_config_of(run.config), pairs, kept, went_to)

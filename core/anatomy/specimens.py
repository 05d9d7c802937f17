"""Which models can be opened: every policy that is ready, any saved checkpoint of any run, the storyteller as it began.

storyteller                a policy's id, a hub id or a folder
storyteller@start          random weights, as pre-training began
storyteller@1%             after the first hundredth of pre-training
loop-1a2b3c@12             the weights after step 12 of a run
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core import paths
from core.errors import PlaygroundError
from core.hosting import permission
from core.language.configs import PretrainConfig
from core.language.folders import weight_files
from core.language.registry import (
    STORYTELLER,
    list_policies,
    load_policy,
    load_tokenizer,
    policy_folder,
    policy_info,
)
from core.language.snapshots import EARLY, open_snapshot
from core.runs.shelf import weight_folders

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

EARLY_WEIGHTS = STORYTELLER / EARLY
STAGES = {
    "storyteller@start": "Storyteller, random weights",
    "storyteller@1%": "Storyteller, after 1 % of pre-training",
}


@dataclass(frozen=True)
class Specimen:
    """A model one can look into, and the one it is compared with: where its training began."""

    id: str
    title: str
    reference: str | None = None


def list_specimens() -> list[Specimen]:
    """Ready policies, the storyteller's own past, then every run's checkpoints, newest run first. Imports no torch."""
    policies = [_of_policy(info.id, info.title) for info in list_policies() if info.status == "ready"]
    past = [Specimen(id, title, "storyteller") for id, title in STAGES.items()]
    return policies + past + _checkpoints()


def specimen(specimen_id: str) -> Specimen:
    """What is known of one without loading it. PlaygroundError when there is none."""
    if specimen_id in STAGES:
        return Specimen(specimen_id, STAGES[specimen_id], "storyteller")
    if checkpoint := _checkpoint(specimen_id):
        run_id, step = checkpoint
        permission.check_run(run_id)
        if not step.isdecimal() or int(step) not in weight_folders(_run_folder(run_id)):
            raise PlaygroundError(f"{specimen_id}: that run has no saved weights after step {step or '?'}")
        return Specimen(specimen_id, f"{run_id}, after step {step}", _model_of(run_id))
    info = policy_info(specimen_id)
    return _of_policy(info.id, info.title)


def open_specimen(specimen_id: str) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """The model in float32 and evaluation mode, and its tokenizer. PlaygroundError when it is not here or not whole."""
    from core.language.pretraining import new_model

    wanted = specimen(specimen_id)
    if specimen_id == "storyteller@start":
        tokenizer = load_tokenizer("storyteller")
        return new_model(PretrainConfig(vocab_size=len(tokenizer))).eval(), tokenizer
    if specimen_id == "storyteller@1%":
        return open_snapshot(EARLY_WEIGHTS, "storyteller")
    if checkpoint := _checkpoint(specimen_id):
        run_id, step = checkpoint
        return open_snapshot(weight_folders(_run_folder(run_id))[int(step)], wanted.reference or "storyteller")
    return load_policy(specimen_id)


def written_at(specimen_id: str) -> int:
    """When the newest of its weights were written, in nanoseconds; 0 where none are here, or they never change."""
    if specimen_id in STAGES:
        return 0
    if checkpoint := _checkpoint(specimen_id):
        run_id, step = checkpoint
        folder = weight_folders(_run_folder(run_id)).get(int(step)) if step.isdecimal() else None
    else:
        folder = policy_folder(specimen_id)
    return max((file.stat().st_mtime_ns for file in weight_files(folder)), default=0) if folder else 0


def _checkpoint(specimen_id: str) -> tuple[str, str] | None:
    """The run and the step that an id names; None for a policy's, whose folder may have an @ in its path."""
    run_id, at, step = specimen_id.rpartition("@")
    a_path = "/" in step or "\\" in step or ("/" in run_id and not step.isdecimal())
    return (run_id, step) if at and not a_path else None


def _of_policy(policy_id: str, title: str) -> Specimen:
    """A policy that a run made is compared with the model the run began with."""
    folder = Path(policy_id)
    from_run = folder.name == "policy" and folder.parent.parent == paths.home() / "runs"
    return Specimen(policy_id, title, _model_of(folder.parent.name) if from_run else None)


def _checkpoints() -> list[Specimen]:
    from core.runs.store import RunStore

    return [
        Specimen(f"{run.id}@{step}", f"{run.name}, after step {step}", str(run.config.get("model") or "storyteller"))
        for run in RunStore().list()
        if run.kind in ("ppo", "loop")
        for step in weight_folders(run.folder)
    ]


def _run_folder(run_id: str) -> Path:
    if not run_id or Path(run_id).name != run_id:
        raise PlaygroundError(f"{run_id!r} is the name of no run")
    return paths.home() / "runs" / run_id


def _model_of(run_id: str) -> str:
    from core.runs.store import RunStore

    return str(RunStore().get(run_id).config.get("model") or "storyteller")

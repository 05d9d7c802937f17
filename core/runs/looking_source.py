"""What a look back reads: the run it is about, its checkpoints, and whoever can judge its texts."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.alignment.before_after.look_back import Checkpoint, Judges, look_back
from core.alignment.configs import PPOConfig
from core.alignment.reward_folders import load_reward_model
from core.errors import PlaygroundError
from core.feedback.annotators import get_annotator
from core.feedback.prompts import load_prompts
from core.language.configs import SamplingConfig
from core.language.registry import load_policy, policy_info
from core.language.snapshots import open_snapshot
from core.record import Record
from core.runs.rounds import ancestors
from core.runs.shelf import weight_folders
from core.runs.store import Run, RunStore

if TYPE_CHECKING:
    from core.runs.looking_job import LookBackJob


def look_back_of_run(job: "LookBackJob", state: dict[str, Any] | None) -> Iterator[Record]:
    """Look back over the run that `job` names. Raises PlaygroundError when it has tuned no policy."""
    store = RunStore()
    run = store.get(job.of)
    model = str(run.config.get("model") or "storyteller")
    reference, tokenizer = load_policy(model)
    checkpoints = [Checkpoint(0, model, lambda: reference), *_checkpoints(store, run, model)]
    first = ancestors(store.list(), run)[0].config.get("model")
    judges = Judges(
        _reward_model(run),
        get_annotator(name) if (name := run.config.get("annotator") or run.config.get("gold")) else None,
        load_policy(str(first))[0] if first and first != model else None,
    )
    prompts = load_prompts(str(run.config.get("prompts") or policy_info(model).default_prompts))
    asked = itertools.islice(itertools.cycle(prompts.heldout or prompts.train), job.count)
    return look_back(checkpoints, reference, tokenizer, list(asked), sampling_of(run, job.seed), judges, state)


def sampling_of(run: Run, seed: int) -> SamplingConfig:
    """The length and the temperature that the run's PPO wrote with."""
    ppo = PPOConfig(**run.config["ppo"]) if "ppo" in run.config else PPOConfig()
    return SamplingConfig(max_new_tokens=ppo.max_new_tokens, temperature=ppo.temperature, seed=seed)


def kept_updates(store: RunStore, run: Run) -> dict[int, int]:
    """PPO update -> number of the step whose weights the run has kept, in order."""
    kept = weight_folders(run.folder)
    return {step.step: step.number for step in store.steps(run.id) if step.stage == "ppo" and step.number in kept}


def _checkpoints(store: RunStore, run: Run, model: str) -> list[Checkpoint]:
    if run.kind not in ("ppo", "loop"):
        raise PlaygroundError(f"{run.id} tuned no policy: it is a {run.kind} run")
    folders = weight_folders(run.folder)
    found = [
        Checkpoint(update, f"{run.id}@{number}", lambda number=number: open_snapshot(folders[number], model)[0])  # type: ignore[misc]
        for update, number in kept_updates(store, run).items()
    ]
    last = max((step.step for step in store.steps(run.id) if step.stage == "ppo"), default=0)
    policy = run.folder / "policy"
    if (policy / "config.json").exists():
        found = [one for one in found if one.update != last]
        found.append(Checkpoint(last, str(policy), lambda: load_policy(str(policy))[0]))
    if not found:
        raise PlaygroundError(f"{run.id} has kept no weights of its policy yet")
    return found


def _reward_model(run: Run) -> Any:
    """Who paid the policy; None when its folder has gone."""
    folder = Path(run.config.get("reward_model") or run.folder / "reward_model")
    return load_reward_model(folder) if (folder / "config.json").exists() else None

"""What the page Before and after opens on: three rounds of the loop, and a look back over the first."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.alignment.before_after.side_by_side import answer_both
from core.alignment.configs import LoopConfig, LoopPPOConfig
from core.feedback.prompts import load_prompts
from core.language.registry import load_policy, policy_info
from core.runs.jobs import LoopJob
from core.runs.looked import checkpoints_of
from core.runs.looking_job import LookBackJob
from core.runs.looking_source import sampling_of
from core.runs.recorder import execute
from core.runs.rounds import next_round, rounds
from core.runs.store import Run, RunStore

ROUNDS = 3
READ = 12  # held-out prompts whose tokens are read by both models: the first ones, unpicked
CONFIG = LoopConfig(ppo=LoopPPOConfig(weights_every=3))  # the run that the Overview opens on, its weights kept
ENTRY = "before_after"


def build() -> None:
    """Write the entry."""
    from core.gallery.build import write_view  # it lists the entries of this module

    with _own_home():
        data = measure()
    write_view(ENTRY, {"rounds": ROUNDS, "config": CONFIG.model_dump(mode="json")}, data)


def measure() -> dict[str, Any]:
    """`rounds`, `checkpoints` of the first round with every response, and `read`: what both models make of the first
    responses, token by token."""
    store = RunStore()
    job, made = LoopJob(**CONFIG.model_dump()), []
    for number in range(1, ROUNDS + 1):
        made.append(_executed(store.create(job, run_id=f"round-{number}", queued=False)))
        if number < ROUNDS:
            job = next_round(store, made[-1])
    first = made[0]
    looked = _executed(store.create(LookBackJob(of=first.id), queued=False))
    chain = [asdict(replace(one, model=Path(one.model).name)) for one in rounds(store, first)]
    seed = int(looked.config["seed"])
    return {
        "rounds": chain,
        "checkpoints": [_without_place(one) for one in checkpoints_of(store, looked)],
        "read": _read(first, seed),
        "seed": seed,
        "temperature": CONFIG.ppo.temperature,
    }


def _without_place(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """The folder it lay in is gone by the time anybody reads the entry."""
    return {name: value for name, value in checkpoint.items() if name != "specimen"}


def _read(run: Run, seed: int) -> list[dict[str, Any]]:
    """Of each of the first prompts: both responses, read by both models, and where they part."""
    (reference, tokenizer), (policy, _) = load_policy(CONFIG.model), load_policy(str(run.folder / "policy"))
    prompts = load_prompts(CONFIG.prompts or policy_info(CONFIG.model).default_prompts).heldout[:READ]
    sampling = sampling_of(run, seed)
    return [
        asdict(answer_both(policy, reference, tokenizer, prompt, sampling, row)) for row, prompt in enumerate(prompts)
    ]


def _executed(run: Run) -> Run:
    with tqdm(desc=run.name, unit="step", disable=None) as bar:
        ended = execute(run.id, lambda record: _count(bar))
    if ended.status != "finished":
        raise RuntimeError(f"{run.name} {ended.status}: {ended.error}")
    return ended


def _count(bar: "tqdm[Any]") -> None:
    bar.update()


@contextmanager
def _own_home() -> Iterator[None]:
    """A data folder of its own for as long as the block lasts: nobody's runs are touched."""
    names = ("RLHF_PLAYGROUND_HOME", "RLHF_PLAYGROUND_DB")
    before = {name: os.environ.pop(name, None) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RLHF_PLAYGROUND_HOME"] = folder
        try:
            yield
        finally:
            del os.environ["RLHF_PLAYGROUND_HOME"]
            os.environ.update({name: value for name, value in before.items() if value is not None})


ENTRIES: dict[str, Callable[[], None]] = {ENTRY: build}

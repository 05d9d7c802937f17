"""What the page Before and after opens on: three rounds of the loop, and a look back over the first."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.alignment.configs import LoopConfig, LoopPPOConfig
from core.alignment.side_by_side import parting, read_by_both
from core.language.configs import SamplingConfig
from core.language.registry import load_policy
from core.language.sampling import sample
from core.runs.jobs import LoopJob
from core.runs.looking_job import LookBackJob
from core.runs.looking_source import sampling_of
from core.runs.recorder import execute
from core.runs.rounds import next_round, rounds
from core.runs.store import Run, RunStore

ROUNDS = 3
READ = 12  # held-out prompts whose tokens are read by both models: the first ones, unpicked
CONFIG = LoopConfig(
    pairs=512, evaluation_prompts=128, evaluation_pairs=400, ppo=LoopPPOConfig(weights_every=3)
)  # shorter than a reader's own loop: three of them have to be computed
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
        "checkpoints": list(checkpoints_of(store, looked)),
        "read": _read(first, seed),
        "seed": seed,
        "temperature": CONFIG.ppo.temperature,
    }


def checkpoints_of(store: RunStore, looked: Run) -> Iterator[dict[str, Any]]:
    """The update, and all rows, of every checkpoint that a look back has come to."""
    for step in store.steps(looked.id):
        rows = store.samples(looked.id, step.number)
        kept = [{name: value for name, value in row.items() if name not in ("update", "specimen")} for row in rows]
        yield {"update": rows[0]["update"], "rows": kept}


def _read(run: Run, seed: int) -> list[dict[str, Any]]:
    """Of each of the first prompts: both responses, read by both models, and where they part."""
    (reference, tokenizer), (policy, _) = load_policy(CONFIG.model), load_policy(str(run.folder / "policy"))
    prompts = _prompts(run)
    sampling: SamplingConfig = sampling_of(run, seed)
    before, after = (sample(model, tokenizer, prompts, sampling) for model in (reference, policy))
    found = []
    for row in range(len(prompts)):
        sides = [
            [asdict(place) for place in read_by_both(policy, reference, tokenizer, rollout, row, sampling.temperature)]
            for rollout in (before, after)
        ]
        ids = [rollout.response_ids[row][rollout.response_mask[row].bool()].tolist() for rollout in (before, after)]
        found.append({"reference": sides[0], "tuned": sides[1], "parting": parting(*ids)})
    return found


def _prompts(run: Run) -> list[str]:
    from core.feedback.prompts import load_prompts
    from core.language.registry import policy_info

    return list(load_prompts(run.config["prompts"] or policy_info(CONFIG.model).default_prompts).heldout[:READ])


def _executed(run: Run) -> Run:
    with tqdm(desc=run.name, unit="step", disable=None) as bar:
        ended = execute(run.id, lambda record: bar.update() and None)
    if ended.status != "finished":
        raise RuntimeError(f"{run.name} {ended.status}: {ended.error}")
    return ended


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

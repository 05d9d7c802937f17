"""Rounds: a run that began with the policy of another one is the next round of the same story.

Nothing is stored for it: a run's `model` is the folder of its parent's policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import paths
from core.errors import PlaygroundError
from core.feedback.words import word_count
from core.files import read_jsonl
from core.runs.jobs import LoopJob
from core.runs.store import Run, RunStore, Status

KINDS = ("ppo", "loop")


@dataclass(frozen=True)
class Round:
    """One turn of the loop. None: not measured, or not yet."""

    number: int  # from 1
    run_id: str
    status: Status
    stage: str
    progress: float  # of that stage, 0 to 1
    votes: int | None
    accuracy: float | None  # held-out share of votes the reward model predicts
    gold_before: float | None
    gold_after: float | None
    win_rate: float | None  # gold, against what this round began with
    kl: float | None  # nats per response, to what this round began with
    kl_first: float | None  # the same, to what the first round began with
    model: str  # what it began with
    heldout: int | None = None  # votes that the accuracy was measured on
    length: float | None = None  # words a held-out response of this round's policy, the mean
    example: tuple[str, str] | None = None  # the first held-out prompt, and what this round's policy writes to it


def run_behind(model: str) -> str | None:
    """The id of the run whose policy `model` is the folder of; None for any other model."""
    folder = Path(model)
    return folder.parent.name if folder.name == "policy" and folder.parent.parent == paths.home() / "runs" else None


def ancestors(runs: Sequence[Run], run: Run) -> list[Run]:
    """The rounds that led to `run`, the first of all first, `run` itself last."""
    known = {one.id: one for one in runs}
    found = [run]
    while (parent := known.get(run_behind(str(found[0].config.get("model", ""))) or "")) and parent not in found:
        found.insert(0, parent)
    return found


def chain(runs: Sequence[Run], run: Run) -> list[Run]:
    """`ancestors` of `run`, and what came after it: of several next rounds, the newest. `runs`: newest first."""
    found = ancestors(runs, run)
    while later := [one for one in runs if one not in found and _began_with(one, found[-1])]:
        found.append(later[0])
    return found


def _began_with(run: Run, earlier: Run) -> bool:
    return run.kind in KINDS and run_behind(str(run.config.get("model", ""))) == earlier.id


def rounds(store: RunStore, run: Run) -> list[Round]:
    """The chain that `run` belongs to, each round with what is known of it now."""
    found = chain(store.list(), run)
    return [_round(store, number, one) for number, one in enumerate(found, 1)]


def next_round(store: RunStore, run: Run) -> LoopJob:
    """The same loop once more, begun with what `run` made: fresh votes, a reward model from scratch, a new seed.

    Raises PlaygroundError when `run` is no finished loop.
    """
    policy = run.folder / "policy"
    if run.kind != "loop" or run.status != "finished" or not (policy / "config.json").exists():
        raise PlaygroundError(f"{run.id} is no finished loop, so there is nothing to go on from")
    first = str(ancestors(store.list(), run)[0].config["model"])
    return LoopJob.checked(
        **run.config | {"model": str(policy), "first": first, "seed": int(run.config.get("seed", 0)) + 1}
    )


def _round(store: RunStore, number: int, run: Run) -> Round:
    newest: dict[str, Any] = {}
    for step in store.steps(run.id):
        newest |= {name: value for name, value in step.metrics.items() if value is not None}
    result = run.result or {}
    votes, accuracy, heldout = run.config.get("pairs"), newest.get("heldout/accuracy"), None
    if run.kind == "ppo":
        votes, accuracy, heldout = _taught(store, str(run.config.get("reward_model", "")))
    sampled = result.get("kl", newest.get("objective/kl_exact", newest.get("objective/kl")))
    kl = result.get("kl_exact", sampled)  # of a PPO run the exact one is the better figure; a loop's is exact
    return Round(
        number=number,
        run_id=run.id,
        status=run.status,
        stage=run.stage or "",
        progress=min(1.0, run.step / run.total) if run.total else 0.0,
        votes=votes,
        accuracy=result.get("reward_accuracy", accuracy),
        gold_before=result.get("gold_before"),
        gold_after=result.get("gold_after", newest.get("objective/gold")),
        win_rate=result.get("gold_win_rate"),
        kl=kl,
        kl_first=result.get("kl_first", kl if number == 1 and result else None),
        model=str(run.config.get("model", "")),
        heldout=heldout,
        **_written(run),
    )


def _written(run: Run) -> dict[str, Any]:
    """`length` and `example`, from what a loop's measurement left."""
    file = run.folder / "heldout.jsonl"
    rows = read_jsonl(file) if file.exists() else []
    if not rows:
        return {}
    lengths = [word_count(row["tuned_response"]) for row in rows]
    return {
        "length": sum(lengths) / len(lengths),
        "example": (rows[0]["prompt"], rows[0]["tuned_response"]),
    }


def _taught(store: RunStore, reward_folder: str) -> tuple[int | None, float | None, int | None]:
    """Votes, held-out accuracy and on how many, of the reward model in that folder, where a run of ours trained it."""
    folder = Path(reward_folder)
    if folder.parent.parent != paths.home() / "runs":
        return None, None, None
    try:
        result = store.get(folder.parent.name).result or {}
    except PlaygroundError:  # deleted since
        return None, None, None
    pairs = [result[name] for name in ("pairs_train", "pairs_heldout") if name in result]
    accuracy = result.get("accuracy_heldout", result.get("reward_accuracy"))
    return sum(pairs) if pairs else result.get("pairs"), accuracy, result.get("pairs_heldout")

"""Looking back over a run: the same held-out prompts, answered from the same random numbers at every checkpoint."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.before_after.perplexity import response_nll
from core.alignment.evaluation import response_kl
from core.alignment.reward_model import Rater
from core.feedback.annotators import Annotator
from core.language.configs import SamplingConfig
from core.language.sampling import Rollout, sample
from core.record import Record

Rows = list[dict[str, Any]]
"""A response each: prompt, response, tokens, ended, nll, kl; and kl_first, score, gold where they are known."""


@dataclass(frozen=True)
class Checkpoint:
    """The policy as it was after some update; 0 is before the first: the reference itself."""

    update: int
    specimen: str  # what the pages about the inside open it by
    open: Callable[[], PreTrainedModel]


@dataclass(frozen=True)
class Judges:
    """What a response is measured with; None where it is not known."""

    reward_model: Rater | None = None
    annotator: Annotator | None = None
    first_policy: PreTrainedModel | None = None  # what the first of several rounds began with


def look_back(
    checkpoints: Sequence[Checkpoint],
    ref_policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    sampling: SamplingConfig,
    judges: Judges,
    state: dict[str, Any] | None = None,
) -> Iterator[Record]:
    """A record a checkpoint, its rows as `samples`. What row r draws depends on the seed and r alone, so that the texts
    of two checkpoints differ only where the policies do.

    `state` is what an earlier record's `state()` gave.
    """
    done = int(state["done"]) if state else 0
    for number, checkpoint in enumerate(checkpoints[done:], done + 1):
        policy = checkpoint.open()
        rollout = sample(policy, tokenizer, prompts, sampling)
        rows = measured_rows(policy, ref_policy, rollout, sampling.temperature, judges)
        place = {"update": checkpoint.update, "specimen": checkpoint.specimen}
        yield Record(
            number,
            {"update": float(checkpoint.update), "objective/kl": sum(row["kl"] for row in rows) / len(rows)},
            "looking back",
            total=len(checkpoints),
            samples=[row | place for row in rows],
            state=lambda number=number: {"done": number},  # type: ignore[misc]
            result={"checkpoints": len(checkpoints)} if number == len(checkpoints) else None,
        )


def measured_rows(
    policy: PreTrainedModel, ref_policy: PreTrainedModel, rollout: Rollout, temperature: float, judges: Judges
) -> Rows:
    """The rollout's responses with everything that `judges` and the reference say of each."""
    prompts, responses = rollout.prompts, rollout.responses
    columns: dict[str, list[Any]] = {
        "prompt": prompts,
        "response": responses,
        "tokens": rollout.response_mask.sum(-1).tolist(),
        "ended": rollout.ended.tolist(),
        "nll": response_nll(ref_policy, rollout).tolist(),
        "kl": response_kl(policy, ref_policy, rollout, temperature).tolist(),
    }
    if judges.first_policy is not None:
        columns["kl_first"] = response_kl(policy, judges.first_policy, rollout, temperature).tolist()
    if judges.reward_model is not None:
        columns["score"] = judges.reward_model.rate(prompts, responses)[1].tolist()
    if judges.annotator is not None:
        taste = judges.annotator.utility
        columns["gold"] = [taste(prompt, text) for prompt, text in zip(prompts, responses, strict=True)]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

"""Honest measurements: against the annotator's true utility, on prompts never trained on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.actor_critic import Sequences, read_in_parts, response_distribution
from core.alignment.kl import exact_kl
from core.alignment.pair_report import evaluate_pairs
from core.alignment.preferences import vote, write_pairs
from core.alignment.reward_model import RewardModel
from core.feedback.annotators import Annotator
from core.language.configs import SamplingConfig
from core.language.sampling import Rollout, sample


@dataclass(frozen=True)
class HeldoutRow:
    """One held-out prompt: what reference and tuned policy wrote, what the annotator truly thinks, and the KL."""

    prompt: str
    reference_response: str
    tuned_response: str
    gold_reference: float
    gold_tuned: float
    kl: float  # Σ_t KL(π(·|s_t) ‖ π_ref(·|s_t)) over the tuned response, full vocabulary, nats
    kl_first: float | None = None  # the same to the policy that the first of several rounds began with

    @property
    def row(self) -> dict[str, Any]:
        """What `heldout.jsonl` keeps of it: only what was measured."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@torch.no_grad()
def response_kl(
    policy: PreTrainedModel,
    ref_policy: PreTrainedModel,
    rollout: Rollout,
    temperature: float = 1.0,
    batch_size: int = 16,
) -> torch.Tensor:
    """Σ_t KL(π(·|s_t) ‖ π_ref(·|s_t)) over each response of `rollout`, over the full vocabulary, in nats: [B]."""

    def read(part: Sequences) -> dict[str, torch.Tensor]:
        log_p, log_q = (response_distribution(model, part, temperature) for model in (policy, ref_policy))
        return {"kl": exact_kl(log_p, log_q)}

    return read_in_parts(Sequences.of(rollout, policy.device), read, batch_size)["kl"].sum(-1).cpu()


def compare_on_heldout(
    policy: PreTrainedModel,
    ref_policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    annotator: Annotator,
    sampling: SamplingConfig,
    first_policy: PreTrainedModel | None = None,
) -> list[HeldoutRow]:
    """Reference and tuned policy each answer every prompt from the same random numbers; the annotator judges both.

    `first_policy`: what the first of several rounds began with; KL is then measured to it as well.
    """
    reference = sample(ref_policy, tokenizer, prompts, sampling)
    tuned = sample(policy, tokenizer, prompts, sampling)
    kl = response_kl(policy, ref_policy, tuned, sampling.temperature).tolist()
    kl_first: list[float | None] = [None] * len(kl)
    if first_policy is not None:
        kl_first = response_kl(policy, first_policy, tuned, sampling.temperature).tolist()
    taste = annotator.utility
    return [
        HeldoutRow(prompt, before, after, taste(prompt, before), taste(prompt, after), nats, nats_first)
        for prompt, before, after, nats, nats_first in zip(
            tuned.prompts, reference.responses, tuned.responses, kl, kl_first, strict=True
        )
    ]


def summarise_heldout(rows: Sequence[HeldoutRow]) -> dict[str, float]:
    """Mean gold before and after, gold win rate (ties half), mean KL in nats per response: all from the rows alone."""
    to_first = [row.kl_first for row in rows if row.kl_first is not None]
    wins = [(row.gold_tuned > row.gold_reference) + 0.5 * (row.gold_tuned == row.gold_reference) for row in rows]
    return {
        "gold_before": sum(row.gold_reference for row in rows) / len(rows),
        "gold_after": sum(row.gold_tuned for row in rows) / len(rows),
        "gold_win_rate": sum(wins) / len(rows),
        "kl": sum(row.kl for row in rows) / len(rows),
    } | ({"kl_first": sum(to_first) / len(to_first)} if to_first else {})


def reward_skill(
    reward_model: RewardModel,
    ref_policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    annotator: Annotator,
    sd: float,
    pairs: int,
    sampling: SamplingConfig,
) -> dict[str, Any]:
    """How much of what can be known of the annotator the reward model knows, on fresh pairs of the reference policy.

    accuracy: agreement with the annotator's noisy votes; ceiling: agreement of the true utility's sign with them (a
    utility tie counts half); skill = (accuracy − ½) / (ceiling − ½).
    """
    *_, written = write_pairs(ref_policy, tokenizer, prompts, pairs, sampling)
    fresh = vote(written.pairs, annotator, sampling.seed, sd)
    report = evaluate_pairs(reward_model.model, reward_model.tokenizer, fresh.pairs)
    ceiling = sum((gap > 0) + 0.5 * (gap == 0) for gap in fresh.utility_gaps) / len(fresh.utility_gaps)
    return {
        "reward_accuracy": report.accuracy,
        "reward_accuracy_ceiling": ceiling,
        "reward_skill": (report.accuracy - 0.5) / (ceiling - 0.5) if ceiling > 0.5 else 0.0,
        "reward_log_loss": report.log_loss,
        "reward_calibration_error": report.calibration_error,
        "reward_calibration": [asdict(one) for one in report.calibration],
    }

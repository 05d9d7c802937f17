"""The stages a run is made of: votes, reward model, policy. Each trains, yields its records, and leaves a folder."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core import processes
from core.alignment.configs import DPOConfig, PPOConfig, RewardConfig
from core.alignment.dpo import train_dpo
from core.alignment.normalisation import normalisation_on
from core.alignment.ppo import train_ppo
from core.alignment.preferences import PairsSoFar, vote, write_pairs
from core.alignment.reward_folders import save_reward_model
from core.alignment.reward_model import Rater
from core.alignment.reward_training import split_by_prompt, train_reward_model, untrained
from core.feedback.annotators import Annotator
from core.feedback.pairs import PreferencePair
from core.files import read_jsonl, whole_folder, write_jsonl
from core.language.adapters import save_merged, with_adapters
from core.language.configs import LORA_FROM, SamplingConfig
from core.language.logits import check_logits
from core.language.precision import suit_processor
from core.record import PAIR, Controls, Record


def preferences_stage(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    annotator: Annotator,
    count: int,
    sampling: SamplingConfig,
    file: Path,
    state: dict[str, Any] | None,
) -> Iterator[Record]:
    """`count` pairs written by `policy`, voted on by `annotator`, in `file`: a record a batch.

    Beside `prompt, chosen, rejected` a row says `gold_gap`, the true utility's difference, and `gold_sd`, the unit of
    the annotator's noise.
    """
    begun = PairsSoFar.of(state) if state else PairsSoFar()
    so_far = begun
    total = -(-count // max(1, sampling.batch_size // 2))
    for so_far in write_pairs(policy, tokenizer, prompts, count, sampling, begun):
        metrics = {"pairs": float(len(so_far.pairs))}
        newest = [{"kind": PAIR, **asdict(pair)} for pair in so_far.pairs[-1:]]
        yield Record(so_far.batches, metrics, "preferences", total=total, samples=newest, state=so_far.state)
    votes = vote(so_far.pairs, annotator, sampling.seed)
    write_jsonl(
        file,
        (
            asdict(pair) | {"gold_gap": gap, "gold_sd": votes.sd}
            for pair, gap in zip(votes.pairs, votes.utility_gaps, strict=True)
        ),
    )


def voted_pairs(file: Path) -> tuple[list[PreferencePair], float]:
    """The pairs that `preferences_stage` left in `file`, and the annotator's sd."""
    rows = read_jsonl(file)
    pairs = [PreferencePair(row["prompt"], row["chosen"], row["rejected"], annotator=row["annotator"]) for row in rows]
    return pairs, rows[0]["gold_sd"]


def reward_stage(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[PreferencePair],
    config: RewardConfig,
    base_model: str,
    folder: Path,
    state: dict[str, Any] | None,
    controls: Controls,
) -> Iterator[Record]:
    """A reward model on the policy's trunk, trained on `pairs` and saved in `folder`.

    Its scores are normalised as `normalisation_on` says.
    """
    model = untrained(policy, tokenizer, config)
    yield from train_reward_model(model, tokenizer, pairs, config, state, controls)
    _, heldout = split_by_prompt(pairs, config.heldout_share, config.seed)
    if processes.is_main():
        normalisation = normalisation_on(model, tokenizer, heldout, pairs, policy, base_model, config.seed)
        save_reward_model(model, tokenizer, normalisation, folder)


def ready_to_tune(policy: PreTrainedModel, lora_rank: int, seed: int) -> tuple[nn.Module, PreTrainedModel | None]:
    """A copy of `policy` that can be trained, and its reference: `policy` itself, frozen.

    Of a large policy the copy has adapters, drawn from `seed`, which switched off are their own reference: it is None
    then. Raises PlaygroundError for a policy whose log-probabilities cannot be computed here.
    """
    check_logits(policy)
    small = policy.num_parameters() < LORA_FROM
    start = copy.deepcopy(policy).requires_grad_(True)
    for model in (start, policy):  # alike: another way to attend rounds otherwise, and reads as KL
        suit_processor(model)
    return with_adapters(start, lora_rank, "CAUSAL_LM", seed), policy.requires_grad_(False) if small else None


def ppo_stage(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    reward_model: Rater,
    prompts: Sequence[str],
    config: PPOConfig,
    folder: Path,
    state: dict[str, Any] | None,
    controls: Controls,
    gold: Annotator | None = None,
    watched: Sequence[str] = (),
) -> Iterator[Record]:
    """A copy of `policy` tuned with PPO and saved in `folder`; `policy` itself stays the reference."""
    tuned, reference = ready_to_tune(policy, config.lora_rank, config.seed)
    yield from train_ppo(tuned, reference, reward_model, prompts, config, tokenizer, state, controls, gold, watched)
    _save(tuned, tokenizer, folder)


def dpo_stage(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[PreferencePair],
    config: DPOConfig,
    folder: Path,
    state: dict[str, Any] | None,
    controls: Controls,
    heldout: Sequence[PreferencePair] = (),
) -> Iterator[Record]:
    """A copy of `policy` tuned on `pairs` with DPO and saved in `folder`; `policy` itself stays the reference."""
    tuned, reference = ready_to_tune(policy, config.lora_rank, config.seed)
    yield from train_dpo(tuned, reference, pairs, config, tokenizer, state, controls, heldout)
    _save(tuned, tokenizer, folder)


def _save(tuned: nn.Module, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    if processes.is_main():
        with whole_folder(folder) as temporary:
            save_merged(tuned, temporary)
            tokenizer.save_pretrained(temporary)

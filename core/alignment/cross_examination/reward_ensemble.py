"""Several reward models on resamples of the same votes: where they disagree, the votes do not say."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.configs import RewardConfig
from core.alignment.cross_examination.retraining import retrained
from core.alignment.normalisation import normalisation_on
from core.alignment.pair_report import report_pairs
from core.alignment.reward_folders import load_reward_model, save_reward_model
from core.alignment.reward_model import RewardModel, score
from core.alignment.reward_training import split_by_prompt, untrained
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.files import write_whole
from core.record import Controls, Record, no_controls

ENSEMBLE_FILE = "ensemble.json"


def bootstrap(pairs: Sequence[PreferencePair], seed: tuple[int, int]) -> list[PreferencePair]:
    """As many pairs, drawn with replacement (Efron 1979): what another sample of votes might have been."""
    return [pairs[i] for i in np.random.default_rng(seed).integers(len(pairs), size=len(pairs))]


def member_config(config: RewardConfig, member: int) -> RewardConfig:
    """A member's settings: another order of the votes; nothing held out, for its pairs are the training set's alone.

    Without held-out votes there is nothing to stop early on: members go through all their steps.
    """
    return config.model_copy(update={"seed": config.seed + 1 + member, "heldout_share": 0.0})


def train_ensemble(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[PreferencePair],
    config: RewardConfig,
    members: int,
    base_model: str,
    folder: Path,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
) -> Iterator[Record]:
    """Train `members` reward models one after the other, each on a bootstrap of the training pairs in its own order.

    All hold out the pairs that a single model with `config` would. Leaves `folder`/member-1, member-2, …, each of which
    plain transformers opens, and `ensemble.json`. The last record's `result` has every member's held-out figures and
    those of their mean score. `state` is what an earlier record's `state()` gave.
    """
    train, heldout = split_by_prompt(pairs, config.heldout_share, config.seed)
    first = state["member"] if state else 0
    for member in range(first, members):
        own = member_config(config, member)
        model = untrained(policy, tokenizer, own)
        resampled = bootstrap(train, (config.seed, member))
        inner = state["of"] if state and member == first else None
        planned = 0
        for record in retrained(model, tokenizer, resampled, own, inner, controls):
            planned = max(planned, record.total)  # of the last step of one that ended early, it is fewer
            yield _numbered(record, planned, member, members)
        normalisation = normalisation_on(model, tokenizer, heldout, train, policy, base_model, config.seed)
        save_reward_model(model, tokenizer, normalisation, folder / f"member-{member + 1}")
    about = {"members": members, "seeds": [member_config(config, m).seed for m in range(members)], "bootstrap": True}
    write_whole(folder / ENSEMBLE_FILE, json.dumps(about, indent=2) + "\n")
    result = _measured(load_ensemble(folder), heldout) if heldout else {}
    yield Record(members, {}, "measuring", total=members, result=about | result)


def _numbered(record: Record, planned: int, member: int, members: int) -> Record:
    """A member's record within the whole ensemble."""
    inner = record.state

    def state() -> dict[str, Any]:
        return {"member": member, "of": inner() if inner else None}

    step, total = member * planned + record.step, members * planned
    metrics = record.metrics | {"member": float(member + 1)}
    return replace(record, step=step, total=total, metrics=metrics, stage="reward", state=state, result=None)


def _measured(ensemble: Sequence[RewardModel], heldout: Sequence[PreferencePair]) -> dict[str, Any]:
    chosen, rejected = member_scores(ensemble, heldout)
    each = [report_pairs(c, r) for c, r in zip(chosen, rejected, strict=True)]
    together = report_pairs(chosen.mean(0), rejected.mean(0))
    return {
        "accuracy_each": [one.accuracy for one in each],
        "log_loss_each": [one.log_loss for one in each],
        "accuracy_heldout": together.accuracy,
        "log_loss_heldout": together.log_loss,
        "calibration_error_heldout": together.calibration_error,
        "pairs_heldout": len(heldout),
    }


def member_scores(ensemble: Sequence[RewardModel], pairs: Sequence[PreferencePair]) -> tuple[Tensor, Tensor]:
    """Raw scores of the chosen and of the rejected texts: [members, pairs] each."""
    prompts = [pair.prompt for pair in pairs] * 2
    texts = [pair.chosen for pair in pairs] + [pair.rejected for pair in pairs]
    both = torch.stack([score(member.model, member.tokenizer, prompts, texts) for member in ensemble])
    return both[:, : len(pairs)], both[:, len(pairs) :]


def load_ensemble(folder: Path) -> list[RewardModel]:
    """The members in `folder`, in order. Raises PlaygroundError where there is no whole ensemble."""
    if not (folder / ENSEMBLE_FILE).exists():
        raise PlaygroundError(f"{folder}: no ensemble here ({ENSEMBLE_FILE} is missing)")
    members = json.loads((folder / ENSEMBLE_FILE).read_text(encoding="utf-8"))["members"]
    return [load_reward_model(folder / f"member-{number + 1}") for number in range(members)]

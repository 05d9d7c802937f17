"""Training a reward model anew from the policy's trunk, as often as an experiment asks for it."""

from collections.abc import Iterator, Sequence
from typing import Any

from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.configs import RewardConfig
from core.alignment.reward_model import new_reward_model
from core.alignment.reward_training import train_reward_model
from core.feedback.pairs import PreferencePair
from core.language.adapters import with_adapters
from core.record import Controls, Record, no_controls


def fresh(policy: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, config: RewardConfig) -> nn.Module:
    """An untrained reward model on a copy of the policy's trunk, as `reward_stage` begins with."""
    return with_adapters(new_reward_model(policy, tokenizer), config.lora_rank, "SEQ_CLS")


def retrained(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[PreferencePair],
    config: RewardConfig,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
) -> Iterator[Record]:
    """`train_reward_model` without the weights on the way, which only the loss surface wants."""
    return train_reward_model(model, tokenizer, pairs, config.model_copy(update={"weights_kept": 0}), state, controls)

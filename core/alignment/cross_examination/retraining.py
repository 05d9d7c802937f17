"""Training a reward model anew from the policy's trunk, as often as an experiment asks for it."""

from collections.abc import Iterator, Sequence
from typing import Any

from torch import nn
from transformers import PreTrainedTokenizerBase

from core.alignment.configs import RewardConfig
from core.alignment.reward_training import train_reward_model
from core.feedback.pairs import PreferencePair
from core.record import Controls, Record, no_controls


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

"""Whatever a trainer records has a unit."""

import pytest

from core.alignment.configs import DPOConfig
from core.alignment.dpo import train_dpo
from core.alignment.reward_model import new_reward_model
from core.alignment.reward_training import train_reward_model
from core.feedback.annotators import get_annotator
from core.runs.metric_units import UNITS
from tests import tiny
from tests.alignment import test_dpo, test_ppo, test_reward_training, test_rloo_grpo


def ppo():
    return test_ppo.train_ppo(
        tiny.gpt2(), tiny.gpt2(), test_ppo.judge(), tiny.PROMPTS, test_ppo.CONFIG, tiny.tokenizer(),
        gold=get_annotator("sunny"),
    )  # fmt: skip


def grpo():
    return test_rloo_grpo.run("grpo", updates=1)


def dpo():
    pairs = test_dpo.PAIRS
    return train_dpo(tiny.gpt2(), tiny.gpt2(), pairs[:4], DPOConfig(epochs=1), tiny.tokenizer(), heldout=pairs[4:])


def reward():
    config = test_reward_training.CONFIG.model_copy(update={"weights_kept": 2, "patience": 1})
    model = new_reward_model(tiny.gpt2(), tiny.tokenizer())
    return train_reward_model(model, tiny.tokenizer(), test_reward_training.preferences(), config)


@pytest.mark.parametrize("trainer", [ppo, grpo, dpo, reward])
def test_every_metric_has_a_unit(trainer):
    recorded = {name for record in trainer() for name in record.metrics}
    assert recorded
    assert recorded <= set(UNITS)

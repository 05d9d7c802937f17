"""The terms put together are the loss that the optimiser's steps had, and the reward that the responses had."""

import pytest

from core.alignment.ppo import train_ppo
from core.alignment.ppo_reading.objective import objective_of
from tests import tiny
from tests.alignment.test_ppo import CONFIG, judge


@pytest.fixture(scope="module")
def record():
    config = CONFIG.model_copy(update={"vf_coef": 0.3, "entropy_coef": 0.02, "kl_estimator": "k2"})
    *_, last = train_ppo(tiny.gpt2(), tiny.gpt2(), judge(), tiny.PROMPTS, config, tiny.tokenizer())
    return last


def test_loss_and_reward_of_a_real_update(record):
    terms = objective_of(record.metrics, 0.3, 0.02)
    m, t = record.metrics, record.rollout
    assert terms.loss == pytest.approx(
        m["loss/policy_avg"] + 0.3 * m["loss/value_avg"] - 0.02 * m["policy/entropy_avg"], abs=1e-12
    )
    assert terms.reward == pytest.approx(terms.score - terms.kl_coef * terms.kl, abs=1e-6)
    assert terms.reward == pytest.approx(t["rewards"].sum(-1).mean().item(), abs=1e-5)  # what the tokens were paid
    assert terms.kl == pytest.approx(t["kl"].sum(-1).mean().item(), abs=1e-4)  # k2 here, which is not objective/kl


def test_a_missing_end_is_part_of_what_was_paid(record):
    config = CONFIG.model_copy(update={"missing_end_penalty": 5.0, "kl_coef": 0.1})
    *_, last = train_ppo(tiny.gpt2(), tiny.gpt2(), judge(), tiny.PROMPTS, config, tiny.tokenizer())
    m, t = last.metrics, last.rollout
    terms = objective_of(m, 0.1, 0.0)
    unended = 1 - m["val/num_eos_tokens"] / len(t["mask"])
    assert unended > 0 and terms.missing_end == pytest.approx(5 * unended, abs=1e-5)
    assert terms.reward == pytest.approx(t["rewards"].sum(-1).mean().item(), abs=1e-5)
    assert terms.kl == pytest.approx(t["kl"].sum(-1).mean().item(), abs=1e-4)
    assert terms.reward == pytest.approx(terms.score - 0.1 * terms.kl - terms.missing_end, abs=1e-5)


def test_nothing_is_made_up_where_a_term_is_missing(record):
    assert objective_of({name: v for name, v in record.metrics.items() if name != "loss/value_avg"}, 0.1, 0.0) is None
    free = dict(record.metrics) | {"kl_coef": 0.0}
    assert objective_of(free, 0.1, 0.0).kl == record.metrics["objective/kl"]

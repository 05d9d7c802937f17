"""The learning rate of PPO's updates: in the metrics and in the optimiser, against fractions written out."""

import pytest

from tests.alignment.test_ppo import CONFIG, run


def rates(**settings):
    """What each update's metrics say, and the optimiser's own rates: of the policy, and of its value head."""
    records = run(CONFIG.model_copy(update={"epochs": 1, "minibatches": 1, "max_new_tokens": 2} | settings))
    return zip(
        *(
            (record.metrics["lr"], *(group["lr"] for group in record.state()["optimizer"]["param_groups"]))
            for record in records
        ),
        strict=True,
    )


def test_a_linear_schedule_comes_down_to_a_quarter_in_the_last_of_four_updates():
    said, policy, head = rates(lr_schedule="linear", head_learning_rate=1e-3)
    assert said == policy == pytest.approx([3e-4 * left for left in (1, 3 / 4, 1 / 2, 1 / 4)])
    assert head == pytest.approx([1e-3 * left for left in (1, 3 / 4, 1 / 2, 1 / 4)])


def test_a_constant_schedule_stays():
    said, policy, head = rates(head_learning_rate=1e-3)
    assert said == policy == pytest.approx([3e-4] * 4) and head == pytest.approx([1e-3] * 4)

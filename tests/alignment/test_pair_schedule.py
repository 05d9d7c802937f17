"""The learning rate over a training on pairs, against a table worked out by hand."""

import pytest

from core.alignment.pair_schedule import lr_scale

EIGHT_STEPS = (1 / 3, 2 / 3, 1.0, 0.939711, 0.775, 0.55, 0.325, 0.160289)
"""Two of warm-up, then 0.1 + 0.45 (1 + cos) at 0°, 30°, 60°, 90°, 120° and 150°."""


def test_the_rate_warms_up_and_falls_along_a_cosine():
    assert [lr_scale(step, 8, 0.25) for step in range(8)] == pytest.approx(EIGHT_STEPS, abs=1e-6)


def test_the_floor_is_a_tenth_and_without_warm_up_the_first_step_has_it_all():
    assert lr_scale(8, 8, 0.25) == pytest.approx(0.1)
    assert [lr_scale(step, 2, 0.0) for step in range(3)] == pytest.approx([1.0, 0.55, 0.1])
    assert [lr_scale(step, 3, 1.0) for step in range(3)] == pytest.approx([1 / 4, 1 / 2, 3 / 4])  # all of it warm-up

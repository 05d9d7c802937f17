"""Readings follow the measured numbers: each verdict is provoked by a series that deserves it."""

import random

import pytest

from core.alignment.ppo_reading.reading_curves import CURVES

BY_KEY = {curve.key: curve for curve in CURVES}


@pytest.mark.parametrize(
    ("key", "values", "verdict"),
    [
        ("objective/scores", [0.0, 0.5, 1.1, 1.4, 2.0], "healthy"),
        ("objective/scores", [2.0, 1.5, 1.1, 0.4, 0.0], "trouble"),
        ("objective/scores", [0.0, 1.0, -1.0, 1.0, 0.1], "watch"),
        ("objective/kl_exact", [0.0, 3.0, 7.0], "healthy"),
        ("objective/kl_exact", [0.0, 10.0, 18.0], "watch"),
        ("objective/kl_exact", [0.0, 10.0, 32.0], "trouble"),
        ("policy/entropy_avg", [3.0, 2.9, 2.8], "healthy"),
        ("policy/entropy_avg", [3.0, 2.5, 2.0], "watch"),
        ("policy/entropy_avg", [3.0, 2.0, 0.5], "trouble"),
        ("policy/clipfrac_avg", [0.1, 0.1, 0.12], "healthy"),
        ("policy/clipfrac_avg", [0.0, 0.0, 0.0], "watch"),
        ("policy/clipfrac_avg", [0.2, 0.4, 0.5], "trouble"),
        ("loss/value_avg", [1.0, 0.5, 0.3], "healthy"),
        ("loss/value_avg", [1.0, 1.1, 1.02], "healthy"),
        ("loss/value_avg", [1.0, 1.2, 1.5], "watch"),
        ("loss/value_avg", [1.0, 2.0, 9.0], "trouble"),
        ("response_length", [30.0, 31.0, 32.0], "healthy"),
        ("response_length", [20.0, 25.0, 32.0], "watch"),
        ("objective/gold", [1.0, 2.0, 3.0], "healthy"),
        ("objective/gold", [3.0, 2.0, 1.0], "trouble"),
    ],
)
def test_verdict(key, values, verdict):
    assert BY_KEY[key].reading(values).verdict == verdict


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.key)
@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0]])
def test_says_nothing_before_there_is_a_trend(curve, values):
    reading = curve.reading(values)
    assert reading.verdict == "early"
    assert str(len(values)) in reading.sentence


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.key)
def test_the_measured_value_is_in_the_sentence(curve):
    assert any(character.isdigit() for character in curve.reading([0.125] * 5).sentence)


def test_one_noisy_update_does_not_make_a_trend():
    steady = [5.0] * 9 + [5.0]
    assert BY_KEY["objective/kl_exact"].reading([*steady, 40.0, 5.0, 5.0]).verdict == "healthy"


@pytest.mark.parametrize("updates", [4, 6, 12, 20, 40])
def test_a_flat_score_that_scatters_is_seldom_said_to_fall_or_rise(updates):
    rng, read = random.Random(0), BY_KEY["objective/scores"].read
    said = [read([rng.gauss(0, 1) for _ in range(updates)]).verdict for _ in range(1000)]
    assert said.count("trouble") <= 80 and said.count("healthy") <= 80
    assert read([update + rng.gauss(0, 0.1) for update in range(updates)]).verdict == "healthy"

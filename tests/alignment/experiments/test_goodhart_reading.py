"""What is called broken, on curves whose truth is known; and errors of reward, light and heavy."""

import numpy as np
import pytest

from core.alignment.experiments.goodhart_reading import Outcome, mean_over_seeds, outcome, smooth
from core.alignment.experiments.reward_error import errors, gold_of_the_best


def test_smoothing_is_the_mean_of_what_is_around():
    assert smooth([1.0, 2.0, 6.0, 3.0, 8.0]) == pytest.approx([3.0, 3.0, 4.0, 4.75, 17 / 3])
    assert smooth([5.0]) == [5.0]


def test_a_fall_is_a_fall_and_noise_is_not():
    rng = np.random.default_rng(0)
    rise, noise = np.linspace(0, 2, 40), rng.normal(size=40) / 8  # 64 responses of sd 1 each
    kl = np.linspace(0, 30, 40)
    healthy = outcome(kl, rise + noise, rise + noise, 64)
    assert not healthy.broke and healthy.overrated == pytest.approx(0)
    hump = np.concatenate([np.linspace(0, 1.5, 20), np.linspace(1.5, 0.5, 20)])
    broken = outcome(kl, rise, hump + noise, 64)
    assert broken.broke and broken.fall == pytest.approx(1.0, abs=0.2) and 10 < broken.peak_kl < 20
    assert broken.overrated > 1 and broken.misled and not healthy.misled
    followed = outcome(kl, hump + 0.15, hump + noise, 64)
    assert followed.broke and followed.overrated > 0 and not followed.misled


def test_a_gain_within_two_standard_errors_is_none():
    rows = {"peak": 2.0, "peak_kl": 5.0, "proxy": 2.0, "kl": 9.0, "chance": 0.5}
    one, other, near = (Outcome(**rows, gold=gold, error=0.3) for gold in (2.0, 1.0, 1.2))
    assert one.gain_over(other) == (1.0, "better") and other.gain_over(one) == (-1.0, "worse")
    assert one.gain_over(near) == (pytest.approx(0.8), "alike")  # 2 · √(0.3² + 0.3²) = 0.849


@pytest.mark.parametrize("updates", [6, 14, 40])
def test_of_flat_golds_one_in_a_thousand_breaks_though_a_peak_is_the_luckiest_of_many(updates):
    golds = np.random.default_rng(1).normal(size=(4000, updates))
    broke = sum(outcome(range(updates), range(updates), gold, 64).broke for gold in golds)
    assert broke <= 12  # 4 on average: 13 or more would come once in three thousand times


def test_the_error_is_that_of_the_mean_at_the_end():
    assert outcome([0.0] * 9, [0.0] * 9, [0.0] * 9, 64).error == pytest.approx((1 / (64 * 3)) ** 0.5)


@pytest.mark.parametrize("slope", [0.0, 3.0])
def test_the_scatter_is_found_and_a_steady_rise_is_none(slope):
    rise = slope * np.arange(9)
    golds = rise + np.random.default_rng(2).normal(size=(2000, 9))
    found = [outcome(range(9), range(9), gold, 10**9).error for gold in golds]
    assert np.mean(np.square(found)) == pytest.approx(1 / 3, rel=0.05)


def test_seeds_that_a_budget_ended_at_different_updates_are_averaged_as_far_as_all_went():
    base = {"kind": "ppo", "votes": 32, "beta": 0.0, "judge": "single", "proxy": [], "length": []}
    one = base | {"seed": 0, "kl": [0.0, 2.0, 9.0], "gold": [0.0, 0.4, 5.0]}
    two = base | {"seed": 1, "kl": [0.0, 4.0], "gold": [0.2, 0.0]}
    means = mean_over_seeds([one, two])[32, 0.0, "single"]
    assert means["kl"] == [0.0, 3.0] and means["gold"] == [0.1, 0.2]


def test_seeds_are_averaged_update_by_update():
    base = {"kind": "ppo", "votes": 32, "beta": 0.0, "judge": "single"}
    one = base | {"seed": 0, "kl": [0.0, 2.0], "proxy": [0.0, 1.0], "gold": [0.0, 0.4], "length": [30.0, 20.0]}
    two = base | {"seed": 1, "kl": [0.0, 4.0], "proxy": [0.0, 3.0], "gold": [0.2, 0.0], "length": [32.0, 32.0]}
    means = mean_over_seeds([one, {"kind": "reward"}, two])
    assert means[32, 0.0, "single"] == {
        "kl": [0.0, 3.0],
        "proxy": [0.0, 2.0],
        "gold": [0.1, 0.2],
        "length": [31.0, 26.0],
        "seeds": [0, 1],
    }


def test_errors_share_their_quartiles_and_differ_in_their_tails():
    light, heavy = (errors(kind, 0.7, 200_000, 0) for kind in ("gaussian", "heavy"))
    for drawn in (light, heavy):
        assert np.quantile(drawn, 0.75) == pytest.approx(0.7 * 0.67449, abs=0.01)
    assert np.abs(heavy).max() > 20 * np.abs(light).max()


def test_light_errors_leave_a_better_best_and_heavy_ones_do_not():
    golds = np.random.default_rng(1).normal(size=20_000)
    ns = (1, 16, 512)
    light = gold_of_the_best(golds, "gaussian", 1.0, ns)
    heavy = gold_of_the_best(golds, "heavy", 1.0, ns)
    assert light[0]["gold"] == pytest.approx(golds.mean(), abs=1e-9)
    # of two unit normals' sum the gold's share is one half: E[gold | best of n] = E[max of n] / √2
    largest = np.random.default_rng(2).normal(size=(4000, 512)).max(1).mean()
    assert light[2]["gold"] == pytest.approx(largest / 2**0.5, abs=0.15)
    assert heavy[1]["gold"] > 0.2 and heavy[2]["gold"] < heavy[1]["gold"] < light[1]["gold"]
    assert heavy[2]["proxy"] > 10

"""What is read off an experiment's numbers, on numbers whose answer is known."""

from itertools import pairwise

import pytest

from core.alignment.experiments.clinic_reading import SHOWN, symptoms
from core.alignment.experiments.frontier_reading import Point, bought, mean_over_seeds
from core.alignment.experiments.toy_views import ToyConfig, toy_view


def test_height_at_a_price_is_linear_between_points_and_nothing_is_extrapolated():
    points = {
        "a": [Point(2.0, 1.0, "β = 1", 0), Point(4.0, 2.0, "β = 2", 0)],
        "b": [Point(6.0, 3.0, "β = 1", 0)],
        "c": [Point(1.0, 5.0, "n = 2", 0)],
    }
    found = bought(points, 3.0)
    assert {method: one.height for method, one in found.items()} == pytest.approx({"a": 1.5, "b": 1.5})
    assert found["a"].error is None  # of one seed nothing is known about chance


def test_height_at_a_price_of_several_seeds_is_their_mean_and_its_standard_error():
    lines = [Point(3.0, height, "β = 1", seed) for seed, height in enumerate((1.0, 2.0, 6.0))]
    far = [*lines, Point(1.0, 0.5, "β = 2", 0)]
    found = bought({"all": far, "one stopped short": [*lines[:2], Point(2.0, 9.0, "β = 1", 2)]}, 3.0)
    assert set(found) == {"all"}
    assert found["all"].height == pytest.approx(3.0)
    assert found["all"].error == pytest.approx(7**0.5 / 3**0.5)  # variance of 1, 2, 6 is 7
    assert mean_over_seeds(far) == [(1.0, 0.5, "β = 2"), (3.0, 3.0, "β = 1")]


def test_symptoms_are_ordered_by_distance_in_the_healthy_runs_range():
    healthy = {"gold": [0.0, 1.0, 2.0], "objective/kl_exact": [0.0, 4.0, 8.0], "val/ratio": [1.0, 1.0, 1.0]}
    sick = {
        "gold": [0.0, 1.0, 1.0],
        "objective/kl_exact": [0.0, 20.0, 40.0],
        "val/ratio": [1.0, 1.0, 1.005],
        "lr": [1.0],
    }
    found = symptoms(sick, healthy)
    assert [one.metric for one in found] == ["objective/kl_exact", "gold", "val/ratio"]
    by_metric = {one.metric: one for one in found}
    assert by_metric["objective/kl_exact"].distance == pytest.approx(32 / 8)
    assert by_metric["gold"].distance == pytest.approx(1 / 2)
    assert by_metric["val/ratio"].distance == pytest.approx(0.005 / 0.01)  # a curve that does not move: its hundredth
    assert set(by_metric) <= set(SHOWN)


def test_the_toys_view_is_whole_and_below_the_frontier():
    view = toy_view(ToyConfig(vocabulary=3, length=3, steps=200, samples=2000))
    assert view["sequences"] == 27
    frontier = view["frontier"]
    assert all(far["kl"] > near["kl"] and far["reward"] > near["reward"] for far, near in pairwise(frontier))
    optimum = view["optimum"]
    for one in (*view["exact"], *view["sampled"], *view["best_of_n"]):
        assert one["reward"] - 0.5 * one["kl"] <= optimum["reward"] - 0.5 * optimum["kl"] + 1e-9
    assert {one["estimator"] for one in view["estimators"]} == {"k1", "k2", "k3"}
    assert len(view["estimators"]) == 3 * len(frontier)

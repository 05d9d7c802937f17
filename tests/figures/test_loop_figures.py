"""The figures of Reward model and PPO show the numbers they are given, and nothing else."""

import math

import pytest

from core.figures.calibration import calibration
from core.figures.layered import Series, layered
from core.figures.palette import CONCEPTS
from core.figures.preference import preference
from core.figures.traits import traits

BINS = [{"confidence": 0.55, "accuracy": 0.5, "pairs": 40}, {"confidence": 0.9, "accuracy": 0.85, "pairs": 10}]


def test_calibration_plots_confidence_against_accuracy_with_area_by_count():
    points = calibration(BINS, dark=False).data[1]
    assert list(points.x) == [0.55, 0.9]
    assert list(points.y) == [0.5, 0.85]
    small, large = sorted(points.marker.size)
    assert large > small
    assert list(points.customdata) == [40, 10]


def test_calibration_of_nothing_still_draws_the_diagonal():
    diagonal = calibration([], dark=True).data[0]
    assert list(diagonal.x) == list(diagonal.y)


@pytest.mark.parametrize("difference", [-9.0, -1.0, 0.0, 0.3, 9.0])
def test_preference_marks_the_pair_on_the_logistic_curve(difference):
    figure = preference(difference, dark=False)
    marked = figure.data[-1]
    assert marked.y[0] == pytest.approx(1 / (1 + math.exp(-difference)))
    low, high = figure.layout.xaxis.range
    assert low < difference < high


def test_preference_does_not_overflow():
    assert preference(1e4, dark=True).data[-1].y[0] == 1.0


def test_traits_tell_the_two_measures_apart_without_colour():
    spec = traits(["Length", "Valence"], dark=False)
    rules = spec["layer"][1]["encoding"]
    assert len({tuple(dash) for dash in rules["strokeDash"]["scale"]["range"]}) == 2
    assert (rules["x"]["field"], rules["x2"]["field"]) == ("low", "high")
    assert spec["encoding"]["y"]["sort"] == ["Length", "Valence"]


def test_preference_draws_the_interval_on_the_curve_and_every_member():
    figure = preference(0.5, dark=False, interval=(0.4, 0.9), members=[0.2, 0.8])
    band, members = figure.data[2], figure.data[3]
    assert (min(band.y), max(band.y)) == (pytest.approx(0.4), pytest.approx(0.9))
    assert list(members.x) == [0.2, 0.8]
    assert list(members.y) == [pytest.approx(1 / (1 + math.exp(-delta))) for delta in (0.2, 0.8)]


@pytest.mark.parametrize("dark", [False, True])
def test_layered_lines_wear_their_concepts_colour_and_dash(dark):
    spec = layered([Series("exact", "kl"), Series("k1", "reference", width=1)], dark)
    assert spec["encoding"]["color"]["scale"]["range"] == [CONCEPTS["kl"].on(dark), CONCEPTS["reference"].on(dark)]
    dashes = spec["encoding"]["strokeDash"]["scale"]["range"]
    assert dashes[0] != dashes[1]
    drawn = [layer["transform"][0]["filter"]["equal"] for layer in spec["layer"] if "transform" in layer]
    assert drawn == ["exact", "k1"]


def test_layered_specification_does_not_depend_on_the_data():
    series = [Series("held out", "reward", points=True)]
    assert layered(series, False) == layered(list(series), False)

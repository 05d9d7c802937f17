"""The figures of the embeddings page show what they are given; names of tokens stay data, never part of a language."""

import math

import pytest

from core.figures.named_lines import NamedLine, named_lines
from core.figures.palette import RUNS
from core.figures.token_bars import token_bars
from core.figures.turning import on_circle, turning
from core.figures.ways import ways


def test_bars_leave_room_for_the_number_and_begin_at_zero():
    low, high = token_bars([0.6, 0.2], False, "cosine")["encoding"]["x"]["scale"]["domain"]
    assert low == 0 and high > 0.6
    low, high = token_bars([-0.2, 0.1], False, "cosine")["encoding"]["x"]["scale"]["domain"]
    assert low == -0.2 and high > 0.1
    assert token_bars([], True, "cosine")["encoding"]["x"]["scale"]["domain"][1] > 0


def test_bars_keep_the_given_order():
    assert token_bars([1.0], False, "x")["encoding"]["y"]["sort"] is None


def test_lines_differ_in_colour_and_dash():
    lines = [NamedLine("a", RUNS[0]), NamedLine("b", RUNS[1])]
    encoding = named_lines(lines, True, "x", "y")["encoding"]
    assert encoding["color"]["scale"]["range"] == [RUNS[0].dark, RUNS[1].dark]
    assert encoding["strokeDash"]["scale"]["range"][0] != encoding["strokeDash"]["scale"]["range"][1]
    assert named_lines(lines[:1], True, "x", "y", log_y=True)["encoding"]["y"]["scale"] == {"type": "log"}


def test_the_hand_points_at_the_chosen_position():
    points = [(math.cos(t), math.sin(t)) for t in range(6)]
    columns = on_circle(points, 4)
    rows = list(zip(columns["x"], columns["y"], columns["position"], columns["role"], strict=True))
    assert [row for row in rows if row[3] == "now"] == [(*points[4], 4, "now")]
    assert [row[:2] for row in rows if row[3] == "passed"] == points[:4]
    assert [row[:2] for row in rows if row[3] == "hand"] == [(0, 0), points[4]]
    drawn = [layer["transform"][0]["filter"]["equal"] for layer in turning(False)["layer"]]
    assert set(drawn) == {row[3] for row in rows}


@pytest.mark.parametrize("dark", [False, True])
def test_two_ways_stand_out_from_the_others(dark):
    spec = ways(("2  ␣dog", "7  ␣dog"), dark, (0.2, 0.1))
    assert spec["layer"][2]["encoding"]["color"]["scale"]["domain"] == ["2  ␣dog", "7  ␣dog"]
    assert spec["layer"][0]["transform"][0]["filter"] == {"not": {"field": "way", "oneOf": ["2  ␣dog", "7  ␣dog"]}}
    assert "20%" in spec["encoding"]["x"]["title"]

"""Lines over their bands: each told apart by colour and dash, no band where none was measured."""

import pytest

from core.figures.banded_lines import banded_lines
from core.figures.named_lines import NamedLine
from core.figures.palette import CONCEPTS

LINES = [NamedLine("mine", CONCEPTS["reward"], 2.5), NamedLine("theirs", CONCEPTS["reference"])]


@pytest.mark.parametrize("dark", [False, True])
def test_lines_wear_their_concepts_colour_and_dash_and_have_a_legend(dark):
    area, line, _ = banded_lines(LINES, dark, "votes", "share", share=True)["layer"]
    assert line["encoding"]["color"]["scale"]["range"] == [CONCEPTS[name].on(dark) for name in ("reward", "reference")]
    assert line["encoding"]["strokeDash"]["scale"]["range"] == [[1, 0], list(CONCEPTS["reference"].dash)]
    for layer in (area, line):  # one legend is shared: a layer without it would take it from the other
        assert layer["encoding"]["color"]["legend"]
    assert (area["encoding"]["y"]["field"], area["encoding"]["y2"]["field"]) == ("low", "high")
    assert area["transform"] == [{"filter": "isValid(datum.low)"}]


def test_what_guessing_gets_is_one_line_across():
    rule, *rest = banded_lines(LINES, False, "votes", "share", level=0.5)["layer"]
    assert rule["encoding"] == {"y": {"datum": 0.5}}, "with an x it would be drawn once a row"
    assert len(rest) == 3
    assert len(banded_lines(LINES[:1], False, "votes", "share")["layer"]) == 3


def test_shares_are_written_as_percentages_of_the_whole_range():
    _, line, hover = banded_lines(LINES, False, "votes", "share", share=True)["layer"]
    assert line["encoding"]["y"]["scale"] == {"domain": [0, 1]}
    assert [one["format"] for one in hover["encoding"]["tooltip"][2:]] == [".0%"] * 3

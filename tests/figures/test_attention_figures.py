"""The figures of the attention page hold what they were given."""

import pytest

from core.figures.contributions import contributions
from core.figures.paired_bars import paired_bars


@pytest.mark.parametrize("dark", [False, True])
def test_a_bar_a_part_with_its_sign_in_a_second_cue(dark):
    bars = contributions(["head 0", "head 1"], [1.5, -0.5], [2.0, 3.0], 1, dark).data[0]
    assert list(bars.x) == [1.5, -0.5]
    assert list(bars.customdata) == [2.0, 3.0]
    assert list(bars.marker.pattern.shape) == ["", "/"]
    assert list(bars.marker.opacity) == [0.55, 1.0]


def test_a_bar_a_token_and_distribution():
    both = paired_bars(["a", "a"], {"as it is": [0.6, 0.2], "off": [0.5, None]}, True)
    rows = both["data"]["values"]
    assert [row["probability"] for row in rows] == [0.6, 0.5, 0.2, None]
    assert len({row["token"] for row in rows}) == 2  # the same piece twice stays two bars
    assert both["encoding"]["fillOpacity"]["scale"]["range"] == [0.95, 0.25]
    alone = paired_bars(["a", "a"], {"as it is": [0.6, 0.2]}, False)
    assert {row["which"] for row in alone["data"]["values"]} == {"as it is"}
    assert alone["encoding"]["color"]["scale"]["domain"] == ["as it is"]

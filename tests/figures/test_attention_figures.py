"""The figures of the attention page hold what they were given."""

import pytest

from core.figures.contributions import contributions
from core.figures.next_token import next_token, next_token_rows


@pytest.mark.parametrize("dark", [False, True])
def test_a_bar_a_part_with_its_sign_in_a_second_cue(dark):
    bars = contributions(["head 0", "head 1"], [1.5, -0.5], [2.0, 3.0], 1, dark).data[0]
    assert list(bars.x) == [1.5, -0.5]
    assert list(bars.customdata) == [2.0, 3.0]
    assert list(bars.marker.pattern.shape) == ["", "/"]
    assert list(bars.marker.opacity) == [0.55, 1.0]


def test_two_rows_a_token_and_one_where_nothing_was_changed():
    rows = next_token_rows(["a", "a"], [0.6, 0.2], [0.5, 0.3])
    assert [row["probability"] for row in rows] == [0.6, 0.5, 0.2, 0.3]
    assert len({row["token"] for row in rows}) == 2  # the same piece twice stays two bars
    alone = next_token_rows(["a", "a"], [0.6, 0.2])
    assert {row["which"] for row in alone} == {"as it is"}
    assert next_token(False, both=False)["encoding"]["color"]["scale"]["domain"] == ["as it is"]
    assert next_token(True)["encoding"]["fillOpacity"]["scale"]["range"] == [0.95, 0.25]

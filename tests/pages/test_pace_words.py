"""A forecast in words: rounded as it deserves, never nought."""

import pytest

from pages._parts.pace_words import left_in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "about 5 s left"),
        (18, "about 20 s left"),
        (89, "about 90 s left"),
        (95, "about 2 min left"),
        (3000, "about 50 min left"),
        (9000, "about 2.5 h left"),
    ],
)
def test_a_span_is_rounded(seconds, words):
    assert left_in_words(seconds) == words


def test_what_may_end_early_is_told_as_a_limit():
    assert left_in_words(40, at_most=True) == "at most 40 s left"

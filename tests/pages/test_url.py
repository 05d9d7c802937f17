"""Numbers in the URL: whatever a hand has written there, a page opens."""

import pytest

from pages._parts.url import whole
from tests.pages.page_helpers import opened


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("17", 17), ("", None), ("-1", None), ("²", None), ("٣", None)])
def test_plain_digits_are_a_number_and_nothing_else_is(text, number):
    assert whole(text) == number
    assert whole("9" * 5000) is None  # more digits than Python turns into a number


@pytest.mark.parametrize(
    ("page", "url"),
    [
        ("embeddings", {"sum": "²-1"}),
        ("embeddings", {"part": "Vocabulary", "cloud": "9" * 5000, "cloud_only": "20"}),
        ("transformer_block", {"part": "Writing", "shown": "²", "at": "³"}),
        ("attention", {"arcs": "²"}),
    ],
)
def test_a_page_opens_all_the_same(page, url):
    opened(page, **url)

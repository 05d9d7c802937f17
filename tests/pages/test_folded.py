"""What is folded away is made once it is opened, and every function that a page names for showing is there."""

import re
from pathlib import Path

import pytest

from pages._parts.code import _named
from tests.pages.page_helpers import PAGES, opened, said, unfolded

NAMED = sorted(
    {name for file in Path(PAGES).rglob("*.py") for name in re.findall(r'"(core\.[\w.]+:\w+)"', file.read_text())}
)


@pytest.mark.parametrize("name", NAMED)
def test_every_function_that_a_page_shows_stands_where_it_says(name):
    source, file, first = _named(name)
    assert re.match(r"(@.*\n)*(def|class) " + name.split(":")[1], source)
    assert file.read_text(encoding="utf-8").splitlines()[first - 1] == source.splitlines()[0]


@pytest.mark.parametrize(
    ("page", "label", "inside"),
    [
        ("overview", "How that run went, and the command that repeats it", "python -m core gallery"),
        ("goodhart", "Where each run ended, in numbers", "farther below its peak"),
        ("attention", "Show the code that ran", "core/anatomy/"),
    ],
)
def test_folded_things_are_there_once_they_are_opened_and_not_before(page, label, inside):
    at = opened(page)
    assert inside not in said(at)
    assert inside in said(unfolded(at, label))

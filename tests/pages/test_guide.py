"""Glossary, underlined words and the keyboard map: what a page says of itself is so."""

import re

import pytest

from core.glossary import TERMS
from pages._parts import keys, terms
from pages._parts.keys import FIGURES, SHORTCUTS
from tests.pages.page_helpers import PAGES, opened, said

OPENED = {
    "Label, compare two": ("label", {"again": "false"}),
    "Label, rank four": ("label", {"answer": "Rank four"}),
    "Before and after, blind vote": ("before_after", {"view": "Blind vote"}),
    "Attention, one head": ("attention", {}),
    "The block, writing": ("transformer_block", {"part": "Writing"}),
}


@pytest.fixture
def nothing_seen(monkeypatch):
    monkeypatch.setattr(terms.st, "session_state", {})


def test_a_word_is_explained_once_a_page(nothing_seen):
    first = terms.marked("KL is paid by the policy.")
    assert first.count('class="term"') == 2
    assert 'data-see="ppo"' in first and 'role="button" tabindex="0"' in first
    assert terms.marked("KL again.") == "KL again."
    terms.begin_page()
    assert 'class="term"' in terms.marked("KL again.")


def test_code_formulas_links_and_markup_stay_as_they_are(nothing_seen):
    for text in ("`policy`", "$KL$", "[policy](x)", '<b title="policy">x</b>', ":orange[KL]", "![KL](y)"):
        assert terms.marked(text) == text


def test_a_claim_and_an_answer_carry_their_words():
    at = opened("goodhart")
    assert any('class="term"' in element.proto.body for element in at.get("html"))
    assert any('class="term"' in element.value for element in at.markdown)


def test_the_glossary_lists_all_and_finds_some():
    words = said(opened("glossary"))
    assert all(f"<b>{term.name.replace(chr(39), '&#x27;')}</b>" in words for term in TERMS)
    few = said(opened("glossary", word="causal mask"))
    assert "<b>causal mask</b>" in few and "<b>KL</b>" not in few
    assert "No entry has all of these words" in said(opened("glossary", word="zebra"))


@pytest.mark.parametrize("where", OPENED)
def test_the_map_names_exactly_the_shortcuts_of_the_page(where):
    page, url = OPENED[where]
    found = {button.proto.shortcut for button in opened(page, **url).button if button.proto.shortcut}
    (named,) = (one for one in SHORTCUTS if one.where == where)
    assert found == {key.lower() for key, _ in named.does}


def test_every_place_with_shortcuts_is_tested():
    assert {one.where for one in SHORTCUTS} == set(OPENED)
    with_shortcuts = {path.parent.name for path in PAGES.rglob("*.py") if re.search(r"\bshortcut=", path.read_text())}
    assert with_shortcuts == {f"_{page}" for page, _ in OPENED.values()}


def test_every_key_that_a_figure_listens_to_is_on_the_map():
    arrows = {"ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓", " ": "Space"}
    listened = set()
    for path in PAGES.rglob("*.js"):
        text = path.read_text()
        listened |= set(re.findall(r"\b(Arrow\w+|Home|End|Enter|Escape)\b(?=[\"':])", text))
        listened |= set(re.findall(r'event\.key [!=]== "([^"]+)"', text))
    told = " ".join(key for one in keys.all_keys() for key, _ in one.does)
    assert {"ArrowLeft", "Enter", "Escape", "+", "?"} <= listened
    assert all(arrows.get(key, key) in told for key in listened)
    assert FIGURES


def test_the_keyboard_page_shows_the_whole_map():
    words = said(opened("keyboard"))
    assert words.count("<kbd>") == sum(len(one.does) for one in keys.all_keys())


def test_how_it_is_built_is_drawn_from_the_imports():
    at = opened("architecture")
    (drawing,) = at.get("graphviz_chart")
    assert "runs -> alignment" in drawing.proto.spec and "alignment -> runs" not in drawing.proto.spec
    assert "uses alignment" in said(at)

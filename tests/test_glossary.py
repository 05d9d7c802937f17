"""The glossary: true to one source, found in prose where it is meant, and nowhere else."""

import re

from core.glossary import TERMS
from core.glossary_search import first_occurrences, search
from tests.pages.page_helpers import PAGES


def names(text: str, known=(), outside=()) -> list[str]:
    return [one.term.name for one in first_occurrences(text, known, outside)]


def test_every_term_is_defined_in_one_or_two_sentences_and_can_be_seen_somewhere():
    assert len(TERMS) >= 45
    assert len({term.name for term in TERMS}) == len(TERMS)
    for term in TERMS:
        assert (PAGES / f"{term.page}.py").exists(), term.name
        assert term.means[-1] == "." and len(term.means) <= 240, term.name
        assert len(re.findall(r"[.?!](?=\s+[A-Z0-9]|$)", term.means)) <= 3, term.name


def test_what_must_be_there_is_there():
    wanted = (
        "policy", "reference", "reward model", "KL", "β", "advantage", "GAE", "clip fraction", "entropy", "logit",
        "head", "query, key, value", "calibration", "Bradley–Terry", "log-ratio",
    )  # fmt: skip
    for word in wanted:
        assert search(word), word


def test_only_the_first_use_of_a_term_and_only_of_whole_words():
    text = "The policy pays KL: one policy, two policies. PPOs, K1 and non-policy are no terms; k1 is."
    found = first_occurrences(text)
    assert [(one.term.name, text[one.start : one.end]) for one in found] == [
        ("policy", "policy"),
        ("KL", "KL"),
        ("k1", "k1"),
    ]
    assert found[0].start == text.index("policy")


def test_the_longest_form_wins():
    assert names("the gold win rate") == ["gold", "gold win rate"]
    assert names("a clip fraction of a reward model") == ["clip fraction", "reward model"]


def test_what_is_known_or_outside_is_passed_over():
    assert names("policy and KL", known={"policy"}) == ["KL"]
    assert names("`policy` and policy", outside=[(0, 8)]) == ["policy"]
    assert first_occurrences("`policy` and policy", outside=[(0, 8)])[0].start == 13


def test_search_puts_names_before_definitions_and_wants_every_word():
    found = [term.name for term in search("mask")]
    assert found[0] == "causal mask"
    assert {term.name for term in search("advantage token")} >= {"advantage"}
    assert search("no such word here") == []
    assert len(search("")) == len(TERMS)

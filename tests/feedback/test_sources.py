import gzip
import json
import logging

import pytest

from core.errors import PlaygroundError
from core.feedback import sources
from core.feedback.annotators import get_annotator
from core.feedback.interchange import import_preferences, write_preferences
from core.feedback.pairs import PreferencePair
from core.feedback.sources import bundled_pairs, in_words, load_preferences
from core.feedback.store import FeedbackStore, NewPair

HAPPY, SAD = " She was happy and loved her wonderful friend.", " He was sad and hated the terrible rain."


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    path = tmp_path / "pairs.jsonl.gz"
    rows = [{"prompt": f"Day {i}.", "response_a": HAPPY + str(i), "response_b": SAD, "seed": i} for i in range(300)]
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    monkeypatch.setattr(sources, "BUNDLED", path)
    return rows


def test_votes_of_one_and_of_all():
    store = FeedbackStore()
    store.add_pairs([NewPair(f"p{i}", "a", "b", "storyteller", "stories") for i in range(2)], "generated")
    for annotator in ("ann", "bob", "name:with colon"):
        store.vote(store.next_pair(annotator, "storyteller", "stories"), annotator, "left")
    assert load_preferences("votes:ann", store) == store.preference_pairs("ann")
    assert load_preferences("votes:name:with colon")[0].annotator == "name:with colon"
    assert len(load_preferences("votes")) == 3


def test_a_file_and_a_dataset_give_the_same(tmp_path, caplog):
    pairs = [PreferencePair("p", "c", "r"), PreferencePair("p", "c", "r2", 0.5)]
    path = tmp_path / "p.csv"
    write_preferences(pairs, path)
    dataset = import_preferences(path, FeedbackStore()).dataset_id
    assert load_preferences(str(path)) == load_preferences(f"dataset:{dataset}")
    assert set(load_preferences(str(path))) == set(pairs)
    with path.open("a") as file:
        file.write("p,same,same,\r\n")
    with caplog.at_level(logging.WARNING):
        assert len(load_preferences(str(path))) == 2
    assert "1 rows left out" in caplog.text
    assert "line 4" in caplog.text


@pytest.mark.parametrize(
    "source",
    [
        "votes",
        "votes:nobody",
        "votes:",
        "dataset:12",
        "dataset:x",
        "bundled:nobody",
        "no/such/file.jsonl",
        "",
        "bundled:",
        ".",
    ],
)
def test_a_source_without_comparisons_is_named(bundle, source):
    with pytest.raises(PlaygroundError) as error:
        load_preferences(source)
    assert source in str(error.value)


def test_a_file_with_nothing_usable_says_why(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text('{"prompt": "a"}\n')
    with pytest.raises(
        PlaygroundError,
        match=r"p\.jsonl: none of its 1 rows is usable; the first, line 1: no answers found: the columns are prompt",
    ):
        load_preferences(str(path))


def test_the_bundled_pairs_may_be_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "BUNDLED", tmp_path / "none.jsonl.gz")
    for ask in (bundled_pairs, lambda: load_preferences("bundled:sunny")):
        with pytest.raises(PlaygroundError, match="bundled"):
            ask()


def test_a_simulated_annotator_votes_on_the_bundle_the_same_way_every_time(bundle):
    """Two utilities one apart either way have sd of about half that gap: σ(2 · 2) = 0.98 of votes go the happy way."""
    votes = load_preferences("bundled:sunny")
    assert votes == load_preferences("bundled:sunny")
    assert {vote.annotator for vote in votes} == {"sunny"}
    sunny = get_annotator("sunny")
    assert sunny.utility("", HAPPY) > sunny.utility("", SAD)
    assert 0.95 < sum(vote.chosen.startswith(HAPPY) for vote in votes) / len(votes) < 1.0


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("simulated:sunny:1536", "1,536 votes of Sunny"),
        ("bundled:terse", "the bundled pairs, Terse voting"),
        ("votes", "everybody's votes"),
        ("votes:ada", "votes of ada"),
        ("dataset:3", "data set 3"),  # none there
        ("/somewhere/pairs.jsonl", "pairs.jsonl"),
        ("simulated:nobody:1536", "simulated:nobody:1536"),
        ("simulated:sunny:many", "simulated:sunny:many"),
    ],
)
def test_a_source_in_words(source, words):
    assert in_words(source) == words

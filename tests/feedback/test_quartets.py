import gzip
import json

import pytest

from core.errors import PlaygroundError
from core.feedback import quartets
from core.feedback.quartets import READING_TEMPERATURE, bundled_quartets, fill_pool
from core.feedback.store import FeedbackStore


def test_the_bundled_sets_fill_the_pool_once(tmp_path, monkeypatch):
    rows = [
        {"prompt": f"p{n}", "responses": [f" {letter}{n}" for letter in "abcd"], "seed": 0, "temperature": 0.8}
        for n in range(3)
    ]
    path = tmp_path / "quartets.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    monkeypatch.setattr(quartets, "BUNDLED_QUARTETS", path)
    store = FeedbackStore()
    assert (fill_pool(store), fill_pool(store)) == (3, 0)
    assert store.waiting("ann", "storyteller", "stories") == 6
    assert store.waiting_quartets("ann", "storyteller", "stories") == 3


def test_the_bundled_sets_may_be_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(quartets, "BUNDLED_QUARTETS", tmp_path / "none.jsonl.gz")
    with pytest.raises(PlaygroundError, match="Install again"):
        fill_pool(FeedbackStore())


def test_the_first_vote_and_the_first_ranking_never_wait():
    store = FeedbackStore()
    fill_pool(store)
    assert store.waiting("ann", "storyteller", "stories") >= 200
    assert store.waiting_quartets("ann", "storyteller", "stories") >= 100
    assert {four.settings["temperature"] for four in bundled_quartets()} == {READING_TEMPERATURE}

"""A hosted server in this process, and something to vote on."""

import pytest

from core.feedback.store import FeedbackStore, NewPair, NewQuartet
from core.hosting import sign_in
from core.hosting.people import ask_with


@pytest.fixture
def hosted(monkeypatch):
    """A hosted server in this process, which has no idea who acts unless a test says so."""
    monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", "1")
    monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD", "a class of forty")
    ask_with(lambda: None)
    sign_in._tries.storage.reset()
    yield
    ask_with(None)


@pytest.fixture
def store(own_home):
    made = FeedbackStore()
    made.add_pairs([NewPair(f"Day {n}:", " good", f" bad {n}", "storyteller", "stories") for n in range(6)], "written")
    four = tuple(f" way {n}" for n in range(4))
    made.add_quartets([NewQuartet("Four:", four, "storyteller", "stories", 0, {})], "written")
    return made

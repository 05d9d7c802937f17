"""Label as a person meets it: a pair, a vote that is kept, a way back."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.feedback.habits import Share
from core.feedback.store import FeedbackStore, NewPair

PAGE = Path(__file__).parents[2] / "pages" / "label.py"
PAIRS = 40  # enough that no more are written while a test runs


@pytest.fixture
def store(monkeypatch):
    """A store with pairs of the test's own, and no bundled ones."""
    monkeypatch.setattr("core.feedback.sources.bundled_pairs", list)
    store = FeedbackStore()
    store.add_pairs(
        [
            NewPair(f"Prompt {n}.", f" Short {n}.", f" A much longer response, number {n}.", "storyteller", "stories")
            for n in range(PAIRS)
        ],
        pool="test",
    )
    return store


def opened(**url: str) -> AppTest:
    at = AppTest.from_file(str(PAGE), default_timeout=30)
    for name, value in url.items():
        at.query_params[name] = value
    return at.run()


def press(at: AppTest, key: str) -> AppTest:
    at = at.button(key=key).click().run()
    assert not at.exception
    return at


def shown(at: AppTest) -> str:
    return "\n".join(element.proto.body for element in at.get("html"))


def test_the_first_screen_shows_a_pair_and_its_prompt(store):
    at = opened()
    assert not at.exception
    first = store.next_pair("me", "storyteller", "stories")
    for text in (first.prompt, first.left.strip(), first.right.strip()):
        assert text in shown(at)


@pytest.mark.parametrize("choice", ["left", "right", "tie", "skip"])
def test_a_vote_is_kept_as_shown_and_the_next_pair_comes(store, choice):
    at = opened(annotator="ada")
    first = store.next_pair("ada", "storyteller", "stories")
    at = press(at, f"vote_{choice}")
    (vote,) = store.votes("ada")
    assert (vote.choice, vote.left, vote.right, vote.policy) == (choice, first.left, first.right, "storyteller")
    assert vote.response_seconds is not None
    assert 0 <= vote.response_seconds < 60
    assert "Saved" in shown(at)
    assert first.prompt not in shown(at)
    assert store.next_pair("ada", "storyteller", "stories").prompt in shown(at)


def test_undo_goes_back_any_number_of_steps(store):
    at = opened()
    assert at.button(key="undo").disabled
    first = store.next_pair("me", "storyteller", "stories")
    for key in ("vote_left", "vote_tie", "vote_right"):
        at = press(at, key)
    for _ in range(3):
        at = press(at, "undo")
    assert store.votes("me") == []
    assert first.prompt in shown(at)
    assert len(store.votes("me", include_undone=True)) == 3
    assert at.button(key="undo").disabled


def test_a_refresh_shows_the_same_pair_with_the_same_sides(store):
    assert shown(opened(annotator="ada")) == shown(opened(annotator="ada"))


def test_sides_differ_between_pairs(store):
    seen = {
        store.next_pair("me", "storyteller", "stories", skip=range(n)).left.startswith(" Short") for n in range(1, 30)
    }
    assert seen == {True, False}


def test_keys_for_every_answer(store):
    at = opened()
    keys = {
        key: at.button(key=key).proto.shortcut for key in ("vote_left", "vote_right", "vote_tie", "vote_skip", "undo")
    }
    assert keys == {"vote_left": "left", "vote_right": "right", "vote_tie": "t", "vote_skip": "s", "undo": "u"}


def test_strength_belongs_to_one_vote(store):
    at = opened()
    at.segmented_control(key="strength").set_value("clearly").run()
    at = press(at, "vote_left")
    at = press(at, "vote_right")
    newest_first = sorted(store.votes("me"), key=lambda vote: -vote.id)
    assert [vote.strength for vote in newest_first] == [None, 2.0]


def test_each_name_has_its_own_votes(store):
    press(opened(annotator="ada"), "vote_left")
    press(opened(annotator="bob"), "vote_right")
    assert {vote.annotator: vote.choice for vote in store.votes()} == {"ada": "left", "bob": "right"}


def test_a_stale_double_press_is_one_vote(store):
    at = opened()
    stale = store.next_pair("me", "storyteller", "stories")
    press(at, "vote_left")
    store.vote(stale, "me", "left")  # what a second press before the next pair arrives amounts to
    assert len(store.votes("me")) == 1


def test_model_text_is_shown_and_never_interpreted(store):
    hostile = NewPair(":red[x]", "<b onclick='x()'>bold</b>", "$x$ ![i](http://x)", "storyteller", "chat")
    plain = [NewPair(f"Prompt {n}.", f" One {n}.", f" Two {n}.", "storyteller", "chat") for n in range(PAIRS)]
    store.add_pairs([hostile, *plain], "test")
    at = opened(prompts="Chat")
    assert "&lt;b onclick=" in shown(at)
    assert "<b onclick" not in shown(at)
    assert "$x$ ![i](http://x)" in shown(at)


def test_habits_follow_the_votes(store):
    at = opened()
    assert any("After your first votes" in text.value for text in at.markdown)
    for _ in range(8):
        at = press(at, "vote_left")
    (sentence,) = [text.value for text in at.markdown if "the left text" in text.value]
    assert "8 of 8 times" in sentence
    assert Share(8, 8).leans
    assert "a lean towards it" in sentence


def test_twenty_votes_call_to_train(store):
    at = opened(annotator="ada")
    for _ in range(19):
        at = press(at, "vote_left")
    assert not any("Train a reward model" in link.proto.label for link in at.get("page_link"))
    at = press(at, "vote_left")
    (link,) = [link.proto for link in at.get("page_link") if "Train a reward model" in link.proto.label]
    assert "20 votes" in link.label
    assert "ada" in link.query_string

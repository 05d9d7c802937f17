"""Label as a person meets it: a pair, a vote that is kept, a way back."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.feedback.own_prompts import LONGEST, add_own_prompts, own_prompts_of, set_of
from core.feedback.store import FeedbackStore, NewPair, NewQuartet
from core.share import Share
from tests.pages.page_helpers import said

PAGE = Path(__file__).parents[2] / "pages" / "label.py"
PAIRS = 40  # enough that no more are written while a test runs


@pytest.fixture
def store(monkeypatch):
    """A store with pairs of the test's own, and no bundled ones."""
    monkeypatch.setattr("core.feedback.quartets.bundled_quartets", list)
    store = FeedbackStore()
    store.add_pairs(
        [
            NewPair(f"Prompt {n}.", f" Short {n}.", f" A much longer response, number {n}.", "storyteller", "stories")
            for n in range(PAIRS)
        ],
        pool="test",
    )
    return store


@pytest.fixture
def fours(store):
    """Sets of four beside the pairs."""
    texts = [tuple(f" {letter} {n}" for letter in ("one", "two", "three", "four")) for n in range(8)]
    store.add_quartets(
        [NewQuartet(f"Four {n}.", four, "storyteller", "stories") for n, four in enumerate(texts)], "test"
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


def test_a_pair_that_another_tab_has_answered_is_told(store):
    at = opened()
    shown_here = store.next_pair("me", "storyteller", "stories")
    store.vote(shown_here, "me", "left")
    at = press(at, "vote_right")
    assert [vote.choice for vote in store.votes("me")] == ["left"]
    assert "You had answered that pair already (another tab?): left. That answer stands." in shown(at)


def test_model_text_is_shown_and_never_interpreted(store):
    hostile = NewPair(":red[x]", "<b onclick='x()'>bold</b>", "$x$ ![i](http://x)", "storyteller", "chat")
    plain = [NewPair(f"Prompt {n}.", f" One {n}.", f" Two {n}.", "storyteller", "chat") for n in range(PAIRS)]
    store.add_pairs([hostile, *plain], "test")
    at = opened(prompts="Chat")
    assert "&lt;b onclick=" in shown(at)
    assert "<b onclick" not in shown(at)
    assert "$x$ ![i](http://x)" in shown(at)


def test_habits_follow_the_votes(store):
    at = opened(again="false", report="My report")
    assert any("After your first votes" in text.value for text in at.markdown)
    for _ in range(8):
        at = press(at, "vote_left")
    (sentence,) = [text.value for text in at.markdown if "You chose **the left text**" in text.value]
    assert "8 of 8 times" in sentence
    assert Share(8, 8).leans
    assert "a lean towards it" in sentence


def test_twenty_votes_call_to_train(store):
    at = opened(annotator="ada", again="false")
    for _ in range(19):
        at = press(at, "vote_left")
    assert not any("Train a reward model" in link.proto.label for link in at.get("page_link"))
    at = press(at, "vote_left")
    (link,) = [link.proto for link in at.get("page_link") if "Train a reward model" in link.proto.label]
    assert "20 votes" in link.label
    assert "ada" in link.query_string


def test_undo_says_what_it_took_back(store):
    at = opened()
    first = store.next_pair("me", "storyteller", "stories")
    at = press(at, "vote_tie")
    at = press(at, "undo")
    assert f"Taken back: a tie, on “{first.prompt}”" in shown(at)


def test_what_was_taken_back_is_asked_before_all_else(store, monkeypatch):
    """Even where another pair is preferred by now."""
    prefer = [30]
    monkeypatch.setattr("pages._label.choosing.choosing", lambda *_: prefer)
    at = opened(again="false")
    assert "Prompt 29." in shown(at)  # pair 30
    at = press(at, "vote_left")
    prefer[:] = [10]
    at = press(at, "undo")
    assert "Prompt 29." in shown(at)
    at = press(at, "vote_right")
    assert "Prompt 9." in shown(at)


def test_four_are_ranked_by_clicks_in_order(fours):
    at = opened(answer="Rank four")
    four = fours.next_quartet("me", "storyteller", "stories")
    for text in (four.prompt, *four.responses):
        assert text.strip() in shown(at)
    assert at.button(key="rank_save").disabled
    for place in (2, 0, 1):
        at = press(at, f"rank_{place}")
    at = press(at, "rank_back")
    at = press(at, "rank_3")
    at = press(at, "rank_1")
    at = press(at, "rank_save")
    best_first = [four.responses[place] for place in (2, 0, 3, 1)]
    learnt = {(pair.chosen, pair.rejected) for pair in fours.preference_pairs("me")}
    assert learnt == {(a, b) for i, a in enumerate(best_first) for b in best_first[i + 1 :]}
    assert "Saved: 6 comparisons" in shown(at)
    assert fours.next_quartet("me", "storyteller", "stories").prompt in shown(at)


def test_what_one_person_has_clicked_is_not_another_persons_order(fours):
    """Each sees the four in an order of their own: a place is another text."""
    at = opened(answer="Rank four")
    at = press(at, "rank_0")
    at.text_input(key="annotator").set_value("bob").run()
    assert at.button(key="rank_save").disabled
    four = fours.next_quartet("bob", "storyteller", "stories")
    at = press(at, "rank_0")
    at = press(at, "rank_save")
    assert {pair.chosen for pair in fours.preference_pairs("bob")} == {four.responses[0]}
    assert fours.preference_pairs("me") == []


def test_a_ranking_in_part_is_only_what_was_decided_and_one_undo_takes_it_back(fours):
    at = opened(answer="Rank four")
    four = fours.next_quartet("me", "storyteller", "stories")
    at = press(at, "rank_1")
    assert any("this is 3 comparisons" in caption.value for caption in at.caption)
    at = press(at, "rank_save")
    assert {pair.chosen for pair in fours.preference_pairs("me")} == {four.responses[1]}
    assert len(fours.preference_pairs("me")) == 3
    at = press(at, "undo")
    assert fours.preference_pairs("me") == []
    assert "Taken back: a ranking of four responses" in shown(at)
    assert four.prompt in shown(at)


def test_a_set_of_four_can_be_skipped(fours):
    at = opened(answer="Rank four")
    four = fours.next_quartet("me", "storyteller", "stories")
    at = press(at, "rank_skip")
    assert fours.preference_pairs("me") == []
    assert four.prompt not in shown(at)


def test_keys_of_the_ranking(fours):
    at = opened(answer="Rank four")
    keys = ("rank_0", "rank_3", "rank_save", "rank_back", "rank_skip", "undo")
    assert [at.button(key=key).proto.shortcut for key in keys] == ["1", "4", "enter", "backspace", "s", "u"]


def test_ones_own_better_response_is_kept_and_undone(store):
    at = opened(annotator="ada", again="false")
    pair = store.next_pair("ada", "storyteller", "stories")
    at = press(at, "write")
    at = press(at, "own_Start from left")
    assert at.text_area(key="own_text").value == pair.left.strip()
    at = press(at, "own_save")
    assert "Not saved" in shown(at)  # the same text is not better than itself
    at.text_area(key="own_text").set_value("a better one").run()
    at = press(at, "own_save")
    assert {(p.chosen, p.rejected) for p in store.preference_pairs("ada")} == {
        (" a better one", pair.left), (" a better one", pair.right),
    }  # fmt: skip
    assert pair.prompt in shown(at)  # its own vote is still to be given
    at = press(at, "undo")
    assert store.preference_pairs("ada") == []
    assert "your own response “a better one”" in shown(at)


def test_a_better_response_waits_while_another_pair_comes_between(store, monkeypatch):
    monkeypatch.setattr("core.runs.supervisor.submit", Submitted())
    at = press(opened(annotator="ada", again="false"), "write")
    pair = store.next_pair("ada", "storyteller", "stories")
    at.text_area(key="own_text").set_value("half a thought").run()
    at = press(at, "own_close")
    at = press(at, "write")
    assert at.text_area(key="own_text").value == "half a thought"
    at.text_area(key="own_prompts_text").set_value("A cat named").run()
    at = press(at, "own_prompts_add")
    assert pair.prompt not in shown(at)  # one's own prompts are asked now
    at.selectbox(key="prompts").set_value("stories").run()
    assert pair.prompt in shown(at) and at.text_area(key="own_text").value == "half a thought"


def test_a_hidden_repeat_is_not_told_and_can_be_switched_off(store):
    while (repeat := store.next_repeat("me", "storyteller", "stories")) is None:
        store.vote(store.next_pair("me", "storyteller", "stories"), "me", "left", response_seconds=1.0)
    at, told = opened(), "one you had answered before"
    assert repeat.prompt in shown(at) and told not in said(at)
    before = store.count("me")
    at = press(at, "vote_left")
    assert [len(store.repeats("me")), store.count("me")] == [1, before]
    assert told in said(at)  # behind the answer: a counter that stands still would look broken
    at = press(at, "undo")
    assert repeat.prompt in shown(at) and told not in said(at)
    at.toggle(key="again").set_value(False).run()
    assert repeat.prompt not in shown(at)
    assert "one pair in ten comes twice" in at.toggle(key="again").help


def test_ones_own_prompts_are_kept_and_voted_on(store, monkeypatch):
    monkeypatch.setattr("core.runs.supervisor.submit", submitted := Submitted())
    at = opened(annotator="ada", prompts="My own prompts")
    assert any("no prompts of your own yet" in info.value for info in at.info)
    at.text_area(key="own_prompts_text").set_value("A cat named\n\nA dog named\n" + "x" * 100_000).run()
    at = press(at, "own_prompts_add")
    assert [len(text) for text in own_prompts_of("ada")] == [11, 11, LONGEST]
    assert any("Kept: 3 new prompts. 1 cut to 2,000 characters" in told.value.replace("\\", "") for told in at.success)
    assert "Kept: 3 new prompts." in shown(at)  # beside the pair too: the popover is closed by then
    assert submitted.job.prompts == set_of("ada")
    pool = ("storyteller", set_of("ada"))
    store.add_pairs([NewPair("A dog named", f" {n}", f" {n} and more", *pool) for n in range(PAIRS)], "written")
    at = opened(annotator="ada", prompts="My own prompts")
    assert "A dog named" in shown(at)
    at = press(at, "vote_left")
    assert store.votes("ada")[0].prompt_set == "own:ada"


def test_of_two_prompts_that_begin_alike_the_chosen_one_is_taken_back(store):
    alike = [f"{'Once there was a bear who liked ' * 3}{what}" for what in ("honey.", "jam.")]
    add_own_prompts("ada", alike)
    at = opened(annotator="ada", prompts="My own prompts")
    first, second = at.multiselect(key="own_prompts_gone").options
    assert first != second
    at = at.multiselect(key="own_prompts_gone").select(alike[0]).run()
    press(at, "own_prompts_remove")
    assert own_prompts_of("ada") == alike[1:]


def test_prompts_that_are_no_text_are_refused(store):
    at = opened(annotator="ada")
    at.text_area(key="own_prompts_text").set_value("fine\na\0b").run()
    at = press(at, "own_prompts_add")
    assert any("NUL" in told.value for told in at.warning)
    assert own_prompts_of("ada") == []


class Submitted:
    """Stands for the supervisor: remembers the job and makes its row, but starts no process."""

    def __call__(self, job):
        from core.runs.store import RunStore

        self.job = job
        return RunStore().create(job).id

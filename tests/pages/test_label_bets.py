"""The bet, the learning curve, the choice of the next pair and the report, as a person meets them on Label."""

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.alignment.live.bets import bet
from core.alignment.live.live_head import fit_live_head
from core.alignment.live.next_pair import expected_information
from core.feedback.candidates import candidates
from core.feedback.store import FeedbackStore, NewPair
from core.runs.store import RunStore
from pages._label import live as live_page
from tests.pages.page_helpers import a_run, fine, opened, said

PAIRS = 40  # enough that no more are written while a test runs
MOODS = [
    " It was a sad bad day.",
    " It was a happy and wonderful day.",
    " He went home.",
    " The dog barked a lot that day, and ran.",
]


@pytest.fixture
def store(monkeypatch):
    """A store with pairs of the test's own, and caches of the test's own."""
    monkeypatch.setattr("core.feedback.quartets.bundled_quartets", list)
    monkeypatch.setattr("core.feedback.repeats.SHARE", 0.0)  # no hidden repeats, but in the test that is about them
    st.cache_resource.clear()
    store = FeedbackStore()
    store.add_pairs(
        [
            NewPair(f"Prompt {n}.", MOODS[n % 4], MOODS[(n + 1 + n // 4) % 4] + " Yes.", "storyteller", "stories")
            for n in range(PAIRS)
        ],
        pool="test",
    )
    return store


def votes(store, name: str = "me", count: int = 12, pick=lambda pair: "left") -> list:
    """`count` votes of `name`, one after the other."""
    given = []
    for _ in range(count):
        pair = store.next_pair(name, "storyteller", "stories")
        given.append(store.vote(pair, name, pick(pair)))
    return given


def all_read(store) -> None:
    """Every pair's hidden states are there, as a moment later."""
    shelf = live_page.shelf("storyteller")
    shelf.want([(f"Prompt {n}.", text) for n in range(PAIRS) for mood in MOODS for text in (mood, mood + " Yes.")])
    assert shelf.wait(240)


def happier(pair) -> str:
    """Who likes happy days, and else the text that sorts first, on whichever side it stands."""
    left, right = ((("happy" in text) - ("sad" in text), text < other) for text, other in
                   ((pair.left, pair.right), (pair.right, pair.left)))  # fmt: skip
    return "left" if left > right else "right"


def test_before_the_first_vote_nothing_is_bet_and_simulated_people_fill_the_picture(store):
    at = opened("label")
    assert "its first bet follows your first vote" in said(at)
    assert "Vote, and your own curve grows here" in said(at)
    assert at.get("arrow_vega_lite_chart") or at.get("vega_lite_chart")


def test_the_bet_is_sealed_before_the_vote_and_opened_after_it(store):
    votes(store, count=9, pick=happier)
    all_read(store)
    at = opened("label")
    pair = store.next_pair("me", "storyteller", "stories")
    state = live_page.live(store, "me", "storyteller")
    expected = bet(state.head, live_page.shelf("storyteller").gap(pair.prompt, pair.left, pair.right))
    assert "Its bet on this pair is made and sealed" in said(at)
    assert f"on the {expected.side} text" not in said(at), "a sealed bet must not be on the page"
    assert expected.votes == 9
    fine(at.button(key=f"vote_{expected.side}").click().run())
    assert f"It had bet on {expected.side.upper()}, {expected.confidence:.0%} sure" in said(at)
    assert "the bet was correct" in said(at)
    score = next(text.value for text in at.caption if "So far" in text.value)
    shares = [(vote, one) for vote, one in live_page.live(store, "me", "storyteller").scored if one.side != "none"]
    hits = sum((one.side == "left") == (vote.choice == "left") for vote, one in shares)
    assert f"So far {hits} of {len(shares)} right" in score


def test_undo_takes_the_score_back_and_a_refresh_recomputes_it(store):
    votes(store, count=6, pick=happier)
    all_read(store)
    at = opened("label")
    before = [text.value for text in at.caption if "So far" in text.value]
    fine(at.button(key="vote_right").click().run())
    after = [text.value for text in at.caption if "So far" in text.value]
    assert after != before
    st.cache_resource.clear()  # as after a crash: nothing but the stored votes is left
    all_read(store)
    assert [text.value for text in opened("label").caption if "So far" in text.value] == after
    fine(at.button(key="undo").click().run())
    assert [text.value for text in at.caption if "So far" in text.value] == before


def test_every_bet_comes_from_the_earlier_votes_alone(store):
    given = votes(store, count=8, pick=happier)
    all_read(store)
    bets = [one for _, one in live_page.live(store, "me", "storyteller").scored]
    gaps = np.stack([live_page.shelf("storyteller").gap(v.prompt, v.left, v.right) for v in given])
    for place, made in enumerate(bets):
        head = fit_live_head(gaps[:place], [vote.choice == "left" for vote in given[:place]])
        assert made == bet(head, gaps[place])


def test_a_tie_does_not_count_and_a_vote_before_the_reading_says_so(store):
    votes(store, count=3, pick=happier)
    all_read(store)
    at = opened("label")
    fine(at.button(key="vote_tie").click().run())
    assert "you saw no winner, so this bet does not count" in said(at)
    assert len(live_page.live(store, "me", "storyteller").votes) == 3


def test_least_sure_asks_where_the_head_learns_most_and_stays_with_it(store):
    votes(store, count=6, pick=happier)
    all_read(store)
    at = opened("label", next_pair="least sure")
    shown = [element.proto.body for element in at.get("html") if "Prompt" in element.proto.body]
    again = fine(at.run())
    assert [element.proto.body for element in again.get("html") if "Prompt" in element.proto.body] == shown
    orders = at.session_state["label_orders"]
    (ids,) = orders.values()
    head = live_page.live(store, "me", "storyteller").head
    waiting = {c.pair_id: c for c in candidates(store.engine, "me", "storyteller", "stories", PAIRS)}
    shelf = live_page.shelf("storyteller")
    told = [
        float(expected_information(*head.predict(shelf.gap(c.prompt, c.a, c.b)[None]))[0])
        for c in (waiting[pair_id] for pair_id in ids)
    ]
    assert told == sorted(told, reverse=True)
    assert any(waiting[ids[0]].prompt in body for body in shown)
    fine(at.button(key="vote_left").click().run())
    fine(at.button(key="undo").click().run())
    assert any(waiting[ids[0]].prompt in e.proto.body for e in at.get("html")), "an undo brings the same pair back"


def test_which_pair_next_says_what_was_measured(store):
    at = opened("label", report="Which pair next")
    assert "After 64 votes" in said(at)
    assert "of skill (±" in said(at)


def test_the_report_speaks_of_sides_consistency_and_agreement(store):
    at = opened("label", report="My report")
    assert "After your first votes" in said(at)
    mine = votes(store, count=14, pick=happier)
    votes(store, "bob", count=14, pick=happier)
    votes(store, "eve", count=14, pick=lambda pair: "right" if happier(pair) == "left" else "left")
    all_read(store)
    at = opened("label", report="My report")
    text = said(at)
    left = sum(vote.choice == "left" for vote in mine)
    assert f"You chose **the left text** {left} of 14 times" in text
    assert "Ten words more" in text
    assert "None has yet" in text or "You chose the same text" in text
    assert "Krippendorff's α =" in text and "3 people and 14 pairs" in text
    tables = [frame.value for frame in at.dataframe]
    agreement = next(table for table in tables if "κ" in table).set_index("with")
    assert agreement.loc["bob", "κ"] == pytest.approx(1.0)
    assert agreement.loc["eve", "κ"] < 0 and agreement.loc["eve", "alike"] == 0
    tastes = agreement[agreement["who"] == "simulated"]
    few = tastes["pairs"] < 10  # alike in two pairs of two is no taste found
    assert tastes[few]["from"].isna().all() and tastes[~few]["from"].notna().all() and few.any() and not few.all()
    nearest = tastes[~few]["κ"].idxmax()
    assert f"closest to **{nearest}**" in text or f"nearest simulated taste is **{nearest}**" in text
    lengths = next(table for table in tables if "length coefficient" in table)
    assert list(lengths["who"]) == ["you", "the live model"]
    assert "Train a reward model on your votes" in text


def test_the_name_of_a_run_is_text_in_the_report(store, monkeypatch):
    """A run is called what its owner types, or after the file that it learned from."""
    run = a_run("reward", preferences=["bundled:sunny"])
    RunStore().rename(run.id, "[look](http://evil.example) :red[here] <b>$x$")
    (run.folder / "reward_model").mkdir()
    (run.folder / "reward_model" / "config.json").write_text("{}")
    monkeypatch.setattr("pages._label.lengths._scores", lambda folder, texts: [float(len(text)) for _, text in texts])
    votes(store, count=14, pick=happier)
    all_read(store)
    [sentence] = [one.value for one in opened("label", report="My report").markdown if "Your reward model" in one.value]
    assert r"\[look\]\(http" in sentence and r"\:red\[here\] \<b\>\$x\$" in sentence


def test_repeats_show_how_consistent_one_is(store, monkeypatch):
    monkeypatch.setattr("core.feedback.repeats.SHARE", 1.0)
    votes(store, count=10, pick=happier)
    repeat = store.next_repeat("me", "storyteller", "stories")
    assert repeat is not None
    before = len(live_page.live(store, "me", "storyteller").votes)
    store.vote(repeat, "me", happier(repeat))
    assert len(live_page.live(store, "me", "storyteller").votes) == before, "a repeat is no vote to learn from"
    at = opened("label", report="My report")
    assert "of 1 times" in said(at)


def test_what_a_model_could_reach_is_more_than_one_agrees_with_oneself():
    """Who gives their usual answer nine times in ten agrees with themselves 82 %, and with a model that knows it 90 %."""

    def page() -> None:
        from types import SimpleNamespace

        from pages._label.report import _consistency

        given = [(SimpleNamespace(chosen=1), SimpleNamespace(chosen=1 if n < 82 else 2)) for n in range(100)]
        _consistency(given)

    (words,) = [one.value for one in AppTest.from_function(page).run().markdown]
    assert "82 of 100 times" in words and "usual answer at most 90% of the time" in words


def test_a_policy_that_is_not_here_makes_no_bets(store, monkeypatch):
    votes(store, count=2)
    monkeypatch.setattr(live_page, "policy_info", lambda policy: type("Info", (), {"status": "obtainable"})())
    assert "not on this machine" in live_page.live(store, "me", "storyteller").error

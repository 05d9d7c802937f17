import pytest

from core.database.engine import engine
from core.errors import PlaygroundError
from core.feedback.own_prompts import (
    LONGEST,
    MOST,
    Added,
    add_own_prompts,
    by_need,
    in_rotation,
    own_prompts_of,
    remove_own_prompts,
    set_of,
)
from core.feedback.prompts import load_prompts
from core.feedback.store import FeedbackStore, NewPair, NewQuartet


@pytest.fixture
def opened(database):
    return engine(database)


def test_prompts_are_kept_by_name_in_their_order(opened):
    assert add_own_prompts("ann", ["One", " \n", "Two\nlines  ", "One"], opened) == Added(2, 1, 0)
    assert add_own_prompts("ann", ["Three", "One"], opened) == Added(1, 1, 0)
    add_own_prompts("bob", ["One"], opened)
    assert own_prompts_of("ann", opened) == ["One", "Two\nlines", "Three"]
    assert own_prompts_of("bob", opened) == ["One"]
    assert own_prompts_of("cy", opened) == []


def test_a_prompt_of_a_hundred_thousand_characters_is_cut(opened):
    assert add_own_prompts("ann", ["x" * 100_000, "short"], opened) == Added(2, 0, 1)
    assert [len(text) for text in own_prompts_of("ann", opened)] == [LONGEST, 5]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["fine", "a\0b"], "Prompt 2 holds a NUL"),
        ([" ", "\n"], "no prompt"),
        ([], "no prompt"),
        ([str(n) for n in range(MOST + 1)], str(MOST)),
    ],
)
def test_what_is_refused_leaves_nothing(opened, given, told):
    with pytest.raises(PlaygroundError, match=told):
        add_own_prompts("ann", given, opened)
    assert own_prompts_of("ann", opened) == []


def test_odd_text_comes_back_as_it_went_in(opened):
    odd = ["<script>alert(1)</script>", "$x$ :red[y] ![i](http://x)", "κόσμος 😀 \u202eabc", "'; DROP TABLE pairs; --"]
    add_own_prompts("ann", odd, opened)
    assert own_prompts_of("ann", opened) == odd
    add_own_prompts("ann", ["half \ud83d"], opened)
    assert own_prompts_of("ann", opened)[-1] == "half \ufffd"


def test_they_are_a_prompt_set_that_holds_nothing_out():
    with pytest.raises(PlaygroundError, match="no prompts of their own"):
        load_prompts(set_of("ann"))
    add_own_prompts("ann", ["One", "Two"])
    own = load_prompts(set_of("ann"))
    assert (own.train, own.heldout, own.name) == (("One", "Two"), (), "own:ann")


def test_those_with_the_fewest_pairs_come_first_and_the_newest_are_asked_first(opened):
    store = FeedbackStore(opened)
    add_own_prompts("ann", ["One", "Two", "Three"], opened)
    pool = ("storyteller", set_of("ann"))
    store.add_pairs([NewPair("One", " a", " b", *pool), NewPair("One", " c", " d", *pool)], "written")
    two = [NewPair("Two", f" {one}", f" {other}", *pool) for one, other in ("ab", "cd", "ef")]
    store.add_pairs([*two, NewPair("Three", " a", " b", "gpt2", pool[1])], "written")
    assert list(by_need("ann", "storyteller", opened).items()) == [("Three", 0), ("One", 2), ("Two", 3)]
    asked = []
    while (shown := store.next_pair("ann", *pool, prefer=in_rotation("ann", "storyteller", engine=opened))) is not None:
        asked.append(shown.prompt)
        store.vote(shown, "ann", "left")
    assert asked == ["Two", "One", "Two", "One", "Two"]  # in turn, the newest first


def test_a_prompt_that_was_removed_is_asked_no_more_and_its_votes_stay(opened):
    store = FeedbackStore(opened)
    add_own_prompts("ann", ["One", "Two"], opened)
    pool = ("storyteller", set_of("ann"))
    store.add_quartets([NewQuartet("One", (" a", " b", " c", " d"), *pool)], "written")
    store.vote(store.next_pair("ann", *pool), "ann", "left")
    assert remove_own_prompts("ann", ["One", "Nine"], opened) == 1
    assert own_prompts_of("ann", opened) == ["Two"]
    assert len(store.preference_pairs("ann")) == 1
    assert store.next_pair("ann", *pool) is None
    assert store.next_quartet("bob", *pool) is None
    add_own_prompts("ann", ["One"], opened)
    assert store.next_pair("ann", *pool) is not None
    assert store.next_quartet("bob", *pool) is not None

"""Labelling as a person does it: by the keyboard, back again, four in order, and all of it there after a refresh."""

import time

import pytest

LONG = 150_000  # ms: a worker process starts and writes, and two slow cores may be shared


@pytest.fixture
def store(served, monkeypatch):
    """The feedback store of the app that is served."""
    from core.feedback.store import FeedbackStore

    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(served[1]))
    return FeedbackStore()


def opened(page, path: str) -> None:
    page.goto(path)
    page.get_by_role("button", name="Undo").wait_for(timeout=LONG)


def wait_until(true, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def prompt(page) -> str:
    return page.locator(".st-key-pair_prompt").inner_text()


def press(page, key: str) -> None:
    """A key, and the next question."""
    before = prompt(page)
    page.keyboard.press(key)
    page.wait_for_function("old => document.querySelector('.st-key-pair_prompt')?.innerText !== old", arg=before)


def test_vote_and_undo_by_the_keyboard_and_refresh(page, store):
    opened(page, "/label?annotator=keys&again=false")
    first = prompt(page)
    for key in ("ArrowLeft", "t", "ArrowRight", "s"):
        press(page, key)
    choices = [vote.choice for vote in store.votes("keys")]
    assert choices == ["skip", "right", "tie", "left"]
    for left in (3, 2, 1, 0):
        press(page, "u")
        wait_until(lambda left=left: len(store.votes("keys")) == left)
    page.get_by_text("Taken back: left").wait_for()
    assert prompt(page) == first
    assert store.preference_pairs("keys") == []
    press(page, "ArrowRight")
    second, left_text = prompt(page), page.locator(".st-key-pair_left").inner_text()
    opened(page, page.url)  # a refresh is a new session
    page.get_by_text("1 of 20 comparisons decided").wait_for()
    assert (prompt(page), page.locator(".st-key-pair_left").inner_text()) == (second, left_text)


def test_the_arrows_vote_after_a_strength_was_chosen_by_mouse(page, store):
    opened(page, "/label?annotator=mouse&again=false")
    for votes in (1, 2):
        far = page.locator(".st-key-strength").get_by_role("radio", name="by far")
        far.click()
        page.wait_for_function("() => document.querySelector('.st-key-strength [aria-checked=true]')")
        press(page, "ArrowLeft")
        wait_until(lambda votes=votes: len(store.votes("mouse")) == votes)
    assert [vote.choice for vote in store.votes("mouse")] == ["left", "left"]
    assert all(vote.strength for vote in store.votes("mouse"))


def test_rank_four_by_the_keyboard_take_back_and_refresh(page, store):
    opened(page, "/label?annotator=ranker")
    page.get_by_role("radio", name="Rank four").click()  # and the keys do what they do here, not what was clicked
    page.locator(".st-key-four_3").wait_for()
    texts = [page.locator(f".st-key-four_{place} p.said").inner_text() for place in range(4)]
    first = prompt(page)
    for key, told in [("3", "Best"), ("1", "Second best"), ("4", "Third")]:
        page.keyboard.press(key)
        page.get_by_role("button", name=f"{told} ✓").wait_for()
    page.keyboard.press("Backspace")
    page.get_by_role("button", name="Third ✓").wait_for(state="detached")
    page.keyboard.press("2")
    page.get_by_role("button", name="Third ✓").wait_for()
    page.keyboard.press("u")
    page.get_by_role("button", name="Third ✓").wait_for(state="detached")
    page.keyboard.press("2")
    page.get_by_role("button", name="Third ✓").wait_for()
    press(page, "Enter")
    best_first = [texts[place] for place in (2, 0, 1, 3)]
    learnt = {(pair.chosen.strip(), pair.rejected.strip()) for pair in store.preference_pairs("ranker")}
    assert learnt == {(a.strip(), b.strip()) for i, a in enumerate(best_first) for b in best_first[i + 1 :]}
    second = prompt(page)
    opened(page, page.url)
    page.get_by_text("6 of 20 comparisons decided").wait_for()
    assert prompt(page) == second
    press(page, "u")
    page.get_by_text("Taken back: a ranking of four").wait_for()
    assert prompt(page) == first
    assert store.preference_pairs("ranker") == []


def test_write_a_better_one(page, store):
    opened(page, "/label?annotator=writer&again=false")
    page.get_by_role("button", name="Write a better one").click()
    page.get_by_role("textbox", name="Your own response").fill("lived happily ever after.")
    page.get_by_role("button", name="Save my response").click()
    page.get_by_text("Saved: yours is better than both").wait_for()
    assert {pair.chosen.strip() for pair in store.preference_pairs("writer")} == {"lived happily ever after."}
    page.get_by_role("button", name="Write a better one").wait_for()
    page.keyboard.press("u")
    page.get_by_text("Taken back: your own response “lived happily ever after.”").wait_for()
    assert store.preference_pairs("writer") == []


def test_ones_own_prompt_is_written_for_and_shown_by_itself(page, store):
    opened(page, "/label?annotator=author")
    page.get_by_role("button", name="My own prompts").click()
    page.get_by_role("textbox", name="Type them").fill("The dragon opened the little red door and")
    page.get_by_role("button", name="Keep them and vote").click()
    page.locator(".st-key-pair_prompt", has_text="The dragon opened the little red door and").wait_for(timeout=LONG)
    opened(page, page.url)  # the set, and what was written, are still there
    assert "The dragon opened" in prompt(page)

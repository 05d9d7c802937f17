"""The model bets first, in a real browser: sealed, then opened by a key, and there again after a refresh."""

import re
import time

LONG = 150_000  # ms: the policy is loaded and reads its pairs in the background
SEALED = "Its bet on this pair is made and sealed"


def test_a_vote_opens_the_bet_and_a_refresh_keeps_the_score(page, served, monkeypatch):
    from core.feedback.store import FeedbackStore

    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(served[1]))
    page.goto("/label?annotator=better")
    page.get_by_role("button", name="Left is better").wait_for(timeout=LONG)
    bet = page.locator(".st-key-bet")
    bet.get_by_text("its first bet follows your first vote").wait_for(timeout=LONG)
    store = FeedbackStore()
    page.keyboard.press("ArrowLeft")
    wait_for_votes(store, 1)
    bet.get_by_text(SEALED).wait_for(timeout=LONG)  # nobody touched the page: the bet came by itself
    assert "It had bet" not in bet.inner_text()
    page.keyboard.press("ArrowRight")
    wait_for_votes(store, 2)
    opened = bet.get_by_text(re.compile(r"It had bet on (LEFT|RIGHT), \d+% sure"))
    opened.wait_for(timeout=LONG)
    side = re.search(r"had bet on (LEFT|RIGHT)", opened.inner_text()).group(1)
    bet.get_by_text(f"You chose RIGHT: the bet was {'correct' if side == 'RIGHT' else 'wrong'}.").wait_for(timeout=LONG)
    score = bet.get_by_text(re.compile(r"So far \d of 1 right"))
    score.wait_for(timeout=LONG)
    said = re.search(r"So far \d of 1 right", score.inner_text()).group()
    page.reload()
    bet.get_by_text(said).wait_for(timeout=LONG)
    curve = page.get_by_test_id("stVegaLiteChart").filter(has_text="its bets on your votes")  # the legend's words
    curve.locator(".mark-area path").first.wait_for(state="attached", timeout=LONG)
    page.get_by_text("My report", exact=True).click()
    page.get_by_text("Krippendorff").first.wait_for(timeout=LONG)
    page.get_by_text("Which pair next", exact=True).last.click()
    page.get_by_text("After 64 votes").wait_for(timeout=LONG)
    assert "report=Which" in page.url
    assert page.get_by_test_id("stException").count() == 0


def wait_for_votes(store, count: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while len(store.votes("better")) < count:
        assert time.monotonic() < until, "the vote was not stored in time"
        time.sleep(0.1)

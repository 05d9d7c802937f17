"""The whole loop as one person goes through it: vote, train, tune, watch it move, come back to it after a refresh."""

import re
import time

import pytest
from playwright.sync_api import expect

UPDATES = 400  # more than there is time for: the run is stopped once it has been watched
POINTS = "(document.querySelector('[data-testid=stVegaLiteChart] .mark-line path')?.getAttribute('d') ?? '').split('L').length"
"""How many points the first curve is drawn through; 1 where there is none."""
LONG = 150_000  # ms: training starts a process of its own, and two slow cores may be shared


@pytest.fixture
def store(served, monkeypatch):
    """The feedback store of the app that is served."""
    from core.feedback.store import FeedbackStore

    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(served[1]))
    return FeedbackStore()


@pytest.fixture
def runs(served, monkeypatch):
    """The runs of the app that is served."""
    from core.runs.store import RunStore

    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(served[1]))
    return RunStore()


def test_vote_train_tune_watch_and_refresh(page, store, runs):
    vote_with_the_keyboard(page, store)
    reward = train_on_the_votes(page, runs)
    tune_and_watch(page, runs, reward)


def vote_with_the_keyboard(page, store) -> None:
    """Five answers and one undone, without touching the mouse."""
    page.goto("/label?annotator=ada")
    page.get_by_role("button", name="Left is better").wait_for(timeout=LONG)  # the first pairs are there
    for votes, key in enumerate(["ArrowLeft", "ArrowRight", "ArrowLeft", "t", "ArrowRight"], 1):
        prompt = page.locator(".st-key-pair_prompt").inner_text()
        page.keyboard.press(key)
        wait_until(lambda votes=votes: len(store.votes("ada")) == votes)
        page.wait_for_function(
            "before => document.querySelector('.st-key-pair_prompt')?.innerText !== before", arg=prompt
        )
    page.keyboard.press("u")
    wait_until(lambda: len(store.votes("ada")) == 4)
    page.get_by_text("Taken back: right").wait_for()
    page.keyboard.press("ArrowRight")
    wait_until(lambda: len(store.votes("ada")) == 5)
    assert [vote.choice for vote in sorted(store.votes("ada"), key=lambda vote: vote.id)][-2:] == ["tie", "right"]


def train_on_the_votes(page, runs) -> str:
    """A reward model on the four decided votes and some simulated ones; returns the run's id."""
    page.goto(
        "/reward_model?reward_sources=My+votes&reward_sources=A+simulated+annotator&reward_votes=ada&reward_pairs=64"
    )
    page.get_by_text("68 pairs, about").wait_for()
    page.get_by_role("button", name="Train the reward model").click()
    page.wait_for_url(re.compile(r"run=reward-"))
    run = re.search(r"run=(reward-\w+)", page.url).group(1)
    assert runs.get(run).config["preferences"] == ["votes:ada", "simulated:sunny:64"]
    page.locator(".st-key-run_status", has_text="finished").wait_for(timeout=LONG)  # the page found out by itself
    assert runs.get(run).status == "finished"
    page.get_by_text("too few to judge it by").wait_for(timeout=LONG)  # a tenth of 68 pairs
    page.get_by_role("radio", name="Ask it", exact=True).click()
    step_through_the_tokens(page)
    return run


def step_through_the_tokens(page) -> None:
    """The running score: tinted tokens that the keyboard steps through and keeps."""
    strip = page.get_by_role("group", name=re.compile("Prompt and response A as tokens"))
    strip.get_by_role("button").nth(3).wait_for(timeout=LONG)
    tint = "token => getComputedStyle(token).backgroundColor"
    assert len({strip.get_by_role("button").nth(place).evaluate(tint) for place in range(4)}) > 1
    strip.get_by_role("button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    kept = strip.get_by_role("button").nth(1)
    expect(kept).to_have_attribute("aria-pressed", "true")
    assert page.get_by_text(kept.get_attribute("aria-label")).is_visible()
    page.keyboard.press("Enter")
    expect(kept).to_have_attribute("aria-pressed", "false")


def tune_and_watch(page, runs, reward: str) -> None:
    """PPO's curves move while nobody touches the page; stopped, they are there again after a refresh."""
    page.goto(f"/ppo?ppo_updates={UPDATES}&ppo_rollout_batch=8&ppo_max_new_tokens=12&ppo_epochs=1&ppo_minibatches=1")
    page.get_by_role("button", name="Start PPO").click(timeout=LONG)
    page.wait_for_url(re.compile(r"run=ppo-"))
    page.evaluate("window.neverReloaded = true")
    run = re.search(r"run=(ppo-\w+)", page.url).group(1)
    assert f"/{reward}/" in runs.get(run).config["reward_model"]
    assert runs.get(run).config["ppo"]["updates"] == UPDATES
    page.wait_for_function(f"({POINTS}) >= 2", timeout=LONG)
    early = page.evaluate(POINTS)
    page.wait_for_function(f"({POINTS}) > {early + 1}", timeout=LONG)
    assert page.evaluate("window.neverReloaded"), "the page was loaded anew instead of being kept up to date"

    page.get_by_role("button", name="Stop").click()
    page.locator(".st-key-run_status", has_text="stopped").wait_for(timeout=LONG)
    steps = len(runs.steps(run))
    assert steps < UPDATES
    page.wait_for_function(f"({POINTS}) == {steps}", timeout=LONG)
    page.locator("p.claim", has_text="The mean score").wait_for(timeout=LONG)  # the whole page knows that it is over
    claim = page.locator("p.claim").inner_text()
    page.reload()
    page.locator(".st-key-run_status", has_text="stopped").wait_for(timeout=LONG)
    page.wait_for_function(f"({POINTS}) == {steps}", timeout=LONG)
    assert page.locator("p.claim").inner_text() == claim
    page.get_by_test_id("stVegaLiteChart").nth(2).wait_for()
    assert page.get_by_test_id("stException").count() == 0

    page.goto("/ppo")  # the way from the example to one's own run, and it stays one's own from part to part
    page.get_by_text("This is an example. Yours").click()
    page.wait_for_url(re.compile(f"run={run}"))
    page.get_by_role("radio", name="Objective", exact=True).click()
    page.wait_for_url(re.compile("ppo_view=Objective"))
    page.locator("p.claim", has_text=claim).wait_for()
    assert f"run={run}" in page.url


def wait_until(true, seconds: float = 60) -> None:
    """Until `true()` holds."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)

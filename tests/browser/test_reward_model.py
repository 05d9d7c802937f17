"""Cross-examining a reward model as a person does it: cached parts, then a run of one's own, a vote flipped."""

import re

import pytest
from playwright.sync_api import expect

LONG = 240_000  # ms: training starts processes of its own, and two slow cores may be shared


@pytest.fixture
def runs(served, monkeypatch):
    """The runs of the app that is served."""
    from core.runs.store import RunStore

    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(served[1]))
    return RunStore()


def part(page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()
    page.wait_for_url(re.compile(r"part=" + name.split()[0]))


def claim_other_than(page, before: str) -> str:
    page.wait_for_function("before => document.querySelector('p.claim')?.innerText !== before", arg=before)
    return page.locator("p.claim").inner_text()


def test_the_cached_parts_are_walked_through(page):
    page.goto("/reward_model")
    page.locator("p.claim", has_text="votes it has never seen").wait_for(timeout=LONG)
    page.get_by_text("How far apart are the chosen").wait_for()
    claim = page.locator("p.claim").inner_text()
    for name in ("Worst mistakes", "What it likes", "How sure", "More votes", "Two models"):
        part(page, name)
        claim = claim_other_than(page, claim)
        page.get_by_text("cached real result").first.wait_for()
        assert page.get_by_test_id("stException").count() == 0, name
    part(page, "Flip a vote")
    page.get_by_text("bit for bit").wait_for()
    assert page.get_by_text("All unseen pairs").count() == 0  # not before the prediction
    page.get_by_role("radio", name="1 to 10 points", exact=True).click()
    page.get_by_role("button", name="Commit to it").click()
    page.get_by_text("All unseen pairs").wait_for()
    page.reload()
    page.get_by_text("All unseen pairs").wait_for(timeout=LONG)  # what was revealed stays so


def test_mistakes_are_filtered_and_words_stepped_through(page):
    page.goto("/reward_model?part=Worst+mistakes")
    page.locator(".card.chosen").first.wait_for(timeout=LONG)
    first = page.locator(".card.chosen").first.inner_text()
    page.get_by_label("Next page").click()
    page.wait_for_function("before => document.querySelector('.card.chosen').innerText !== before", arg=first)
    page.get_by_label("Containing").fill("no such word at all")
    page.keyboard.press("Enter")
    page.get_by_text("No vote is left by this filter").wait_for()
    page.goto("/reward_model?part=What+it+likes")
    words = page.get_by_role("group", name=re.compile("The response .* in words"))
    words.get_by_role("button").first.wait_for(timeout=LONG)
    words.get_by_role("button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    kept = words.get_by_role("button").nth(1)
    expect(kept).to_have_attribute("aria-pressed", "true")
    assert "deleting it takes away" in kept.get_attribute("aria-label")


def test_a_vote_of_my_own_run_is_flipped(page, runs):
    page.goto("/reward_model?reward_annotator=sunny&reward_pairs=64")
    page.get_by_text("64 pairs").wait_for(timeout=LONG)
    page.get_by_role("button", name="Train the reward model").click()
    page.wait_for_url(re.compile(r"run=reward-"))
    run = re.search(r"run=(reward-\w+)", page.url).group(1)
    page.locator(".st-key-run_status", has_text="finished").wait_for(timeout=LONG)
    part(page, "Flip a vote")
    page.get_by_role("button", name="Flip this vote").click(timeout=LONG)
    page.get_by_text("The vote that was flipped").wait_for(timeout=LONG)  # found out by itself
    (flip,) = runs.list("flip")
    assert flip.config["of"] == run
    assert flip.result["difference_to_original"] == 0.0
    page.get_by_text("bit for bit").wait_for()
    assert page.get_by_test_id("stException").count() == 0

"""The tour, walked by a stranger: each act done as told, seen to be done, and on to the next stop."""

import re

import pytest

LONG = 150_000  # ms: two stops load a model, on two cores that may be shared


def drag_the_checkpoint(page):
    page.locator("input[type=range]").press("Home")
    page.locator("input[type=range]").blur()


def type_a_beginning(page):
    page.get_by_role("textbox", name="A beginning").fill("One day, a fox")
    page.keyboard.press("Enter")


def vote(page):
    page.get_by_role("button", name="Undo").wait_for(timeout=LONG)
    page.keyboard.press("ArrowLeft")


def commit_to_up(page):
    asked = page.locator(".st-key-predict-push_guess")
    asked.get_by_text("up", exact=True).click()
    asked.get_by_role("button", name="Commit to it").click()


def turn_to_two(page, key):
    page.locator(f".st-key-{key}").get_by_role("button", name="Page 2", exact=True).click()


ACTS = [
    ("Text", lambda page: turn_to_two(page, "example")),
    ("Prompt", type_a_beginning),
    ("Vote", vote),
    ("Bet", vote),
    ("Loss surface", lambda page: page.get_by_role("slider", name="Score of the chosen").press("ArrowRight")),
    ("Reward model", lambda page: turn_to_two(page, "mistakes")),
    ("PPO", lambda page: page.get_by_role("radio", name="Is this normal?").click()),
    ("Microscope", commit_to_up),
    ("Before and after", drag_the_checkpoint),
    ("Goodhart", lambda page: page.get_by_role("radio", name="0.1", exact=True).click()),
]


@pytest.fixture
def bar(page):
    return page.locator(".st-key-tour")


def at_stop(bar, number, title):
    bar.get_by_text(f"{number} of 10 · {title}").wait_for(timeout=LONG)
    bar.page.locator("[data-test-script-state=notRunning]").wait_for(timeout=LONG)  # what was there before is gone


def test_ten_acts_one_after_the_other(page, bar):
    page.goto("/")
    page.get_by_role("button", name=re.compile("ten stops, ten minutes")).click()
    for number, (title, act) in enumerate(ACTS, 1):
        at_stop(bar, number, title)
        assert bar.get_by_text("✓ done").count() == 0, f"stop {number} counts as done before anything was done"
        act(page)
        bar.get_by_text("✓ done").wait_for(timeout=LONG)
        assert page.get_by_test_id("stException").count() == 0
        if number < len(ACTS):
            bar.get_by_text("Next stop").click()
    bar.get_by_role("button", name="End the tour").click()
    bar.wait_for(state="detached")
    assert "tour=" not in page.url


def test_the_tour_survives_a_refresh_and_a_page_it_does_not_know(page, bar):
    page.goto("/goodhart?part=PPO&tour=10")
    at_stop(bar, 10, "Goodhart")
    page.reload()
    at_stop(bar, 10, "Goodhart")
    page.get_by_role("link", name="Preferences").click()  # leaves the stop, and the stop's address
    page.get_by_role("heading", name="Label", level=1).wait_for()
    page.wait_for_url(re.compile("tour=10"))
    page.reload()
    bar.get_by_role("link", name="Go to Goodhart").click()
    at_stop(bar, 10, "Goodhart")

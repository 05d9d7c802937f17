"""The microscope in a real browser: tokens that preview, lock and unlock, a link that keeps them, the keyboard."""

import re

from playwright.sync_api import expect

REVEALED = "push_guess=up&guessed=elsewhere"


def opened(page, query=""):
    page.goto(f"/token_microscope?{REVEALED}{query}")
    page.get_by_role("heading", name="Token microscope", level=1).wait_for()
    tokens(page).first.wait_for()


def tokens(page):
    return page.locator(".strip .token")


def told(page):
    """What the page says of the token that it shows."""
    return page.locator("[data-testid=stMarkdown]", has_text="Why was").first


def test_a_click_shows_another_token_and_the_link_keeps_it(page):
    opened(page)
    sums = page.locator(".katex-display").nth(1)
    sums.wait_for()
    before = sums.inner_text()
    detail = page.locator(".strip + .detail")
    tokens(page).nth(1).hover()
    preview = detail.inner_text()
    assert re.search(r"token 2 of \d+, “.+”: Log-ratio [+−]\d", preview)
    tokens(page).nth(1).click()
    page.wait_for_url(re.compile(r"token=2"))
    assert "sample=" in page.url and "update=" in page.url
    told(page).get_by_text("Token 2 of response").wait_for()
    page.wait_for_function("was => document.querySelectorAll('.katex-display')[1].innerText !== was", arg=before)
    expect(tokens(page).nth(1)).to_have_attribute("aria-pressed", "true")
    now = sums.inner_text()
    page.reload()
    told(page).get_by_text("Token 2 of response").wait_for()
    assert sums.inner_text() == now
    tokens(page).nth(1).click()
    page.wait_for_url(lambda url: "token=" not in url)
    page.locator('.strip [aria-pressed="true"]').wait_for(state="detached")


def test_the_keyboard_does_it_too(page):
    opened(page, "&sample=2&token=1")
    told(page).get_by_text("Token 1 of response 2").wait_for()
    tokens(page).first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"token=3"))
    told(page).get_by_text("Token 3 of response 2").wait_for()
    page.keyboard.press("ArrowRight")  # the focus is still where it was
    page.keyboard.press(" ")
    page.wait_for_url(re.compile(r"token=4"))
    told(page).get_by_text("Token 4 of response 2").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "token=" not in url)


def test_another_response_goes_under_the_microscope(page):
    opened(page, "&sort=score")
    rows = page.get_by_role("option")
    rows.nth(1).wait_for()
    scores = [float(row.locator(".figure").nth(1).inner_text().replace("−", "-")) for row in rows.all()]
    assert scores == sorted(scores, reverse=True)
    wanted = rows.nth(1).locator(".figure").first.inner_text()
    rows.nth(0).focus()
    rows.nth(1).click()
    page.wait_for_url(re.compile(rf"sample={wanted}(&|$)"))
    told(page).get_by_text(f"of response {wanted}.").wait_for()
    expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    rows.nth(1).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wanted = rows.nth(2).locator(".figure").first.inner_text()
    page.wait_for_url(re.compile(rf"sample={wanted}(&|$)"))


def test_a_prediction_comes_before_the_verdict_once(page):
    page.goto("/token_microscope")
    page.get_by_text("pushed up or down?").first.wait_for()
    assert page.get_by_text(re.compile("Pushed (up|down)")).count() == 0
    page.get_by_test_id("stButtonGroup").get_by_text("down", exact=True).click()
    page.get_by_role("button", name="Commit to it").click()
    page.get_by_text(re.compile("As you said|You said: down")).wait_for()
    page.locator(".katex-display").nth(3).wait_for()
    tokens(page).nth(0).click()
    page.wait_for_url(re.compile(r"token=1"))
    told(page).get_by_text("Token 1 of response").wait_for()
    assert page.get_by_text("Before you look").count() == 0
    assert page.get_by_test_id("stException").count() == 0

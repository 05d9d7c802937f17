"""The shell in a real browser: deep links, icons, themes, and a list whose clicks live in the URL."""

import re

import pytest

TITLES = {
    "/": "A language model learns what somebody likes",
    "/runs": "Runs",
    "/models": "Models",
    "/data": "Data",
}


@pytest.mark.parametrize(("path", "title"), TITLES.items())
def test_a_deep_link_opens_its_page_without_a_word_in_the_console(page, path, title):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path)
    page.get_by_role("heading", name=title, level=1).wait_for()
    page.wait_for_timeout(500)
    assert page.get_by_test_id("stException").count() == 0
    assert errors == []


def test_no_icon_is_shown_as_its_name(page):
    """Material symbols are ligatures: without their font a reader would see the word `how_to_vote`."""
    page.goto("/models")
    page.get_by_role("heading", name="Models", level=1).wait_for()
    page.locator("[data-testid=stIconMaterial]").first.wait_for()
    assert page.evaluate("document.fonts.load('20px \"Material Symbols Rounded\"').then(found => found.length)") > 0
    widths = page.evaluate(
        "[...document.querySelectorAll('[data-testid=stIconMaterial]')].map(icon => icon.getBoundingClientRect().width)"
    )
    assert max(widths) < 40


@pytest.mark.parametrize(("scheme", "colour"), [("light", "rgb(91, 75, 214)"), ("dark", "rgb(167, 155, 255)")])
def test_a_concept_has_the_shade_of_the_readers_theme(page, scheme, colour):
    page.emulate_media(color_scheme=scheme)
    page.goto("/")
    mark = page.locator(".stations .mark").first
    mark.wait_for()
    assert mark.evaluate("element => getComputedStyle(element).color") == colour


@pytest.mark.parametrize("width", [1440, 800])
def test_nothing_is_cut_off_at_the_side(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/")
    page.locator("#root .stations button").nth(3).wait_for()
    assert page.evaluate(
        "document.querySelector('.stMain').scrollWidth <= document.querySelector('.stMain').clientWidth"
    )
    boxes = page.locator(".stations button").evaluate_all("all => all.map(box => box.scrollWidth <= box.clientWidth)")
    assert boxes == [True] * 4


def test_a_station_of_the_picture_opens_its_page(page):
    page.goto("/")
    page.locator(".stations button").nth(2).click()
    page.wait_for_url(re.compile("/reward_model"))

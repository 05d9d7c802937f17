"""The block in a real browser: boxes and cells that hover, lock and unlock, writing that plays, links that come back."""

import re

from playwright.sync_api import expect

PATH = "/transformer_block"


def opened(page, query=""):
    page.goto(f"{PATH}{query}")
    page.get_by_role("heading", name="The block", level=1).wait_for()


def box(page, name):
    return page.locator(f'[data-box="{name}"]')


def test_a_box_previews_on_hover_opens_on_a_click_and_closes_on_the_next(page):
    opened(page)
    detail = page.locator(".figure + .detail")
    box(page, "attention").hover()
    assert "attention: a vector of length" in detail.inner_text()
    box(page, "feed_forward").click()
    page.wait_for_url(re.compile("box=feed_forward"))
    page.get_by_text("pass the curve one by one").wait_for()
    expect(box(page, "feed_forward")).to_have_attribute("aria-pressed", "true")
    page.reload()
    page.get_by_text("pass the curve one by one").wait_for()
    box(page, "feed_forward").click()
    page.wait_for_url(lambda url: "box=" not in url)
    page.get_by_text("Lengths do not simply add").wait_for()


def test_the_keyboard_does_it_too(page):
    opened(page)
    box(page, "entering").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("box=attention"))
    page.get_by_text("in which tokens meet").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "box=" not in url)


def test_the_lens_names_the_words_under_the_pointer_and_a_lock_moves_the_claim(page):
    opened(page, "?part=Logit+lens")
    canvas = page.locator("canvas").first
    canvas.wait_for()
    size = canvas.bounding_box()
    spot = {"x": size["width"] * 0.55, "y": size["height"] * 0.75}
    canvas.hover(position=spot)
    detail = page.locator(".detail").first
    assert re.search(r"layer \d, after \d+ ", detail.inner_text())
    assert detail.inner_text().count("%") == 5
    claim = page.locator(".claim").inner_text()
    canvas.click(position=spot)
    page.wait_for_url(re.compile(r"lens=\d+-\d+"))
    page.wait_for_function("was => document.querySelector('.claim').innerText !== was", arg=claim)
    canvas.click(position=spot)
    page.wait_for_url(lambda url: "lens=" not in url)


def test_writing_steps_plays_and_comes_back_after_a_refresh(page):
    opened(page, "?part=Writing&shown=4")
    tokens = page.locator(".text .token")
    tokens.nth(3).wait_for()
    assert tokens.count() == 4
    page.get_by_role("button", name="Step").click()
    tokens.nth(4).wait_for()
    page.wait_for_url(re.compile("shown=5"))
    page.get_by_role("button", name="Play").click()
    tokens.nth(5).wait_for()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Play").wait_for()
    shown = int(re.search(r"shown=(\d+)", page.url)[1])
    page.reload()
    tokens.nth(shown - 1).wait_for()
    assert tokens.count() == shown


def test_an_alternative_branches_and_both_stories_stand_there(page):
    opened(page, "?part=Writing&shown=8")
    tokens = page.locator(".text .token")
    tokens.nth(3).click()
    page.wait_for_url(re.compile("at=3"))
    other = page.locator(".alternatives button").filter(has_not_text="●").first
    word = other.locator(".piece").inner_text().lstrip("␣")
    other.click()
    page.wait_for_url(re.compile(r"branch=3-\d+"))
    page.locator(".token.chosen").wait_for()
    assert page.locator(".token.chosen").inner_text().strip() == word
    page.wait_for_function("document.querySelectorAll('.said').length === 2")
    before = page.locator(".text").inner_text()
    page.reload()
    page.locator(".token.chosen").wait_for()
    assert page.locator(".text").inner_text() == before


def test_nothing_is_cut_off_at_800_pixels(page):
    page.set_viewport_size({"width": 800, "height": 900})
    opened(page)
    box(page, "leaving").wait_for()
    main = "document.querySelector('.stMain')"
    assert page.evaluate(f"{main}.scrollWidth <= {main}.clientWidth")
    for _ in range(50):
        right = box(page, "leaving").evaluate("box => box.getBoundingClientRect().right")
        if right:  # 0: it was drawn anew in between, and this is a box that is not on the page any more
            break
        page.wait_for_timeout(100)
    assert 0 < right <= 800

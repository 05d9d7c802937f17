"""Attention in a real browser: hover, click, keyboard, steps, deep links and refresh, on canvas and in SVG."""

import re

import pytest
from playwright.sync_api import expect

HINT = "Point at a"


def opened(page, query=""):
    page.goto(f"/attention{query}")
    page.get_by_text("Can you answer these now?").wait_for()
    return page


def detail(page, key):
    return page.locator(f".st-key-{key} .detail")


def test_a_cell_by_keyboard_and_by_pointer(page):
    opened(page)
    canvas = page.locator(".st-key-cell canvas")
    canvas.focus()
    for _ in range(8):
        page.keyboard.press("ArrowDown")
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    expect(detail(page, "cell")).to_contain_text("Q ␣lost → K ␣dog: 0.8")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("cell=8-7"))
    expect(detail(page, "cell")).to_contain_text("locked")
    expect(page.locator(".claim")).to_contain_text("“␣lost” looks at “␣dog”")
    page.reload()
    expect(detail(page, "cell")).to_contain_text("Q ␣lost → K ␣dog: 0.8")
    expect(page.locator(".claim")).to_contain_text("“␣lost” looks at “␣dog”")
    page.locator(".st-key-cell canvas").focus()
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("cell="))
    expect(detail(page, "cell")).to_contain_text(HINT)
    canvas = page.locator(".st-key-cell canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    canvas.hover(position={"x": box["width"] - 12, "y": box["height"] - 12})
    expect(detail(page, "cell")).to_contain_text("Q ␣ball → K ␣ball")
    page.mouse.move(2, 2)
    expect(detail(page, "cell")).to_contain_text(HINT)
    canvas.click(position={"x": box["width"] - 12, "y": box["height"] - 12})
    page.wait_for_url(re.compile("cell=10-10"))
    canvas.click(position={"x": box["width"] - 12, "y": box["height"] - 12})
    expect(page).not_to_have_url(re.compile("cell="))


def test_one_step_forward_and_back_by_button_and_by_key(page):
    opened(page)
    page.get_by_role("button", name=re.compile("Next")).click()
    expect(page.get_by_text("Weighted sum of values.")).to_be_visible()
    page.locator("body").press("b")
    expect(page.get_by_text("Attention weights.")).to_be_visible()
    expect(page.get_by_role("radio", name="6 softmax")).to_be_checked()
    page.locator("body").press("b")
    expect(page.get_by_text("Causal mask.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Causal mask.")).to_be_visible()


def test_a_deep_link_opens_its_state(page):
    opened(page, "?step=4+%C3%B7+%E2%88%9Ad&layer=3&head=2&token=7+%E2%90%A3dog&scale=false&model=storyteller%401%25")
    expect(page.get_by_text("not divided by").first).to_be_attached()
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    expect(page.get_by_text("after 1 % of pre-training").first).to_be_visible()


def test_the_mosaic_previews_opens_and_lets_go(page):
    opened(page, "?part=All+heads")
    name = page.locator(".st-key-heads .name")
    expect(name).to_have_text("Layer 1 · head 6")
    canvas = page.locator(".st-key-heads canvas.all")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    canvas.hover(position={"x": box["width"] - 15, "y": box["height"] - 15})
    expect(name).to_have_text("Layer 5 · head 7")
    canvas.click(position={"x": box["width"] - 15, "y": box["height"] - 15})
    page.wait_for_url(re.compile("heads=5-7"))
    expect(page.get_by_role("heading", name="Layer 5, head 7")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Layer 5, head 7")).to_be_visible()
    canvas = page.locator(".st-key-heads canvas.all")
    canvas.focus()
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("heads="))
    expect(page.get_by_role("heading", name="Layer 1, head 6")).to_be_visible()


def test_arcs_by_pointer_and_keyboard(page):
    opened(page, "?part=All+heads")
    svg = page.locator(".st-key-arc svg")
    svg.scroll_into_view_if_needed()
    paths = svg.locator("path").count()
    svg.get_by_text("␣sad", exact=True).hover()
    expect(detail(page, "arc")).to_contain_text("Q ␣sad looks at K ␣dog 98.9 %")
    assert svg.locator("path").count() == paths
    page.mouse.move(2, 2)
    svg.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(detail(page, "arc")).to_contain_text("Q ␣little looks at")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "arc=1" in url and "token=1" in url)
    page.reload()
    expect(detail(page, "arc")).to_contain_text("Q ␣little looks at")
    page.locator(".st-key-arc svg").focus()
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("arc="))


def test_every_figure_can_be_taken_away(page):
    opened(page, "?part=All+heads")
    for key in ("heads", "arc"):
        for kind in ("PNG", "SVG", "CSV"):
            with page.expect_download() as download:
                page.locator(f".st-key-{key}_downloads").get_by_role("button", name=re.compile(kind)).click()
            assert download.value.path().stat().st_size > 300


@pytest.mark.parametrize("part", ["One+head", "Does+it+matter%3F&guess=hardly%3A+below+0.01+nats"])
def test_nothing_is_cut_off_at_the_side(page, part):
    opened(page, f"?part={part}")
    for width in (1440, 800):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        assert page.evaluate(
            "document.querySelector('.stMain').scrollWidth <= document.querySelector('.stMain').clientWidth"
        )
        formulas = """all => all.filter(one => one.getBoundingClientRect().right
            > one.closest('[data-testid=stElementContainer]').getBoundingClientRect().right + 2)
            .map(one => one.closest('.katex').textContent.slice(0, 60))"""
        assert page.locator(".katex-display .base").evaluate_all(formulas) == []


def test_a_sentence_that_looks_like_markup_is_text(page):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    opened(page, "?part=All+heads&sentence=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E+%24x%24+%3Ared%5By%5D")
    expect(page.locator(".st-key-arc svg").get_by_text("onerror").first).to_be_attached()
    assert errors == []
    assert page.locator("img[src=x]").count() == 0

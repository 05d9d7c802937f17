"""The first screen before the app has loaded, and the moment when the app's own page takes its place."""

import re

import pytest

from tests.browser.test_accessibility import findings

TITLE = "A language model learns what somebody likes"
PLACES = """() => {
  const place = (one) => { const {left, top, width} = one.getBoundingClientRect(); return [left, top, width]; };
  const from = document.querySelector('#first-sight') ?? document.querySelector('#root');
  const all = ['h1', '.claim', '.badge', '.card.reference', '.card.policy'].map(name => place(from.querySelector(name)));
  return all.map(([left, top, width]) => [left, top - all[0][1], width]);  // the strip may take two lines, or one
}"""


def before_the_app(page):
    """Open the first page; Streamlit's own scripts never arrive."""
    page.route(re.compile(r"/static/js/index\."), lambda route: route.abort())
    page.goto("/")


def test_the_point_is_made_before_any_of_the_app_has_arrived(page):
    before_the_app(page)
    page.get_by_role("heading", name=TITLE, level=1).wait_for()
    assert page.locator(".stations .value").all_inner_texts()[0] == "storyteller"
    assert page.locator(".stations button").count() == 4
    assert page.locator(".card").count() == 2
    assert page.locator("#root h1").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_by_everybody(page, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    before_the_app(page)
    page.locator(".stations .value").first.wait_for()
    assert findings(page) == []


@pytest.fixture
def newcomer(browser, serving, tmp_path):
    """A tab on a server with nobody's runs: one's own add a line to the strip, and a button."""
    with serving(tmp_path / "home") as address:
        context = browser.new_context(base_url=address)
        context.set_default_timeout(60_000)
        yield context.new_page()
        context.close()


@pytest.mark.parametrize("width", [1440, 1020, 800])
def test_nothing_moves_when_the_app_takes_over(newcomer, width):
    page = newcomer
    page.set_viewport_size({"width": width, "height": 900})
    before_the_app(page)
    page.locator(".stations .value").first.wait_for()
    page.evaluate("document.fonts.ready")
    seen = page.evaluate(PLACES)
    page.unroute_all()
    page.goto("/")
    page.wait_for_function("!document.querySelector('#first-sight')")
    page.locator(".st-key-example").wait_for()
    page.wait_for_timeout(1500)
    standing = page.evaluate(PLACES)
    for before, after in zip(seen, standing, strict=True):
        assert before == pytest.approx(after, abs=4)


def test_there_is_never_a_second_heading(page):
    """From the moment when the app has one, who asks the page finds the app's alone."""
    page.add_init_script(
        "window.most = 0; const look = () => { requestAnimationFrame(look);"
        " window.most = Math.max(window.most, document.querySelectorAll('h1').length) }; look()"
    )
    page.goto("/")
    page.wait_for_function("document.querySelector('#root h1') && !document.querySelector('#first-sight')")
    page.wait_for_timeout(500)
    assert page.locator("h1").count() == 1
    assert page.evaluate("most") == 1


@pytest.mark.parametrize(("wanted", "colour"), [("Dark", "rgb(16, 19, 26)"), ("Light", "rgb(251, 251, 253)")])
def test_it_is_as_light_as_the_reader_chose(page, wanted, colour):
    page.emulate_media(color_scheme="light" if wanted == "Dark" else "dark")  # their system's is the other
    page.goto("/label")
    page.evaluate(f"localStorage['stActiveTheme-/-v2'] = JSON.stringify({{name: '{wanted}'}})")
    before_the_app(page)
    page.locator(".stations .value").first.wait_for()
    assert page.locator(".sight").evaluate("one => getComputedStyle(one).backgroundColor") == colour


def test_a_station_opens_its_page_already(page):
    before_the_app(page)
    page.locator(".stations button").nth(1).click()
    page.wait_for_url(re.compile("/label$"))


def test_where_a_reader_has_scrolled_to_they_stay(page):
    page.set_viewport_size({"width": 1440, "height": 500})
    page.goto("/", wait_until="commit")
    page.wait_for_function("document.querySelector('.sight .picture')?.shadowRoot")
    page.locator(".sight").evaluate("one => { one.scrollTop = 200 }")
    page.wait_for_function("!document.querySelector('#first-sight')")
    assert page.locator("[data-testid=stMain]").evaluate("one => one.scrollTop") == 200

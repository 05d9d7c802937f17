"""What an underlined word means, by pointer, keyboard and touch; and the keyboard map on its key."""

import pytest

CLAIM = "/models"  # its sentence has the same word whatever has been computed


@pytest.fixture
def term(page):
    page.goto(CLAIM)
    word = page.locator(".claim .term", has_text="polic")
    word.wait_for()
    page.locator("[data-test-script-state=notRunning]").wait_for()
    page.wait_for_function("!!window.playgroundGuide")
    return word


def test_hover_focus_and_escape(page, term):
    tip = page.get_by_role("tooltip")
    term.hover()
    tip.get_by_text("The language model that is tuned").wait_for()
    tip.hover()  # a tip can be pointed at without going away
    page.wait_for_timeout(400)
    assert tip.is_visible()
    page.mouse.move(5, 600)
    tip.wait_for(state="hidden")
    page.keyboard.press("Tab")  # from the top of the page, as a reader without a pointer comes to it
    for _ in range(40):
        if page.evaluate("document.activeElement.classList.contains('term')"):
            break
        page.keyboard.press("Tab")
    tip.wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "tip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent").startswith("See it: ")
    page.keyboard.press("Escape")
    tip.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.classList.contains('term')")


def test_touch_opens_it_within_the_screen_and_its_link_leads_on(browser, served):
    context = browser.new_context(base_url=served[0], viewport={"width": 400, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto(CLAIM)
    page.wait_for_function("!!window.playgroundGuide", timeout=60_000)
    page.locator("[data-test-script-state=notRunning]").wait_for()
    page.locator(".claim .term").first.tap()
    tip = page.get_by_role("tooltip")
    tip.wait_for()
    box = tip.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 400
    tip.get_by_role("link", name="See it: Overview").tap()
    page.get_by_role("heading", name="A language model learns", level=1).wait_for(timeout=60_000)
    context.close()


def test_the_question_mark_opens_the_keys_but_not_while_typing(page):
    page.goto("/glossary")
    search = page.get_by_role("textbox", name="Search")
    search.wait_for()
    page.wait_for_function("!!window.playgroundGuide")
    keys = page.get_by_role("dialog", name="Keys")
    search.press("?")
    assert keys.count() == 0 and search.input_value() == "?"
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    keys.get_by_text("left is better").first.wait_for()
    page.keyboard.press("Escape")
    keys.wait_for(state="hidden")

"""Why transformers in a real browser: slide, step, race, and a link that shows the same thing again."""

import re

import pytest

GRADIENTS = "/why_transformers"


def claim(page):
    return page.locator(".claim")


def test_opens_with_the_picture_and_a_slider_changes_it(page):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(GRADIENTS)
    claim(page).get_by_text("50 tokens back").wait_for()
    page.locator("svg.marks").first.wait_for()
    slider = page.get_by_role("slider", name="Spectral radius of the RNN")
    slider.focus()
    slider.press("End")
    claim(page).get_by_text("explodes").wait_for()
    page.wait_for_url(re.compile(r"radius=1\.5"))
    page.reload()
    claim(page).get_by_text("explodes").wait_for()
    assert errors == []


def test_pointing_at_a_line_gives_its_numbers(page):
    page.goto(GRADIENTS)
    chart = page.locator("svg.marks").first
    chart.wait_for()
    page.wait_for_timeout(800)
    box = chart.bounding_box()
    tooltip = page.locator("#vg-tooltip-element")
    for share in range(30, 90, 2):  # somewhere down this column there is a line
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * share / 100)
        page.wait_for_timeout(40)
        if tooltip.is_visible():
            break
    words = tooltip.text_content()
    assert "network" in words and "smallest" in words


def test_stepping_by_button_play_and_link(page):
    page.goto("/why_transformers?part=A+product+of+Jacobians&factors=20")
    now = page.get_by_text("now n = ")
    page.get_by_text("now n = 20").wait_for()
    page.get_by_role("button", name="One more factor").click()
    page.get_by_text("now n = 21").wait_for()
    page.get_by_role("button", name="Back", exact=True).click()
    page.get_by_text("now n = 20").wait_for()
    page.get_by_role("button", name="Play").click()
    page.get_by_text(re.compile(r"now n = (2[3-9]|[3-9]\d)")).wait_for()  # a slow machine may not draw every one
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Play").wait_for()
    page.wait_for_timeout(500)
    stopped = now.text_content()
    page.wait_for_timeout(900)
    assert now.text_content() == stopped
    reached = re.search(r"n = (\d+)", stopped).group(1)
    page.wait_for_url(re.compile(f"factors={reached}"))
    page.reload()
    page.get_by_text(f"now n = {reached}").wait_for()


def test_a_race_is_run_paused_stepped_and_resumed_without_a_new_chart(page):
    page.goto(
        "/why_transformers?part=The+race&race_k=10&race_steps=4000&race_parameters=4000&race_measure_every=5&race_heldout=16"
    )
    page.get_by_role("button", name="Race", exact=True).click()
    page.wait_for_url(re.compile("run=race-"))
    status = page.locator(".st-key-run_status")
    status.get_by_text(re.compile(r"running .* step \d+ of 4000")).wait_for()
    chart = page.locator("svg.marks").first
    chart.wait_for()
    chart.evaluate("element => element.dataset.mine = 'yes'")
    page.wait_for_timeout(2500)
    assert page.locator("[data-mine=yes]").count() == 1  # it grew in place
    page.get_by_role("button", name="Pause").click()
    status.get_by_text("paused").wait_for()

    def step():
        return int(re.search(r"step (\d+) of", status.text_content()).group(1))

    page.wait_for_timeout(1200)
    before = step()
    page.get_by_role("button", name="Step", exact=True).click()
    status.get_by_text(f"step {before + 5} of").wait_for()
    status.get_by_text("paused").wait_for()
    page.reload()
    status.get_by_text(f"step {before + 5} of").wait_for()
    page.get_by_role("button", name="Resume").click()
    status.get_by_text("running").wait_for()
    page.get_by_role("button", name="Stop").click()
    status.get_by_text("stopped").wait_for()


@pytest.mark.parametrize("width", [1440, 800])
@pytest.mark.parametrize("part", ["Gradients+through+time", "A+product+of+Jacobians", "The+race", "Path+and+cost"])
def test_nothing_is_cut_off_at_the_side(page, width, part):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"/why_transformers?part={part}")
    claim(page).wait_for()
    page.locator("svg.marks").first.wait_for()
    assert page.evaluate(
        "document.querySelector('.stMain').scrollWidth <= document.querySelector('.stMain').clientWidth"
    )

"""The loss surface in a real browser: click, step, play, turn, keyboard, refresh, take away."""

import csv
import re
from pathlib import Path

READY = "Can you answer these now?"


def opened(page, path: str, key: str):
    page.goto(path)
    page.get_by_text(READY).wait_for()
    page.wait_for_function("key => window.playgroundFigures?.has(key)", arg=key)
    assert page.get_by_test_id("stException").count() == 0
    return (
        page.locator(f".st-key-{key} canvas.solid"),
        page.locator(f".st-key-{key} canvas.flat"),
        page.locator(f".st-key-{key} .detail"),
    )


def test_the_point_is_moved_by_click_sliders_and_keyboard(page):
    _, flat, detail = opened(page, "/loss_surface", "one")
    assert "Step 6" in detail.inner_text()
    box = flat.bounding_box()
    flat.click(position={"x": box["width"] * 0.4, "y": box["height"] * 0.25})
    page.wait_for_url(re.compile("r_w=-"))
    detail.filter(has_text="Step 0: r_w -").wait_for()
    page.get_by_text("After step 0").wait_for()
    before = detail.inner_text()
    page.locator(".st-key-r_w input[type=range]").press("ArrowRight")
    page.wait_for_function("before => !document.body.innerText.includes(before)", arg=before)
    page.wait_for_load_state("networkidle")  # a page still on its way would redraw the canvas and take the focus away
    page.wait_for_timeout(500)
    flat.focus()
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function("() => Number(new URL(location).searchParams.get('r_l')) < 0.5", timeout=20_000)
    page.reload()
    page.get_by_text(READY).wait_for()
    detail.filter(has_text="Step 0: r_w -").wait_for()


def test_three_optimisers_are_stepped_played_paused_and_reset(page):
    _, flat, detail = opened(page, "/loss_surface?part=Two+weights", "two")
    bar = page.locator(".st-key-two .bar")
    bar.get_by_text("step 80 of 80").wait_for()
    bar.get_by_role("button", name="Back to the start").click()
    bar.get_by_text("step 0 of 80").wait_for()
    start = detail.inner_text()
    page.wait_for_url(re.compile("two_step=0"))
    bar.get_by_role("button", name="One step", exact=True).click()
    bar.get_by_text("step 1 of 80").wait_for()
    page.wait_for_url(re.compile("two_step=1"))
    assert detail.inner_text() != start and len(detail.inner_text().splitlines()) == 3
    play = bar.get_by_role("button", name="Play").element_handle()
    play.click()
    bar.get_by_text(re.compile(r"step ([6-9]|1\d) of 80")).wait_for()
    assert play.get_attribute("aria-label") == "Pause"  # the page has drawn anew meanwhile: still the same button
    play.click()
    shown = re.search(r"step (\d+) of", bar.inner_text()).group(1)
    page.wait_for_url(re.compile(rf"two_step={shown}\b"))
    page.wait_for_timeout(1500)  # no drawing of earlier data plays on
    assert f"step {shown} of" in bar.inner_text() and f"two_step={shown}" in page.url
    page.reload()
    page.locator(".st-key-two .bar").get_by_text(f"step {shown} of 80").wait_for()
    box = flat.bounding_box()
    flat.click(position={"x": box["width"] * 0.75, "y": box["height"] * 0.3})
    page.wait_for_url(re.compile("two=[-0-9.]+_[-0-9.]+"))
    bar.get_by_text("step 0 of 80").wait_for()
    assert detail.inner_text() != start


def test_the_surface_turns_is_clicked_and_keeps_its_view(page):
    solid, _, detail = opened(page, "/loss_surface?part=Two+weights", "two")
    box = solid.bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 230, box["y"] + 220, steps=4)
    page.mouse.up()
    page.wait_for_url(re.compile(r"two_view=[-0-9.]+_[-0-9.]+"))
    turned = re.search(r"two_view=([-0-9._]+)", page.url).group(1)
    assert "two=" not in page.url  # a turn is no click
    before = detail.inner_text()
    solid.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    page.wait_for_url(re.compile(r"two=[-0-9.]+_[-0-9.]+"))
    detail.filter(has_not_text=before.splitlines()[0]).wait_for()
    assert f"two_view={turned}" in page.url
    solid.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("before => !location.search.includes('two_view=' + before)", arg=turned)


def test_the_real_models_path_is_played_and_its_numbers_are_taken_away(page, tmp_path):
    _, _, detail = opened(page, "/loss_surface?part=The+real+model", "real_path")
    bar = page.locator(".st-key-real_path .bar")
    bar.get_by_role("button", name="Back to the start").click()
    detail.filter(has_text="Step 0 · loss 0.693").wait_for()
    bar.get_by_role("button", name="One step", exact=True).click()
    detail.filter(has_text="recorded in training").wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="The numbers of this figure, as CSV: reward_model_surface").click()
    saved.value.save_as(tmp_path / "surface.csv")
    with Path(tmp_path / "surface.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 26 and all(len(row) == 26 for row in rows)
    assert all(0 < float(value) < 20 for row in rows[1:] for value in row[1:])
    with page.expect_download() as saved:
        page.get_by_role("button", name="This figure as SVG: reward_model_surface").click()
    saved.value.save_as(tmp_path / "surface.svg")
    assert (tmp_path / "surface.svg").read_text().count("<rect") == 625

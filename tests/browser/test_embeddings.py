"""The embeddings page in a real browser: point, click, unlock, walk by keyboard, turn, refresh, take away."""

import csv
import re
from pathlib import Path

READY = "Can you answer these now?"


def opened(page, path: str):
    page.goto(path)
    page.get_by_text(READY).wait_for()
    assert page.get_by_test_id("stException").count() == 0


def on_some_token(page) -> str:
    """Move the pointer onto the map until it names a token; returns what it says."""
    canvas = page.locator(".frame canvas")
    canvas.hover()  # playwright waits until it stands still
    page.wait_for_timeout(500)
    box = canvas.bounding_box()
    detail = page.locator(".st-key-cloud .detail")
    for step in range(40):
        page.mouse.move(box["x"] + 90 + 3 * step, box["y"] + 250)
        page.wait_for_timeout(60)  # the pointer's message may be behind the pointer
        if " · id " in detail.inner_text():
            return detail.inner_text()
    raise AssertionError("the pointer met no token")


def test_a_token_is_chosen_kept_over_a_refresh_and_let_go(page):
    opened(page, "/embeddings")
    claim = page.locator("p.claim")
    assert "dog” has one content vector" in claim.inner_text()
    sad = page.get_by_role("button", name=re.compile("token 4: ␣sad"))
    sad.hover()
    page.get_by_text("token 4: ␣sad · id 526 · bytes 20 73 61 64").wait_for()
    sad.click()
    page.wait_for_url(re.compile("token=4"))
    claim.filter(has_text="␣sad").wait_for()
    page.reload()
    claim.filter(has_text="␣sad").wait_for()
    sad.press("ArrowRight")  # the keyboard walks on, Enter chooses
    page.keyboard.press("Enter")
    claim.filter(has_text="␣because").wait_for()
    page.get_by_role("button", name=re.compile("token 5: ␣because")).click()
    page.wait_for_url(lambda url: "token=" not in url)
    claim.filter(has_text="␣dog").wait_for()


def test_the_map_previews_locks_unlocks_and_obeys_the_keyboard(page):
    opened(page, "/embeddings?part=Vocabulary")
    claim = page.locator("p.claim")
    canvas = page.locator(".frame canvas")
    detail = page.locator(".st-key-cloud .detail")
    detail.wait_for()
    canvas.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    detail.filter(has_text=" · id ").wait_for()
    walked = detail.inner_text()
    assert not walked.startswith("␣dog ")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("cloud="))
    token = re.search(r"id (\d+)", walked).group(1)
    assert f"cloud={token}" in page.url
    claim.filter(has_text=walked.split(" ")[0]).wait_for()
    page.reload()
    claim.filter(has_text=walked.split(" ")[0]).wait_for()
    detail.filter(has_text="locked: click again to unlock").wait_for()
    canvas.focus()
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "cloud=" not in url)
    claim.filter(has_text="␣dog").wait_for()


def test_a_click_on_the_map_locks_and_a_second_unlocks(page):
    opened(page, "/embeddings?part=Vocabulary")
    on_some_token(page)
    page.mouse.down()
    page.mouse.up()
    locked = page.locator(".st-key-cloud .detail").filter(has_text="locked")
    locked.wait_for()
    met = locked.inner_text()  # on a slow machine the map may still have been coming to rest when it was hovered
    page.wait_for_url(re.compile("cloud=" + re.search(r"id (\d+)", met).group(1)))
    page.locator("p.claim").filter(has_text=f"“{met.split(' ')[0]}”").wait_for()
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url(lambda url: "cloud=" not in url)
    page.locator("p.claim").filter(has_text="nearest to “␣dog”").wait_for()


def test_the_cloud_turns_and_its_view_is_in_the_url(page):
    opened(page, "/embeddings?part=Vocabulary&solid=true&colour=Kind")
    box = page.locator(".frame canvas").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 320, box["y"] + 230, steps=4)
    page.mouse.up()
    page.wait_for_url(re.compile("cloud_view="))
    page.locator(".legend button").filter(has_text="verb form").click()
    page.wait_for_url(re.compile("cloud_only=4"))
    page.reload()
    page.locator(".legend button[aria-pressed=true]").filter(has_text="verb form").wait_for()
    page.get_by_role("button", name="The whole cloud").click()
    page.wait_for_url(lambda url: "cloud_view=" not in url)


def test_the_numbers_of_the_map_can_be_taken_away(page, tmp_path):
    opened(page, "/embeddings?part=Vocabulary")
    with page.expect_download() as saved:
        page.get_by_role("button", name="The numbers of this figure, as CSV: vocabulary").click()
    saved.value.save_as(tmp_path / "map.csv")
    with Path(tmp_path / "map.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 4097
    assert rows[545][:2] == ["544", "␣dog"]
    with page.expect_download() as saved:
        page.get_by_role("button", name="This figure as SVG: vocabulary").click()
    saved.value.save_as(tmp_path / "map.svg")
    assert (tmp_path / "map.svg").read_text().count("<rect") > 4000


def test_a_step_of_the_rotation_survives_a_refresh(page):
    opened(page, "/embeddings?part=Positions&look=The+rotation&pair=0&place=3")
    place = page.locator(".st-key-place input[type=range]")
    place.press("ArrowRight")
    page.wait_for_url(re.compile("place=4"))
    page.reload()
    page.get_by_text(READY).wait_for()
    assert place.input_value() == "4"

"""The shared figures in a real browser: a matrix one can point into and lock, and files that really come down."""

import csv
import io
import re

import pytest

JACOBIAN = "/why_transformers?part=A+product+of+Jacobians"
FLOW = "/why_transformers"


@pytest.fixture
def square(page):
    """The matrix of the page, drawn."""
    page.goto(JACOBIAN)
    canvas = page.locator(".st-key-jacobian canvas")
    canvas.wait_for()
    page.wait_for_function("window.playgroundFigures?.has('jacobian')")
    page.locator("svg.marks").first.wait_for()
    return page, canvas, page.locator(".st-key-jacobian .detail")


def middle_of(canvas, row, column, size=16):
    """Where a cell is, from the canvas's own size: labels stand left of the cells."""
    box = canvas.bounding_box()
    side = (box["height"] - 6) / size
    return {"x": box["width"] - 2 - (size - column - 0.5) * side, "y": box["height"] - 2 - (size - row - 0.5) * side}


def test_hover_previews_click_locks_and_a_second_click_unlocks(square):
    page, canvas, detail = square
    hint = detail.text_content()
    assert "click or Enter locks" in hint
    place = middle_of(canvas, 3, 9)
    canvas.hover(position=place)
    preview = detail.text_content()
    assert re.match(r"∂ h\[3\] at T / ∂ h\[9\] at T − 10 = -?\d\.\d{3} × ", preview)
    assert "jacobian=" not in page.url
    canvas.click(position=place)
    page.wait_for_url(re.compile("jacobian=3-9"))
    assert detail.text_content() == preview + "  (locked: click again to unlock)"
    canvas.hover(position=middle_of(canvas, 12, 2))
    assert "h[3]" in detail.text_content()  # what is locked stays
    page.wait_for_timeout(300)
    canvas.click(position=place)
    page.wait_for_function("!location.search.includes('jacobian=')")
    detail.filter(has_text="locked: click").wait_for(state="detached")  # the link changes before the drawing does
    canvas.hover(position=middle_of(canvas, 12, 2))
    detail.filter(has_text="∂ h[12] at T / ∂ h[2]").wait_for()


def test_a_locked_cell_survives_a_refresh_and_a_link(page):
    page.goto(f"{JACOBIAN}&jacobian=5-6")
    detail = page.locator(".st-key-jacobian .detail")
    detail.get_by_text("locked").wait_for()
    assert "∂ h[5] at T / ∂ h[6]" in detail.text_content()
    page.reload()
    detail.get_by_text("locked").wait_for()
    assert "∂ h[5] at T / ∂ h[6]" in detail.text_content()


def test_the_keyboard_does_what_the_pointer_does(square):
    page, canvas, detail = square
    canvas.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        canvas.press(key)
    assert "∂ h[2] at T / ∂ h[1]" in detail.text_content()
    canvas.press("Enter")
    page.wait_for_url(re.compile("jacobian=2-1"))
    assert "locked" in detail.text_content()
    page.wait_for_timeout(300)
    canvas.press("Escape")
    page.wait_for_function("!location.search.includes('jacobian=')")
    assert canvas.get_attribute("aria-label").startswith("The Jacobian of the last state")


def saved(page, figure, kind):
    """The bytes that the button brings down, and the name it gives them."""
    button = page.locator(f".st-key-{figure}_downloads button", has_text=kind)
    with page.expect_download() as download:
        button.click()
    return download.value.path().read_bytes(), download.value.suggested_filename


def test_our_own_figure_comes_down_as_png_svg_and_numbers(square):
    page, _, _ = square
    picture, name = saved(page, "jacobian", "PNG")
    assert picture[:8] == b"\x89PNG\r\n\x1a\n" and len(picture) > 2000 and name == "jacobian_rnn_10.png"
    drawing, name = saved(page, "jacobian", "SVG")
    assert drawing.decode().count("<rect") >= 256 and "h[3] at T" in drawing.decode() and name.endswith(".svg")
    numbers, name = saved(page, "jacobian", "Data")
    rows = list(csv.reader(io.StringIO(numbers.decode())))
    assert name == "jacobian_rnn_10.csv" and len(rows) == 17 and all(len(row) == 17 for row in rows)
    values = [float(cell.lstrip("'")) for row in rows[1:] for cell in row[1:]]
    assert -1.000001 <= min(values) < 0 < max(values) <= 1.000001


def test_a_vega_figure_comes_down_as_png_svg_and_numbers(page):
    page.goto(FLOW)
    page.locator("svg.marks").first.wait_for()
    page.wait_for_timeout(500)
    picture, _ = saved(page, "flow", "PNG")
    assert picture[:8] == b"\x89PNG\r\n\x1a\n" and len(picture) > 2000
    drawing, _ = saved(page, "flow", "SVG")
    assert b"<svg" in drawing and b"transformer" in drawing
    numbers, name = saved(page, "flow", "Data")
    rows = list(csv.reader(io.StringIO(numbers.decode())))
    assert name == "gradients_through_time.csv" and rows[0] == ["network", "x", "y", "low", "high"]
    assert len(rows) == 1 + 4 * 240
    assert all(float(row[3]) <= float(row[2]) <= float(row[4]) for row in rows[1:])


def test_what_a_spreadsheet_would_take_for_a_formula_is_defused(square):
    """Foreign words reach these files as labels: they must come down as words."""
    page, _, _ = square
    page.evaluate(
        """window.playgroundFigures.set("jacobian", {
            svg: () => "", csv: () => [["", "=1+1"], ["+cmd|' /C calc'!A0", -0.5], ["@SUM(A1)", 2], ["-3+4", "a,\\"b\\""], ["\\tx", 1]],
        })"""
    )
    numbers, _ = saved(page, "jacobian", "Data")
    rows = list(csv.reader(io.StringIO(numbers.decode())))
    assert rows[0] == ["", "'=1+1"]
    assert [row[0] for row in rows[1:]] == ["'+cmd|' /C calc'!A0", "'@SUM(A1)", "'-3+4", "'\tx"]
    assert rows[1][1] == "-0.5" and rows[3][1] == 'a,"b"'  # a negative number is a number

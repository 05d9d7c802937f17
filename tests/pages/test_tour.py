"""The tour: ten stops in the order of the loop, a bar that knows when an act was done, and an easy way out."""

import pytest
from streamlit.testing.v1 import AppTest

from pages._parts.stops import STOPS, VOTED
from tests.pages.page_helpers import PAGES, fine, opened, said


def on_tour(**url: str) -> AppTest:
    at = AppTest.from_file(str(PAGES / "_router.py"), default_timeout=60)
    for name, value in url.items():
        at.query_params[name] = value
    return fine(at.run())


def button(at: AppTest, key: str):
    return next(one for one in at.button if one.key == key)


def test_ten_stops_on_pages_that_exist_each_with_one_act():
    assert len(STOPS) == 10
    for stop in STOPS:
        assert (PAGES / f"{stop.page}.py").exists()
        assert stop.act.endswith(".") and ". " not in stop.act and stop.notice
        assert not stop.done(dict(stop.url)), f"{stop.title} counts as done before anything was done"


@pytest.mark.parametrize(
    ("title", "url"),
    [
        ("Text", {"example": "2"}),
        ("Vote", {VOTED: "yes"}),
        ("Loss surface", {"r_w": "-1.9"}),
        ("Before and after", {"at": "0"}),
        ("Goodhart", {"goodhart_beta": "0.1"}),
    ],
)
def test_an_act_shows_in_the_address(title, url):
    stop = next(stop for stop in STOPS if stop.title == title)
    assert stop.done({**stop.url, **url})


def test_nobody_is_made_to_take_it_and_one_click_starts_it():
    at = on_tour()
    assert "1 of 10" not in said(at)
    fine(button(at, "tour_start").click().run())
    assert "1 of 10" in said(at)
    assert at.query_params["tour"] in ("1", ["1"])
    assert not [one for one in at.button if one.key == "tour_start"]


def test_the_bar_sees_the_act_leads_on_and_ends():
    at = on_tour(tour="1", example="2")
    assert "✓ done" in said(at)
    fine(button(at, "tour_to_2").click().run())
    assert "2 of 10" in said(at) and "✓ done" not in said(at)
    fine(button(at, "tour_end").click().run())
    assert "of 10 ·" not in said(at) and "tour" not in at.query_params


def test_a_stop_elsewhere_is_one_link_away_and_nonsense_is_no_stop():
    at = on_tour(tour="6")
    assert "This stop is on the page “Reward model”" in said(at)
    assert any(link.label == "Go to Reward model" for link in at.get("page_link"))
    for nonsense in ("0", "11", "²", "-1", ""):
        assert "of 10 ·" not in said(on_tour(tour=nonsense))


def test_the_page_lists_every_stop():
    words = said(opened("tour"))
    for stop in STOPS:
        assert stop.act in words

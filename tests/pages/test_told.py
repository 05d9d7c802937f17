"""An error that a person can mend is a sentence on the page, wherever it came up: never a traceback."""

from streamlit.testing.v1 import AppTest

from core.errors import PlaygroundError
from core.feedback.store import FeedbackStore
from tests.pages.page_helpers import fine, opened


def _page():
    import streamlit as st

    from core.errors import PlaygroundError
    from pages._parts.told import errors_told, fragment, told

    @fragment()
    def part():
        if st.toggle("Break the part"):
            raise PlaygroundError("the part is broken *here*")
        st.write("the part is whole")

    @told
    def click():
        raise PlaygroundError("the click is broken")

    with errors_told():
        st.button("Break the click", on_click=click)
        part()
        st.write("the end")


def errors(at):
    assert not at.exception
    return [error.value for error in at.error]


def test_a_part_that_fails_is_told_and_the_page_goes_on():
    at = AppTest.from_function(_page).run()
    assert errors(at) == []
    at.toggle[0].set_value(True).run()
    assert errors(at) == [r"the part is broken \*here\*"]
    assert at.markdown[-1].value == "the end"
    at.toggle[0].set_value(False).run()
    assert errors(at) == []


def test_what_a_click_was_told_is_said_once():
    at = AppTest.from_function(_page).run()
    at.button[0].click().run()
    assert errors(at) == ["the click is broken"]
    assert errors(at.run()) == []


def test_an_undo_that_cannot_be_saved_is_told(monkeypatch):
    at = fine(opened("label").button(key="vote_left").click().run())

    def locked(*_):
        raise PlaygroundError("The database is locked.")

    monkeypatch.setattr(FeedbackStore, "undo", locked)
    at.button(key="undo").click().run()
    assert errors(at) == [r"The database is locked\."]

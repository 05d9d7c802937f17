"""A pasted text that is too long is cut, kept and said to be."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from pages._parts.typed import typed

    for field in ("text_area", "text_input"):
        text = typed(st, field, "Say", "first", key=field, longest=8)
        st.markdown(f"{field} reads [{text}]")


def test_what_fits_is_taken_and_what_does_not_is_cut_with_a_note():
    at = AppTest.from_function(page).run()
    assert "text_area reads [first]" in [one.value for one in at.markdown] and not at.caption
    at.text_area[0].set_value("exactly8").run()
    assert not at.caption
    at.text_area[0].set_value("x" * 12_345).run()
    assert at.text_area[0].value == "x" * 8
    assert [one.value for one in at.caption] == ["Cut to 8 of its 12,345 characters: more does not fit here."]
    at.text_input[0].set_value("y" * 9).run()
    assert at.text_input[0].value == "y" * 8 and len(at.caption) == 2
    at.text_area[0].set_value("short").run()
    assert "text_area reads [short]" in [one.value for one in at.markdown] and len(at.caption) == 1

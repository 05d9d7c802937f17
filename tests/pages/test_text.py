"""Foreign text on a page: read back from Markdown it is what it was; and errors are told in place."""

import re

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from streamlit.testing.v1 import AppTest

from core.language.registry import add_policy
from pages._parts.text import escaped, minus, steady, told_apart
from tests import tiny
from tests.pages.page_helpers import PAGES

MARKS = "\\`*_{}[]()#+-.!|$:~<>&^=@/ \"'"
texts = st.text(alphabet=st.sampled_from(MARKS + "abwx1\u00e9"), max_size=30) | st.text(max_size=30)


@given(texts.map(lambda text: "a" + " ".join(text.split())))
@example("a <b>x</b> &lt; [l](javascript:1) ![i](http://e.x/i) :red[x] $x$ `c` **b** http://e.x www.e.x a@b.c")
def test_escaped_text_renders_as_itself_and_nothing_else(text):
    """By CommonMark with GitHub's tables, strikethrough and bare addresses; Streamlit's own marks in a real browser."""
    rules = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])
    opening, inline, closing = rules.parse(escaped(text))
    assert (opening.tag, closing.tag) == ("p", "p")
    assert {child.type for child in inline.children} <= {"text", "text_special", "softbreak", "entity"}
    shown = "".join("\n" if child.type == "softbreak" else child.content for child in inline.children)
    assert shown.replace("\u2060", "") == steady(text.replace("\u2060", ""))


@given(texts)
@example("simulated:sunny:512 at app.py:100: it is :material/delete: or :streamlit: or :+1:")
@example("a -> b <- c <-> d -- e >= f <= g ~= h")
def test_streamlit_draws_no_sign_in_escaped_text(text):
    """What its page replaces, by the very patterns that it has, when the backslashes have gone."""
    left = re.sub(r"\\([^\w\s])", r"\1", escaped(text))
    assert not re.search(r":[\w+-]+:|:material[_/]\w+:", left)
    assert not re.search(r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)", left)


def test_a_name_does_not_turn_the_words_behind_it_round():
    name = "abc\u202efed\u2067.jsonl"
    assert steady(name) == "abc\ufffdfed\ufffd.jsonl" and "\u202e" not in escaped(name)
    kept = "שלום \u200fعالم\u200e!"  # what such alphabets need stays
    assert steady(kept) == kept


def test_options_that_would_read_alike_are_told_apart_and_the_others_left_alone():
    assert told_apart({3: "mine.jsonl", 5: "mine.jsonl", 8: "other.jsonl"}) == {
        3: "mine.jsonl (3)", 5: "mine.jsonl (5)", 8: "other.jsonl"
    }  # fmt: skip


def test_of_two_models_in_folders_of_one_name_the_chosen_one_is_taken(tmp_path):
    """Streamlit knows an option by its words: the last of those that read alike was taken for each of them."""
    for place in ("first", "second"):
        tiny.gpt2().save_pretrained(tmp_path / place / "model")
        tiny.tokenizer().save_pretrained(tmp_path / place / "model")
        add_policy(str(tmp_path / place / "model"))

    def page() -> None:
        import streamlit as st

        from pages._parts.pickers import model_picker

        st.text(model_picker())

    at = AppTest.from_function(page).run()
    for place in ("first", "second"):
        wanted = str(tmp_path / place / "model")
        (label,) = [label for label in at.selectbox[0].options if wanted in label]
        assert at.selectbox[0].set_value(wanted).run().text[0].value == wanted
        assert label == f"model ({wanted})"


def test_a_data_folder_that_cannot_be_used_is_said_on_every_page(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(tmp_path / "file" / "home"))
    at = AppTest.from_file(str(PAGES / "_router.py"), default_timeout=60).run()
    assert not at.exception, [error.message for error in at.exception]
    (told,) = at.error
    assert "The data folder" in told.value
    assert "RLHF" in told.value


def test_a_hyphen_before_a_number_is_a_minus_sign_and_no_other():
    assert minus("from -0.26 to +0.4, (-3) and **-1.5**") == "from −0.26 to +0.4, (−3) and **−1.5**"
    for kept in ("best-of-4", "2026-11-30", "- 3 apples", "GPT-2", "x-1", "a --seed 3", "1e-05"):
        assert minus(kept) == kept
    assert minus(f"the token {escaped('-5')} has -0.5") == f"the token {escaped('-5')} has −0.5"

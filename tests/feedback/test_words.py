"""What counts as a word, in any script."""

import pytest

from core.feedback.words import word_count, words_in


@pytest.mark.parametrize(
    ("text", "parts", "count"),
    [
        ("Tim's well-known dog -- 25 of them!", ["tim's", "well", "known", "dog", "of", "them"], 6),
        ("Ёжик нашёл 2 яблока.", ["ёжик", "нашёл", "яблока"], 4),
        ("un café très noir", ["un", "café", "très", "noir"], 4),
        ("猫はOKだ。", ["猫", "は", "ok", "だ"], 4),
        ("snake_case  \n x", ["snake", "case", "x"], 2),
        (" ", [], 0),
    ],
)
def test_words_of_any_script_are_found_and_counted(text, parts, count):
    assert (words_in(text), word_count(text)) == (parts, count)

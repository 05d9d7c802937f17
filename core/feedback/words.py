"""The words of a text in any script, and how many: one definition for everything that is said of a text's length.

Simulated annotators have one of their own (`annotators.text`): they are English, and their formulas published.
"""

import re

_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # kana and Chinese characters: no spaces between words
_WORD = re.compile(rf"[{_ALONE}]|(?:[^\W\d_{_ALONE}]|')+")
_PIECE = re.compile(rf"[{_ALONE}]|[^\s{_ALONE}]+")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")


def words_in(text: str) -> list[str]:
    """The words of `text`, in lower case: runs of letters and apostrophes; a kana or Chinese character is one by
    itself."""
    return _WORD.findall(text.lower())


def word_count(text: str) -> int:
    """How long a text is: pieces between spaces that hold a letter or a digit, as word processors count; a kana or
    Chinese character counts as a word."""
    return sum(1 for piece in _PIECE.findall(text) if _LETTER_OR_DIGIT.search(piece))

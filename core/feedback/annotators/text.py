"""How annotators cut a text into words and sentences: one definition, so that their utilities compare."""

import re

_WORD = re.compile(r"[a-z']+")
# Full stops inside "3.5" or "e.g.this" end nothing; a line break always does, so that titles and list items count.
_SENTENCE = re.compile(r"(?P<body>[^.!?\n]*(?:[.!?]+\w[^.!?\n]*)*)(?P<end>[.!?]+|\n|$)")


def words(text: str) -> list[str]:
    """The words of `text`, in lower case: runs of the letters a to z and apostrophes."""
    return _WORD.findall(text.lower())


def sentences(text: str) -> list[tuple[list[str], str]]:
    """The sentences of `text` that hold a word, each as (its words, the marks that end it).

    A sentence ends at a run of `.`, `!` and `?` that no letter or digit follows, at a line break, or where the text
    ends; in the last two cases the marks are empty. Speech inside a sentence is a sentence: `"Why?" said Tom.` is two.
    """
    cut = ((words(match["body"]), match["end"].strip()) for match in _SENTENCE.finditer(text))
    return [(body, end) for body, end in cut if body]

"""The glossary's terms in a page's own text, and by a reader's words."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from core.glossary import TERMS, Term

_BY_PROSE = {form: term for term in TERMS for form in term.prose}
# The longest form first, so that "clip fraction" is not read as something shorter; whole words only.
_ANY = re.compile(
    r"(?<![\w-])(?:" + "|".join(re.escape(form) for form in sorted(_BY_PROSE, key=len, reverse=True)) + r")(?![\w-])"
)


@dataclass(frozen=True)
class Occurrence:
    """Where a term stands in a text: text[start:end]."""

    start: int
    end: int
    term: Term


def first_occurrences(
    text: str, known: Collection[str] = (), outside: Collection[tuple[int, int]] = ()
) -> list[Occurrence]:
    """The first place of every term in `text`, in reading order.

    Args:
        text: a page's own prose.
        known: names of terms that the page has explained already.
        outside: stretches of the text to pass over (code, formulas), as start and end.
    """
    found: dict[str, Occurrence] = {}
    for match in _ANY.finditer(text):
        term = _BY_PROSE[match[0]]
        hidden = any(start < match.end() and match.start() < end for start, end in outside)
        if term.name not in known and term.name not in found and not hidden:
            found[term.name] = Occurrence(match.start(), match.end(), term)
    return list(found.values())


def search(words: str) -> list[Term]:
    """The terms whose name or definition holds every one of `words`, those found by name first; all when empty."""
    wanted = words.casefold().split()
    fitting = [term for term in TERMS if all(word in f"{term.name} {term.means}".casefold() for word in wanted)]
    return sorted(
        fitting, key=lambda term: (not all(word in term.name.casefold() for word in wanted), term.name.casefold())
    )

"""Branches of a response, as the URL keeps them: `3-1234.7-88` chose token 1234 at place 3 and token 88 at place 7."""

import re

_BRANCH = re.compile(r"\d{1,4}-\d{1,6}(\.\d{1,4}-\d{1,6})*")
MAIN = "main"
MOST = 8

Choice = tuple[int, int]


def choices(branch: str) -> list[Choice]:
    """(place, token) of each choice, in the order of places; the main branch has none."""
    if not _BRANCH.fullmatch(branch):
        return []
    return [(int(place), int(token)) for place, _, token in (one.partition("-") for one in branch.split("."))]


def named(made: list[Choice]) -> str:
    """The branch with these choices."""
    return ".".join(f"{place}-{token}" for place, token in made) or MAIN


def leaving(branch: str, place: int, token: int) -> str:
    """The branch that leaves `branch` at `place` with `token`: what was chosen behind it is dropped."""
    return named([one for one in choices(branch) if one[0] < place] + [(place, token)])


def listed(text: str, length: int) -> list[str]:
    """The branches that a URL names: those that can be, once each, at most `MOST`; the main one first."""
    found = [MAIN]
    for branch in text.split(","):
        places = [place for place, _ in choices(branch)]
        if places and places == sorted(set(places)) and places[-1] < length and branch not in found:
            found.append(branch)
    return found[: MOST + 1]

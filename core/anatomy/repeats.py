"""Tokens that come more than once in a sentence. Imports no torch, so that a page can ask before it has loaded."""

from collections.abc import Sequence


def repeated(ids: Sequence[int]) -> list[tuple[int, int]]:
    """Each token that comes more than once, by its first two positions, in the order of the sentence."""
    places: dict[int, list[int]] = {}
    for position, token in enumerate(ids):
        places.setdefault(token, []).append(position)
    return [(found[0], found[1]) for found in places.values() if len(found) > 1]

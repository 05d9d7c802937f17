"""Why a row is no preference."""

from typing import Any


class Unusable(ValueError):
    """The row is no preference; the message is the reason, in a few words."""


class Tie(Unusable):
    """The row is a vote that named no winner: counted, and not to be learned from."""


def kind_of(value: Any) -> str:
    """What a value is, in the words of a reason."""
    names = {
        bool: "a truth value",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return "null" if value is None else names.get(type(value), f"a {type(value).__name__}")

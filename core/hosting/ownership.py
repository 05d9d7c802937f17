"""Whose a vote, a run or a data set is. An annotator's name begins with the person's who votes: `anna/me`.

What has no owner was made by whoever runs the machine: everybody sees it, and nobody who signed in changes it.
"""

from typing import TYPE_CHECKING

from core.errors import PlaygroundError
from core.hosting.people import person

if TYPE_CHECKING:  # it takes half a second, which the registry of models does not need
    import sqlalchemy as sa

_BETWEEN = "/"  # no person's name holds it


def full_name(typed: str) -> str:
    """The annotator that a person means by the name they typed: their own, whatever it is called."""
    who = person()
    return typed if who is None else f"{who}{_BETWEEN}{typed}"


def my_votes(annotator: "sa.ColumnElement[str]") -> "sa.ColumnElement[bool]":
    """Rows whose annotator is one of the acting person's."""
    import sqlalchemy as sa

    who = person()
    if who is None:
        return sa.true()
    mine = who + _BETWEEN
    return sa.func.substr(annotator, 1, len(mine)) == mine  # not LIKE, which SQLite asks without regard to case


def check_annotator(name: str) -> None:
    """Raises PlaygroundError when that name is somebody else's."""
    who = person()
    if who is not None and not name.startswith(who + _BETWEEN):
        raise PlaygroundError("That name is somebody else's: their votes are neither shown to you nor changed.")


def owner() -> str:
    """Whose what is made now will be."""
    return person() or ""


def visible(of: "sa.ColumnElement[str]") -> "sa.ColumnElement[bool]":
    """Rows that the acting person may see: their own, and those without an owner."""
    import sqlalchemy as sa

    who = person()
    return sa.true() if who is None else of.in_((who, ""))


def check_mine(of: str, what: str) -> None:
    """Raises PlaygroundError when the acting person may see `what` and not change it."""
    if person() not in (None, of):
        raise PlaygroundError(f"{what} is everybody's: only whoever runs this server can change it.")

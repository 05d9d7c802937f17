"""Who acts. A server says how to find out; a worker acts as the person whose run it carries out.

Whoever starts a process on the machine itself (the command line) is nobody's guest: there `person()` is None, and
nothing is forbidden. In a hosted server it is an error not to know: what forgot to ask is refused, not let through.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from core.errors import PlaygroundError
from core.hosting.mode import is_hosted

P = ParamSpec("P")
R = TypeVar("R")

_acting: ContextVar[str | None] = ContextVar("acting", default=None)  # "": whoever runs this machine
_ask: Callable[[], str | None] | None = None


class NotSignedInError(PlaygroundError):
    """Somebody acts, and nobody knows who."""


def ask_with(who: Callable[[], str | None] | None) -> None:
    """How this process finds out who acts now: None from it means that nobody has signed in. A server says so once."""
    global _ask
    _ask = who


def person() -> str | None:
    """The name of who acts now; None where nothing is hosted, or for whoever runs this machine.

    Raises NotSignedInError in a hosted server when nobody has signed in.
    """
    if not is_hosted():
        return None
    acting = _acting.get()
    if acting is not None:
        return acting or None
    if _ask is None:
        return None
    found = _ask()
    if not found:
        raise NotSignedInError("Sign in first.")
    return found


@contextlib.contextmanager
def acting_as(name: str) -> Iterator[None]:
    """Inside, `name` acts; "" is whoever runs this machine."""
    token = _acting.set(name)
    try:
        yield
    finally:
        _acting.reset(token)


def bound(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, done later and perhaps in another thread, on behalf of who acts now."""
    name = person() or ""

    @functools.wraps(function)
    def on_behalf(*args: P.args, **kwargs: P.kwargs) -> R:
        with acting_as(name):
            return function(*args, **kwargs)

    return on_behalf

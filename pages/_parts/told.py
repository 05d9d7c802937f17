"""What a person can mend is said on the page, whichever page it is and wherever in it the error came up."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import ParamSpec

import streamlit as st

from core.errors import PlaygroundError
from pages._parts.text import escaped

P = ParamSpec("P")

_UNTOLD = "untold_error"


@contextlib.contextmanager
def errors_told() -> Iterator[None]:
    """A PlaygroundError (a data folder that cannot be written, a locked database) as one sentence on the page.

    First what the click that led here was told (`told`), then what comes up inside.
    """
    if untold := st.session_state.pop(_UNTOLD, None):
        _tell(untold)
    try:
        yield
    except PlaygroundError as error:
        _tell(str(error))


def fragment(run_every: float | None = None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """`st.fragment` whose errors are told where it draws: drawn again by itself, it is not inside the page's own."""

    def make(function: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(function)
        def view(*args: P.args, **kwargs: P.kwargs) -> None:
            with errors_told():
                function(*args, **kwargs)

        return st.fragment(view, run_every=run_every)

    return make


def told(callback: Callable[P, None]) -> Callable[P, None]:
    """A widget's callback whose error is told by the page that is drawn after it, and not by a traceback."""

    @functools.wraps(callback)
    def act(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except PlaygroundError as error:
            st.session_state[_UNTOLD] = str(error)

    return act


def _tell(words: str) -> None:
    st.error(escaped(words), icon=":material/error:")

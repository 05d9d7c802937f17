"""What a person can mend is said on the page, whichever page it is and wherever in it the error came up."""

import contextlib
from collections.abc import Iterator

import streamlit as st

from core.errors import PlaygroundError
from pages._parts.text import escaped


@contextlib.contextmanager
def errors_told() -> Iterator[None]:
    """A PlaygroundError (a data folder that cannot be written, a locked database) as one sentence on the page."""
    try:
        yield
    except PlaygroundError as error:
        st.error(escaped(str(error)), icon=":material/error:")

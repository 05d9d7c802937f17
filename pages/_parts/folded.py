"""What is folded away costs nothing until somebody opens it: neither the server nor the browser makes it before."""

from collections.abc import Callable

import streamlit as st

from pages._parts.told import fragment


def folded(label: str, key: str, draw: Callable[[], None], icon: str | None = None) -> None:
    """An expander, closed, that calls `draw` once it is open; only it runs again then, not the page.

    What highlights code and what draws charts are megabytes of the browser's time, which the first picture waits for.
    """

    @fragment()
    def view() -> None:
        box = st.expander(label, key=key, icon=icon, on_change="rerun")
        if box.open:
            with box:
                draw()

    view()

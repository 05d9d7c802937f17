"""Show the code: the very function that ran, read from its source file, so that it can never be out of date."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_ROOT = Path(__file__).resolve().parents[2]


def show_code(*functions: Callable[..., Any], label: str = "Show the code that ran") -> None:
    """The source of each function, folded, with the file and the line where it stands."""
    with st.expander(label, icon=":material/code:"):
        for function in functions:
            plain = inspect.unwrap(function)
            lines, first = inspect.getsourcelines(plain)
            file = Path(inspect.getsourcefile(plain) or "").resolve()
            where = file.relative_to(_ROOT) if file.is_relative_to(_ROOT) else file.name
            st.caption(f"`{where}`, line {first}")
            st.code("".join(lines), language="python")

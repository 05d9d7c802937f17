"""Show the code: the very function that ran, read from its source file, so that it can never be out of date."""

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_ROOT = Path(__file__).resolve().parents[2]


def show_code(*functions: "Callable[..., Any] | str", label: str = "Show the code that ran") -> None:
    """The source of each function, folded, with the file and the line where it stands.

    A function may be given as "package.module:name": it is then imported only when the reader unfolds it, which keeps
    torch out of a page's first second.
    """
    names = [function if isinstance(function, str) else function.__qualname__ for function in functions]
    box = st.expander(label, icon=":material/code:", on_change="rerun", key=f"code-{'-'.join(names)}")
    if not box.open:
        return
    with box:
        for function in functions:
            plain = inspect.unwrap(_found(function) if isinstance(function, str) else function)
            lines, first = inspect.getsourcelines(plain)
            file = Path(inspect.getsourcefile(plain) or "").resolve()
            where = file.relative_to(_ROOT) if file.is_relative_to(_ROOT) else file.name
            st.caption(f"`{where}`, line {first}")
            st.code("".join(lines), language="python")


def _found(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)

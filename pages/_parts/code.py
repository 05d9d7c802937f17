"""Show the code: the very function that ran, read from its source file, so that it can never be out of date."""

import ast
import importlib
import importlib.util
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from core.syntax import PARSING, parsed
from pages._parts.folded import folded

_ROOT = Path(__file__).resolve().parents[2]


def show_code(*functions: Callable[..., Any] | str, label: str = "Show the code that ran") -> None:
    """The source of each function, folded, with the file and the line where it stands.

    A function given as `module:name` is read without importing its module: no page waits for torch to show code.
    """
    names = [function if isinstance(function, str) else function.__qualname__ for function in functions]

    def draw() -> None:
        for function in functions:
            source, file, first = _named(function) if isinstance(function, str) else _given(function)
            where = file.relative_to(_ROOT) if file.is_relative_to(_ROOT) else file.name
            st.caption(f"`{where}`, line {first}")
            st.code(source, language="python")

    folded(label, f"code {' '.join(names)}", draw, icon=":material/code:")


def _given(function: Callable[..., Any]) -> tuple[str, Path, int]:
    plain = inspect.unwrap(function)
    with PARSING:
        lines, first = inspect.getsourcelines(plain)
    return "".join(lines), Path(inspect.getsourcefile(plain) or "").resolve(), first


_cached: dict[str, tuple[str, Path, int]] = {}


def _named(name: str) -> tuple[str, Path, int]:
    """Read once a process: a running program's source does not change, and parsing it took a tenth of a vote."""
    with PARSING:
        if name not in _cached:
            _cached[name] = _read(name)
        return _cached[name]


def _read(name: str) -> tuple[str, Path, int]:
    module, _, wanted = name.partition(":")
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module)
    file = Path(spec.origin).resolve()
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    for node in parsed("".join(lines)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == wanted:
            return "".join(lines[node.lineno - 1 : node.end_lineno]), file, node.lineno
    raise AttributeError(f"{module} defines no {wanted}")

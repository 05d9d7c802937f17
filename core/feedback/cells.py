"""Cells in which messages or objects are written out as text, as CSV files have them.

What pandas and `datasets` write for a list of messages is Python's `[{'role': 'user', …}]`; others write JSON. Either
is read as what it was. A text that only begins with a bracket stays a text.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Mapping
from typing import Any

from core.feedback.columns import COLUMNS, FLAGS, SIGNED, VERDICTS, VOTERS
from core.feedback.unusable import Unusable

_LONGEST = 2**18  # characters of Python's that are read: each of its nodes takes some hundred bytes
_MESSAGES = re.compile(r"""\s*\[\s*\{\s*['"](role|content)['"]\s*:""")
_OBJECTS = {  # WebGPT's question, the summaries of a post and what is known of it, Nectar's ranking
    "question": re.compile(r"""\s*\{\s*['"](dataset|id|full_text)['"]\s*:"""),
    "info": re.compile(r"\s*\{"),
    "summaries": re.compile(r"\s*\["),
    "answers": re.compile(r"\s*\["),
}
_TEXTS = COLUMNS - {*VERDICTS, *VOTERS, *FLAGS, *SIGNED, "margin"}
_FAILURES = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


def opened(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its messages and objects as what they are. Raises Unusable for one that cannot be read back."""
    return {name: _opened(name, value) if isinstance(value, str) else value for name, value in row.items()}


def listed(text: str) -> list[Any] | None:
    """A list that is written out as text, as the Arena's table has turns; None where it is none."""
    value = _read(text) if text.lstrip().startswith("[") else None
    return value if isinstance(value, list) else None


def _opened(name: str, text: str) -> Any:
    is_object = name in _OBJECTS and _OBJECTS[name].match(text)
    if name not in _TEXTS or not (is_object or _MESSAGES.match(text)):
        return text
    value = _read(text)
    if value is None:
        what = "an object" if is_object else "a list of messages"
        raise Unusable(f"{name} is {what} written out as text that cannot be read back; save as JSON Lines or Parquet")
    if is_object:
        return value if name != "question" or "full_text" in value else text
    return value if all(isinstance(one, dict) and {"role", "content"} <= one.keys() for one in value) else text


def _read(text: str) -> Any:
    """The list or object that JSON or Python wrote; None for any other text."""
    value: Any = None
    try:
        value = json.loads(text)
    except _FAILURES:
        if len(text) <= _LONGEST:
            value = _python(text.strip())
    return value if isinstance(value, list | dict) else None


def _python(text: str) -> Any:
    """What Python wrote; None for what NumPy did, which parts texts by nothing: Python reads 'a' 'b' as one."""
    try:
        value = ast.literal_eval(text)
        tokens = [token.type for token in tokenize.generate_tokens(io.StringIO(text).readline)]
    except (*_FAILURES, tokenize.TokenError):
        return None
    kept = [kind for kind in tokens if kind not in (tokenize.NL, tokenize.COMMENT)]
    glued = any(kept[place : place + 2] == [tokenize.STRING] * 2 for place in range(len(kept)))
    return None if glued else value

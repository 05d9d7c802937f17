"""Python's own parser, one thread at a time.

Two threads that parse at once can end with "SystemError: AST constructor recursion depth mismatch" (seen with CPython
3.11.7), and every session of a page is a thread. `inspect` parses too, to find a class.
"""

import ast
import threading

PARSING = threading.RLock()


def parsed(source: str) -> ast.Module:
    """The syntax tree of `source`. Raises SyntaxError."""
    with PARSING:
        return ast.parse(source)

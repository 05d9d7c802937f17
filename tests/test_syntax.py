"""The parser in many threads at once, as many people open a page at once."""

import ast
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from core.syntax import parsed


def test_no_two_threads_parse_at_once(monkeypatch):
    """What fails when they do fails seldom: here it is looked whether they could."""
    inside, most = [], []

    def watched(source):
        inside.append(source)
        most.append(len(inside))
        time.sleep(0.01)
        inside.remove(source)
        return ast.parse(source)

    monkeypatch.setattr("core.syntax.ast", SimpleNamespace(parse=watched))
    sources = [f"x = {number}" for number in range(8)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(parsed, sources))
    assert [ast.unparse(tree) for tree in found] == sources and max(most) == 1

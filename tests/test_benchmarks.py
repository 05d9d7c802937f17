"""The benchmarks ask of the program what it has: they are run by hand, and nothing else would tell that they cannot."""

import ast
import importlib.util
from pathlib import Path

import pytest

from core.syntax import parsed

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_name_that_a_benchmark_imports_is_there(file):
    for node in ast.walk(parsed(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in ("core", "pages", "tests"):
            module = importlib.import_module(str(node.module))
            for name in node.names:
                inside = importlib.util.find_spec(f"{node.module}.{name.name}") if hasattr(module, "__path__") else None
                assert hasattr(module, name.name) or inside, f"{node.module} has no {name.name}"

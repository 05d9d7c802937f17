"""The notebooks run through, on small settings, and hold no outputs that could go stale."""

import json

import pytest

from core.architecture import ROOT

SMALL = {
    "the_loop": {"PAIRS": 24, "UPDATES": 1, "ROLLOUT": 8, "HELDOUT": 4},
    "ppo_numbers": {"ROLLOUT": 8},
    "your_annotator": {"PAIRS": 24, "FRESH": 16},
}


def cells(name: str) -> list[dict]:
    notebook = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_every_notebook_is_here():
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} == set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_it_runs_through(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, *others = cells(name)
    assert first["metadata"]["tags"] == ["parameters"]
    known: dict = {"__name__": "__main__"}
    exec(compile("".join(first["source"]), f"{name}, parameters", "exec"), known)
    assert set(SMALL[name]) <= set(known)
    known |= SMALL[name]
    for number, cell in enumerate(others, 2):
        assert cell["outputs"] == [] and cell["execution_count"] is None
        exec(compile("".join(cell["source"]), f"{name}, code cell {number}", "exec"), known)


def test_the_loop_has_ten_cells():
    assert len(cells("the_loop")) == 10

"""What the tests of the Reward model page share: pairs, a run's records and result, a supervisor that waits."""

import pytest
from streamlit.testing.v1 import AppTest

from core.feedback.store import NewPair
from core.record import Record
from tests.pages.page_helpers import a_run

PAIRS = [
    NewPair(f"Once there was a cat {n}.", f" It was happy and ran {n}.", f" It was sad.{n}", "storyteller", "stories")
    for n in range(12)
]
RESULT = {
    "accuracy_heldout": 0.75, "log_loss_heldout": 0.52, "calibration_error_heldout": 0.04,
    "pairs_train": 460, "pairs_heldout": 100, "pairs_per_second": 88.0, "seconds": 5.0,
}  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch):
    """Runs are queued and stay so: what a worker does is tested elsewhere."""
    monkeypatch.setattr("core.runs.supervisor.tick", lambda: None)
    monkeypatch.setattr(
        "core.feedback.sources._bundled", lambda path: tuple(PAIRS)
    )  # whoever has imported what asks it


def steps(accuracy: float = 0.75, result: dict | None = None) -> list[Record]:
    first = {"loss": 0.693, "accuracy": 0.5, "margin": 0.0, "grad_norm": 3.0}
    last = {"loss": 0.5, "accuracy": 0.8, "margin": 0.9, "grad_norm": 1.5}
    held = {"heldout/accuracy": accuracy, "heldout/log_loss": 0.52, "heldout/calibration_error": 0.04}
    return [Record(1, first, "reward", 2), Record(2, last | held, "reward", 2, result=result)]


def a_reward_model(result: dict | None = None, **config) -> str:
    """A finished run whose folder holds something that looks like a reward model; returns its id."""
    result = result or {"accuracy_heldout": 0.75}
    run = a_run("reward", records=[Record(1, {}, "reward", 1, result=result)], preferences=["bundled:sunny"], **config)
    (run.folder / "reward_model").mkdir(parents=True)
    (run.folder / "reward_model" / "config.json").write_text("{}")
    return run.id


def charts(at: AppTest) -> int:
    return len(at.get("vega_lite_chart"))

"""The list of runs: click one to look at it, click several to lay their curves over each other."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from core.runs.store import Run

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "rlhf_run_list",
    html='<ul class="runs" aria-label="Runs"></ul>',
    css=(_HERE / "listing.css").read_text(encoding="utf-8"),
    js=(_HERE / "listing.js").read_text(encoding="utf-8"),
)
CONCEPT = {
    "reward": "reward",
    "surface": "reward",
    "ppo": "kl",
    "dpo": "policy",
    "loop": "policy",
    "pretrain": "policy",
    "simulate": "chosen",
    "pairs": "chosen",
}


def run_list(runs: "Sequence[Run]", sizes: dict[str, int], chosen: Sequence[str], key: str) -> list[str] | None:
    """Draw the list; the ids chosen by a click just made, or None when nothing was clicked."""
    rows = [
        {
            "id": run.id,
            "name": run.name,
            "concept": CONCEPT.get(run.kind, "policy"),
            "status": run.status,
            "state": state_words(run),
            "progress": run.step / run.total if run.total else 0.0,
            "when": ago(run.created),
            "size": megabytes(sizes[run.id]),
            "chosen": run.id in chosen,
        }
        for run in runs
    ]
    return _component(data={"rows": rows}, key=key, on_chosen_change=lambda: None).get("chosen")


def state_words(run: "Run") -> str:
    """A run's state in a few words, with how far it has come while it is at work."""
    if run.status in ("running", "paused") and run.total:
        return f"{run.status} · {run.stage} {run.step} of {run.total}"
    return run.status


def ago(moment: float, now: float | None = None) -> str:
    """A Unix time as people say it."""
    seconds = (now or time.time()) - moment
    for limit, unit, size in ((90, "s", 1), (5400, "min", 60), (129_600, "h", 3600)):
        if seconds < limit:
            return f"{max(0, round(seconds / size))} {unit} ago"
    return f"{round(seconds / 86_400)} days ago"


def megabytes(size: int) -> str:
    """Bytes as MB or GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"

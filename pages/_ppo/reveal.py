"""What a prediction about β was worth, from the measured end of both runs."""

import streamlit as st

from core.errors import PlaygroundError
from core.gallery import load_entry
from core.runs.store import Run, RunStore
from pages._parts.predict import revealed
from pages._parts.series import Row, rows_of, values_of
from pages._ppo.starting import GUESSES, Baseline

_SAME = 0.15  # relative: two runs that differ by less ended about as far, as far as one seed can tell


def baseline_of(run_id: str) -> Baseline | None:
    """The run called `run_id`, or the gallery's, as something to compare with; None before it has a measured KL."""
    if run_id == "gallery":
        entry = load_entry("loop")
        return _baseline(run_id, entry["config"]["ppo"], entry["curves"]["ppo"]) if entry else None
    try:
        run = RunStore().get(run_id)
    except PlaygroundError:
        return None
    return _baseline(run_id, run.config.get("ppo", {}), rows_of(RunStore().steps(run_id), "ppo"))


def reveal(run: Run) -> None:
    """What was predicted when this run was started, beside what was measured. Nothing when nothing was predicted."""
    guess, against = st.query_params.get("guess"), st.query_params.get("against")
    if guess not in GUESSES or not against or run.status != "finished":
        return
    before, after = baseline_of(against), baseline_of(run.id)
    if before is None or after is None:
        return
    measured = outcome(before.kl, after.kl)
    revealed(
        guess,
        measured,
        f"With β = {after.kl_coef:g} it ended {after.kl:.1f} nats away, with β = {before.kl_coef:g} "
        f"{before.kl:.1f}: {measured}.",
    )


def outcome(before: float, after: float) -> str:
    """Which of the three predictions the measured KLs bear out, in nats per response."""
    if abs(after - before) <= _SAME * max(abs(before), abs(after)):
        return GUESSES[1]
    return GUESSES[0] if after < before else GUESSES[2]


def _baseline(run_id: str, ppo: dict[str, float], rows: list[Row]) -> Baseline | None:
    kl = values_of(rows, "objective/kl_exact") or values_of(rows, "objective/kl")
    if not kl or "kl_coef" not in ppo:
        return None
    end = kl[-max(1, len(kl) // 5) :]
    return Baseline(run_id, float(ppo["kl_coef"]), sum(end) / len(end))

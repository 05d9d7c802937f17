"""How long a run will still take, from how long its last steps took."""

import time
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median

from core.runs.store import Run, Step

_FEWEST, _NEWEST = 3, 12  # intervals between steps: as few as say anything, and as many as still say how it is now
_PAUSED = 5.0  # times the usual interval: longer ones are a pause, or a measurement on the way


def seconds_left(run: Run, steps: Sequence[Step], now: float | None = None) -> float | None:
    """Seconds until the stage that `run` is in has taken all its steps; None where that cannot be said.

    `steps`: of the run, in order. Of several stages only the one at work counts: the others take steps of another
    length. A stage that `may_end_early` has them left at most.
    """
    times = [step.time for step in steps if step.stage == run.stage]
    spans = [max(0.0, later - earlier) for earlier, later in pairwise(times)][-_NEWEST:]  # clocks are set back
    if run.status != "running" or not run.total or len(spans) < _FEWEST:
        return None
    usual = median(spans)
    span = fmean(min(one, _PAUSED * usual) for one in spans)
    waited = (time.time() if now is None else now) - times[-1]
    return max(0.0, (run.total - run.step) * span - max(0.0, waited))


def seconds_taken(run: Run, now: float | None = None) -> float:
    """Seconds since the run first began, until it ended; 0 before, and where the clock has been set back since."""
    until = run.ended or (time.time() if now is None else now)
    return max(0.0, until - (run.started or until))


def may_end_early(run: Run) -> bool:
    """Whether the stage at work need not take all its steps: PPO with a KL budget, a reward model with a patience."""
    own = run.config.get(run.stage or run.kind)
    return isinstance(own, dict) and bool(own.get("kl_budget") or own.get("patience"))

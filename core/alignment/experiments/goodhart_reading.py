"""Did it break? What the curves of proxy and gold say, within what chance could do. No torch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

WINDOW = 5  # updates a value is averaged over: one update's 64 responses say little
SURE = 3.0  # standard errors beyond which the end is called overrated
_CHANCE = 1 / 1000  # of the runs whose gold is flat are called broken
_FLAT_RUNS = 20_000  # simulated, to know how far the gold of those ends below its highest point


def smooth(values: Sequence[float]) -> list[float]:
    """The mean of each value and those around it, up to `WINDOW` in all, fewer at the ends."""
    smoothed: list[float] = _smoothed(np.array([values], dtype=np.float64))[0].tolist()
    return smoothed


@dataclass(frozen=True)
class Outcome:
    """How one run, or the mean of several, ended. Proxy and gold in standard deviations of the reference's own."""

    peak: float  # the highest smoothed gold
    peak_kl: float  # nats per response, where that was
    gold: float  # at the end, smoothed
    proxy: float
    kl: float
    error: float  # standard error of the gold at the end
    chance: float  # how far below its peak a flat gold that scatters alike ends in one run of a thousand

    @property
    def fall(self) -> float:
        """How far the gold came down from its peak."""
        return self.peak - self.gold

    @property
    def broke(self) -> bool:
        """Whether the gold fell farther from its peak than chance does: a peak is the highest of many values."""
        return self.fall > self.chance

    def gain_over(self, other: "Outcome") -> tuple[float, Literal["better", "worse", "alike"]]:
        """How much more gold this one ended with, and what that is worth: beyond two standard errors, or by chance."""
        gain, error = self.gold - other.gold, math.hypot(self.error, other.error)
        return gain, "better" if gain > 2 * error else "worse" if gain < -2 * error else "alike"

    @property
    def overrated(self) -> float:
        """How much more the reward model thinks of the end than the annotator does."""
        return self.proxy - self.gold

    @property
    def misled(self) -> bool:
        """Whether the end is overrated by more than chance could do."""
        return self.overrated > SURE * self.error


def outcome(kl: Sequence[float], proxy: Sequence[float], gold: Sequence[float], responses: int) -> Outcome:
    """`kl`, `proxy` and `gold` of each update; `responses`: how many each mean is over, all runs together.

    An update's gold is taken to be as uncertain as it is seen to scatter around its neighbours, and no less than
    a mean of so many responses of standard deviation 1.
    """
    golds, proxies, kls = smooth(gold), smooth(proxy), smooth(kl)
    best = max(range(len(golds)), key=golds.__getitem__)
    noise = max(float(_scatter(np.array([gold], dtype=np.float64))[0]), 1 / math.sqrt(responses))
    first, behind = _windows(len(gold))
    error = noise / math.sqrt(behind[-1] - first[-1])
    chance = noise * _fall_by_chance(len(gold))
    return Outcome(golds[best], kls[best], golds[-1], proxies[-1], kls[-1], error, chance)


def _windows(updates: int) -> tuple[np.ndarray, np.ndarray]:
    """The first update of each window that `smooth` takes the mean of, and the first behind it."""
    places = np.arange(updates)
    return np.maximum(0, places - WINDOW // 2), np.minimum(updates, places + WINDOW // 2 + 1)


def _smoothed(rows: np.ndarray) -> np.ndarray:
    """`smooth` of every row: [runs, updates] -> [runs, updates]."""
    first, behind = _windows(rows.shape[1])
    sums = np.concatenate([np.zeros((len(rows), 1)), rows.cumsum(1)], axis=1)
    return (sums[:, behind] - sums[:, first]) / (behind - first)


def _scatter(values: np.ndarray) -> np.ndarray:
    """Standard deviation of one update's value, a run a row: [runs, updates] -> [runs]; 0 with fewer than three.

    From how far each lies off the line between its neighbours, so that a steady rise is no scatter. Source: Gasser,
    Sroka and Jennen-Steinmetz (1986), "Residual variance and residual pattern in nonlinear regression".
    """
    off = values[:, 1:-1] - (values[:, :-2] + values[:, 2:]) / 2
    return np.sqrt((off**2).mean(1) / 1.5) if off.shape[1] else np.zeros(len(values))


@cache
def _fall_by_chance(updates: int) -> float:
    """How far below its highest point a smoothed flat curve ends in one run of a thousand, in units of its scatter."""
    values = np.random.default_rng(0).standard_normal((_FLAT_RUNS, updates))
    smoothed = _smoothed(values)
    scatter = np.maximum(_scatter(values), 1e-9)
    return float(np.quantile((smoothed.max(1) - smoothed[:, -1]) / scatter, 1 - _CHANCE))


def mean_over_seeds(findings: Sequence[Mapping[str, Any]]) -> dict[tuple[int, float, str], dict[str, Any]]:
    """PPO findings by (votes, β, judge): kl, proxy, gold and length averaged update by update, and which seeds.

    As far as all seeds went, where a budget of KL ended some of them earlier.
    """
    groups: dict[tuple[int, float, str], list[Mapping[str, Any]]] = {}
    for one in findings:
        if one["kind"] == "ppo":
            groups.setdefault((one["votes"], one["beta"], one["judge"]), []).append(one)
    means: dict[tuple[int, float, str], dict[str, Any]] = {}
    for key, runs in groups.items():
        means[key] = {
            name: [sum(values) / len(values) for values in zip(*(run[name] for run in runs), strict=False)]
            for name in ("kl", "proxy", "gold", "length")
        }
        means[key]["seeds"] = [run["seed"] for run in runs]
    return means

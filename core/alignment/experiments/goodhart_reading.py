"""Did it break? What the curves of proxy and gold say, within what chance could do. No torch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WINDOW = 5  # updates a value is averaged over: one update's 64 responses say little
SURE = 3.0  # standard errors beyond which a fall is called one


def smooth(values: Sequence[float], window: int = WINDOW) -> list[float]:
    """The mean of each value and those around it, up to `window` in all, fewer at the ends."""
    half = window // 2
    parts = [values[max(0, i - half) : i + half + 1] for i in range(len(values))]
    return [sum(part) / len(part) for part in parts]


@dataclass(frozen=True)
class Outcome:
    """How one run, or the mean of several, ended. Proxy and gold in standard deviations of the reference's own."""

    peak: float  # the highest smoothed gold
    peak_kl: float  # nats a response, where that was
    gold: float  # at the end, smoothed
    proxy: float
    kl: float
    error: float  # standard error of a difference of two smoothed golds

    @property
    def fall(self) -> float:
        """How far the gold came down from its peak."""
        return self.peak - self.gold

    @property
    def broke(self) -> bool:
        """Whether the gold fell farther from its peak than chance could do."""
        return self.fall > SURE * self.error

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

    An update's gold is taken to be as uncertain as it is seen to scatter around the smoothed curve, and no less than
    a mean of so many responses of standard deviation 1.
    """
    golds, proxies, kls = smooth(gold), smooth(proxy), smooth(kl)
    best = max(range(len(golds)), key=golds.__getitem__)
    window = min(WINDOW, len(gold))
    around = [value - middle for value, middle in zip(gold, golds, strict=True)]
    noise = math.sqrt(sum(value * value for value in around) / len(around) * window / max(1, window - 1))
    error = math.sqrt(2 / window) * max(noise, 1 / math.sqrt(responses))
    return Outcome(golds[best], kls[best], golds[-1], proxies[-1], kls[-1], error)


def mean_over_seeds(findings: Sequence[Mapping[str, Any]]) -> dict[tuple[int, float, str], dict[str, Any]]:
    """PPO findings by (votes, β, judge): kl, proxy, gold and length averaged update by update, and which seeds."""
    groups: dict[tuple[int, float, str], list[Mapping[str, Any]]] = {}
    for one in findings:
        if one["kind"] == "ppo":
            groups.setdefault((one["votes"], one["beta"], one["judge"]), []).append(one)
    means: dict[tuple[int, float, str], dict[str, Any]] = {}
    for key, runs in groups.items():
        means[key] = {
            name: [sum(values) / len(values) for values in zip(*(run[name] for run in runs), strict=True)]
            for name in ("kl", "proxy", "gold", "length")
        }
        means[key]["seeds"] = [run["seed"] for run in runs]
    return means

"""What sets a run apart from a healthy one: the curves that differ the most, measured against the healthy run's own
range. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SHOWN = {
    # metric: what a chart of it is called
    "gold": "Gold, the true taste",
    "objective/scores": "Score, normalised",
    "objective/kl_exact": "KL to the reference, nats per response",
    "policy/entropy_avg": "Entropy, nats per token",
    "response_length": "Length, tokens",
    "policy/clipfrac_avg": "Share of tokens clipped",
    "policy/approxkl_avg": "KL to the old policy, nats per token",
    "val/ratio": "Mean ratio",
    "val/explained_variance": "Critic: explained variance",
    "loss/value_avg": "Value loss",
    "grad_norm": "Gradient norm",
    "val/num_eos_tokens": "Responses that ended by themselves, an update",
}


@dataclass(frozen=True)
class Symptom:
    """A curve that is unlike the healthy run's."""

    metric: str
    sick: float  # mean of the last third
    healthy: float
    distance: float  # difference in units of the healthy run's own range


def symptoms(sick: Mapping[str, Sequence[float]], healthy: Mapping[str, Sequence[float]]) -> list[Symptom]:
    """Every shown curve by how far its last third lies from the healthy run's, the farthest first.

    The unit is the range of the healthy run's curve, or a hundredth of its size where it does not move. A run that
    ended before its first update was done has no curves and no symptoms.
    """
    found = []
    for metric in SHOWN:
        ours, theirs = sick.get(metric, ()), healthy.get(metric, ())
        if not ours or not theirs:
            continue
        unit = max(max(theirs) - min(theirs), 0.01 * max(abs(value) for value in theirs), 1e-9)
        ends = [sum(values[-_third(values) :]) / _third(values) for values in (ours, theirs)]
        found.append(Symptom(metric, ends[0], ends[1], abs(ends[0] - ends[1]) / unit))
    return sorted(found, key=lambda one: -one.distance)


def _third(values: Sequence[float]) -> int:
    return max(1, len(values) // 3)

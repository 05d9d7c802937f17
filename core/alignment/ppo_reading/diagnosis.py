"""Is this run normal? Every check reads the whole run and answers with its own numbers. No torch.

The curves it reads are masked statistics: padding is in none of them (core.alignment.ppo_metrics). Where a check says
"the score", it is the reward model's, in standard deviations of the reference's own texts.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.alignment.ppo_reading.reading_curves import CURVES, Reading, ends

Severity = Literal["trouble", "watch", "unknown", "note", "healthy"]
_ORDER: tuple[Severity, ...] = ("trouble", "watch", "unknown", "note", "healthy")

FEWEST = 3  # updates before anything is said of a run
_BY_KEY = {curve.key: curve for curve in CURVES}
_CRITICS_TIME = 15  # updates before a critic that has learnt nothing counts as dead
_BETTER = 0.95  # of the value loss at the start: a critic below it has learnt something
_NOTHING = 0.02  # explained variance that is not told from none
_NOISE = -1.0  # explained variance: the critic's error is twice what the bare mean's would be
_FOLLOWS = 0.5  # of the returns' rise: a critic that has followed so much of it is not dead
_FALLEN = 0.25  # share of its rise that the gold has lost again since its best
_SPAN = 5  # updates whose mean is one reading of a noisy curve
_CUT = 0.05  # share of responses that end by themselves, below which nearly all of them are cut off


@dataclass(frozen=True)
class Finding:
    """One thing a run shows: how much it matters, the measured reason, and what to do about it."""

    name: str
    severity: Severity
    title: str
    reason: str
    remedy: str = ""

    @property
    def curve(self) -> str:
        """The metric it is about most of all: where to look."""
        return _LOOK_AT[self.name]


_LOOK_AT = {
    "score": "objective/scores",
    "kl": "objective/kl_exact",
    "hacking": "objective/gold",
    "entropy": "policy/entropy_avg",
    "clip": "policy/clipfrac_avg",
    "critic": "loss/value_avg",
    "length": "response_length",
    "ended": "val/num_eos_tokens",
}

Curves = Mapping[str, Sequence[float]]


def diagnose(curves: Curves, responses: int | None = None) -> list[Finding]:
    """What the run with these curves (metric -> its values, in order of the updates) shows, the worst first.

    `responses`: how many an update has, for the share that ended. Empty before there are 3 updates.
    """
    if len(curves.get("objective/scores", ())) < FEWEST:
        return []
    findings = [check(curves, responses) for check in _CHECKS]
    return sorted((one for one in findings if one), key=lambda one: _ORDER.index(one.severity))


def is_healthy(findings: Sequence[Finding]) -> bool:
    """Nothing is wrong, nothing needs a closer look. What cannot be known or is only noted does not count."""
    return all(one.severity not in ("trouble", "watch") for one in findings)


def _drift(curves: Curves, responses: int | None) -> Finding | None:
    """KL running away: far already, or going ever faster."""
    values = curves.get("objective/kl_exact") or curves.get("objective/kl")
    if not values:
        return None
    reading = _BY_KEY["objective/kl_exact"].reading(values)
    half = len(values) // 2
    early, late = (values[half] - values[0]) / half, (values[-1] - values[half]) / (len(values) - 1 - half)
    pace = f" It gained {early:.2f} nats per update in the first half of the run and {late:.2f} in the second."
    severity: Severity = _severity(reading)
    faster = severity == "watch" and late > early > 0
    if faster:
        severity = "trouble"
    title = {"trouble": "KL is running away", "watch": "Far from the reference"}.get(severity, "KL is within bounds")
    remedy = "Raise β, lower the learning rate, or stop at an earlier checkpoint and branch from it."
    return Finding("kl", severity, title, reading.sentence + pace, remedy if severity != "healthy" else "")


def _entropy(curves: Curves, responses: int | None) -> Finding | None:
    return _of_reading(
        curves,
        "policy/entropy_avg",
        "entropy",
        {"trouble": "Entropy has collapsed", "watch": "Entropy is falling fast", "healthy": "Entropy is kept"},
        "Raise β or the entropy bonus, lower the learning rate; a hotter sampling temperature explores more.",
    )


def _clip(curves: Curves, responses: int | None) -> Finding | None:
    titles = {
        "trouble": "Too many tokens are clipped",
        "watch": "The clip never acts",
        "healthy": "Steps are of a sound size",
    }
    remedy = "Lower the learning rate, the epochs or the optimiser steps per update; or stop each update by target_kl."
    found = _of_reading(curves, "policy/clipfrac_avg", "clip", titles, remedy)
    if found is None or found.severity != "watch":
        return found
    return Finding(found.name, "note", found.title, found.reason, "If the score does not rise either, steps are small.")


def _critic(curves: Curves, responses: int | None) -> Finding | None:
    """A dead critic: late in the run it explains nothing of the returns, its loss has not fallen, nor has it followed.

    Returns that rise and spread keep the loss of a live critic up, too: that one has moved with them.
    """
    explained, losses = curves.get("val/explained_variance"), curves.get("loss/value_avg")
    if not explained or not losses:
        return None
    _, late = ends(explained)
    before, after = ends(losses)
    fell = after < _BETTER * before
    numbers = (
        f"Of the returns' variance it explains {late:+.0%} in the last updates (0 is what a constant would do); its "
        f"loss went from {before:.3f} to {after:.3f}."
    )
    remedy = "Raise vf_coef or the learning rate, give it a model of its own (value_model), or check what it is paid."
    if late > _NOTHING:
        return Finding("critic", "healthy", "The critic is alive", numbers)
    if not fell and len(explained) < _CRITICS_TIME:
        words = f" It has learnt nothing yet, in {len(explained)} updates."
        return Finding("critic", "note", "The critic has not learnt yet", numbers + words)
    followed = _followed(late, after, curves.get("objective/rlhf_reward", ()))
    if not fell and followed >= _FOLLOWS:
        words = f" It has followed {followed:.0%} of the returns' rise, and tells no response from another yet."
        return Finding("critic", "note", "The critic lags", numbers + words)
    if not fell:
        return Finding("critic", "trouble", "The critic is dead", numbers + " It has learnt nothing.", remedy)
    if late < _NOISE:
        return Finding("critic", "watch", "The critic adds noise", numbers + " Its errors outweigh its help.", remedy)
    words = " It learns, and more slowly than the returns change: advantages are mostly the score itself."
    return Finding("critic", "note", "The critic lags", numbers + words)


def _followed(explained: float, loss: float, rewards: Sequence[float]) -> float:
    """Of the rise of the mean return since the start, the least share that the critic has risen with it.

    Its squared error, 2 `loss`, is (1 − `explained`) of the returns' variance; what is above one variance holds the
    square of how far its own mean stays behind. 0 where the returns have not risen.
    """
    variance = 2 * loss / (1 - explained)
    behind = math.sqrt(max(0.0, -explained * variance))
    before, after = ends(rewards) if rewards else (0.0, 0.0)
    return max(0.0, 1 - behind / (after - before)) if after > before else 0.0


def _length(curves: Curves, responses: int | None) -> Finding | None:
    """Length drift; only noted where the gold is known to have risen with it."""
    titles = {"watch": "The length drifts", "healthy": "The length is steady"}
    remedy = "Compare texts of equal length; let the annotators vote on pairs of equal length; see the reward model's "
    remedy += "length coefficient on its page."
    found = _of_reading(curves, "response_length", "length", titles, remedy)
    gold = curves.get("objective/gold")
    if found is None or found.severity != "watch" or not gold:
        return found
    before, after = ends(gold)
    if after <= before:
        return found
    truly = f" What was truly wanted rose with it, from {before:.2f} to {after:.2f}."
    return Finding("length", "note", found.title, found.reason.split(" Part of")[0] + truly)


def _hacking(curves: Curves, responses: int | None) -> Finding | None:
    """The proxy up while the gold falls: since the gold's best stretch, what has become of both?"""
    scores, gold = curves["objective/scores"], curves.get("objective/gold")
    if not gold:
        return Finding(
            "hacking",
            "unknown",
            "Reward hacking cannot be seen here",
            "No gold was measured in this run: a score that rises may or may not stand for better text.",
            "Read the samples, or start a run that measures a simulated annotator's utility (gold) on the way.",
        )
    smooth_gold, smooth_score = _smooth(gold), _smooth(scores)
    best = max(range(len(smooth_gold)), key=smooth_gold.__getitem__)
    rise, lost = smooth_gold[best] - smooth_gold[0], smooth_gold[best] - smooth_gold[-1]
    gained = smooth_score[-1] - smooth_score[best]
    rose = f"from {smooth_gold[0]:.2f} to {smooth_gold[-1]:.2f}"
    numbers = (
        f"Smoothed, the gold was best around update {best + 1} ({smooth_gold[best]:.2f}) and ended at "
        f"{smooth_gold[-1]:.2f}; since then the score went {gained:+.2f}, to {smooth_score[-1]:.2f}."
        if best < len(smooth_gold) - 1
        else f"Smoothed, the gold rose {rose}, while the score went from {smooth_score[0]:.2f} to "
        f"{smooth_score[-1]:.2f}."
    )
    remedy = "Stop at the best update, raise β, or collect votes on what the policy writes now."
    if lost > _FALLEN * max(rise, 0.0) and lost > _noise(gold) and gained > 0:
        return Finding("hacking", "trouble", "The reward is being hacked", numbers, remedy)
    if smooth_gold[-1] <= smooth_gold[0]:
        return Finding("hacking", "watch", "What was wanted has not risen", numbers, remedy)
    return Finding("hacking", "healthy", "The score stands for what was wanted", numbers)


def _ended(curves: Curves, responses: int | None) -> Finding | None:
    """How many responses came to their end by themselves."""
    counts = curves.get("val/num_eos_tokens")
    if not counts or not responses:
        return None
    before, after = (share / responses for share in ends(counts))
    numbers = f"{after:.0%} of the responses end by themselves in the last updates, {before:.0%} in the first."
    remedy = "Allow longer responses, or charge the missing end (missing_end_penalty)."
    if after < before / 2 and before > _CUT:
        return Finding("ended", "watch", "Responses have stopped ending", numbers, remedy)
    if after < _CUT:
        words = " The rest is cut at the length limit: the reward model judges unfinished text, in every update alike."
        return Finding("ended", "note", "Nearly every response is cut off", numbers + words, remedy)
    return Finding("ended", "healthy", "Responses come to an end", numbers)


def _learning(curves: Curves, responses: int | None) -> Finding | None:
    titles = {"trouble": "The score falls", "watch": "Nothing has been learnt yet", "healthy": "The score rises"}
    remedy = "More updates, a higher learning rate or a lower β; and look whether the reward model tells texts apart."
    return _of_reading(curves, "objective/scores", "score", titles, remedy)


_CHECKS: tuple[Callable[[Curves, int | None], Finding | None], ...] = (
    _learning,
    _drift,
    _hacking,
    _entropy,
    _clip,
    _critic,
    _length,
    _ended,
)


def _of_reading(curves: Curves, key: str, name: str, titles: Mapping[str, str], remedy: str) -> Finding | None:
    """A finding that one curve alone makes, as the curve's own reading has it."""
    values = curves.get(key)
    if not values:
        return None
    reading = _BY_KEY[key].reading(values)
    severity = _severity(reading)
    return Finding(name, severity, titles[severity], reading.sentence, remedy if severity != "healthy" else "")


def _severity(reading: Reading) -> Severity:
    return "healthy" if reading.verdict == "early" else reading.verdict


def _smooth(values: Sequence[float]) -> list[float]:
    """Mean over a window of up to 5 updates around each."""
    reach = min(_SPAN, max(1, len(values) // 3)) // 2
    return [_mean(values[max(0, place - reach) : place + reach + 1]) for place in range(len(values))]


def _noise(values: Sequence[float]) -> float:
    """Standard deviation of a window's mean, if the values were a trend and white noise: from second differences."""
    bends = [a - 2 * b + c for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    window = 2 * (min(_SPAN, max(1, len(values) // 3)) // 2) + 1
    return (_mean([bend * bend for bend in bends]) / 6 / window) ** 0.5 if bends else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

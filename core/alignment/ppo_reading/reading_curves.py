"""What each PPO curve is, what healthy looks like, and what this run's own numbers say. No torch.

The thresholds are rules of thumb, and each says where it comes from; the sentences always quote the measured value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Verdict = Literal["early", "healthy", "watch", "trouble"]

_FEWEST = 3  # points before a trend is spoken of
_NATS_WATCH, _NATS_TROUBLE = 12.0, 25.0  # a response; the bundled storyteller's text was sound at 9 and broken at 32
_CLIP_LOW, _CLIP_HIGH = 0.001, 0.3  # our own: the gallery's default runs lie below 0.03
_ENTROPY_WATCH, _ENTROPY_TROUBLE = 0.75, 0.5  # share of the entropy at the start that is left
_LENGTH_DRIFT = 0.25  # Singhal et al. 2023, "A long way to go": much of a reward gain can be length alone
_STEADY = 0.1  # relative change of the value loss that is not worth a word
_VALUE_BLOWUP = 3.0  # times the value loss at the start


@dataclass(frozen=True)
class Reading:
    """A verdict and the sentence that goes with it, with the numbers in it."""

    verdict: Verdict
    sentence: str


@dataclass(frozen=True)
class Curve:
    """One metric of PPO as a page shows it."""

    key: str  # metric key
    title: str
    unit: str
    about: Literal["outcome", "optimiser"]  # what was gained and paid, or how the optimiser gets there
    what: str  # what is plotted
    healthy: str  # what a good run looks like
    read: Callable[[Sequence[float]], Reading]

    def reading(self, values: Sequence[float]) -> Reading:
        """What `values`, in order of the updates, say of this run."""
        if len(values) < _FEWEST:
            return Reading("early", f"Too early to say: {len(values)} of at least {_FEWEST} updates.")
        return self.read(values)


def few(updates: int) -> int:
    """How many at the beginning, and at the end, of so many updates are compared."""
    return max(1, updates // 5)


def ends(values: Sequence[float]) -> tuple[float, float]:
    """Mean of the first and of the last fifth (one value at least): a trend that one noisy update cannot make."""
    span = few(len(values))
    return sum(values[:span]) / span, sum(values[-span:]) / span


def _score(values: Sequence[float]) -> Reading:
    start, end = ends(values)
    steps = [later - earlier for earlier, later in pairwise(values)]
    noise = (sum(step * step for step in steps) / (2 * len(steps))) ** 0.5  # sd of white noise from its differences
    chance = 2 * noise * (2 / few(len(values))) ** 0.5  # two standard errors of a difference of two means
    if end - start > chance:
        return Reading("healthy", f"Rose from {start:.2f} to {end:.2f}: the policy finds what the reward model likes.")
    if start - end > chance:
        return Reading(
            "trouble", f"Fell from {start:.2f} to {end:.2f}: the steps are too large, or β outweighs the score."
        )
    return Reading(
        "watch", f"From {start:.2f} to {end:.2f}, within what chance does from update to update (±{chance:.2f})."
    )


def _kl(values: Sequence[float]) -> Reading:
    _, end = ends(values)
    if end < -0.5:
        return Reading(
            "trouble", f"{end:.1f} nats: an estimate this negative means sampling and scoring disagree, a defect."
        )
    if end > _NATS_TROUBLE:
        return Reading(
            "trouble", f"{end:.1f} nats per response: this far away, text tends to break. Raise β or lower the rate."
        )
    if end > _NATS_WATCH:
        return Reading("watch", f"{end:.1f} nats per response: read the samples closely.")
    return Reading("healthy", f"{end:.1f} nats per response, mean of the last updates: still close to the reference.")


def _entropy(values: Sequence[float]) -> Reading:
    start, end = ends(values)
    left = end / start if start > 0 else 1.0
    sentence = f"From {start:.2f} to {end:.2f} nats per token: {left:.0%} of the entropy is left."
    if left < _ENTROPY_TROUBLE:
        return Reading("trouble", sentence + " The policy is collapsing onto a few phrases.")
    if left < _ENTROPY_WATCH:
        return Reading("watch", sentence + " Look for repeated phrases in the samples.")
    return Reading("healthy", sentence)


def _clip(values: Sequence[float]) -> Reading:
    _, end = ends(values)
    if end > _CLIP_HIGH:
        return Reading(
            "trouble", f"{end:.1%} of the tokens are clipped: steps too large. Lower the learning rate or the epochs."
        )
    if end < _CLIP_LOW:
        return Reading("watch", f"{end:.2%} of the tokens are clipped: steps so small that the clip never acts.")
    return Reading("healthy", f"{end:.1%} of the tokens are clipped: the clip acts, and seldom.")


def _value(values: Sequence[float]) -> Reading:
    start, end = ends(values)
    sentence = f"From {start:.3f} to {end:.3f}."
    if end > _VALUE_BLOWUP * start:
        return Reading("trouble", sentence + " The value head loses track: its advantages mislead the policy.")
    if end > (1 + _STEADY) * start:
        return Reading("watch", sentence + " Rising: returns change faster than the value head learns them.")
    if end < (1 - _STEADY) * start:
        return Reading("healthy", sentence + " The value head predicts the returns better than at the start.")
    return Reading("healthy", sentence + " Steady: the value head keeps up with the changing policy.")


def _length(values: Sequence[float]) -> Reading:
    start, end = ends(values)
    drift = end / start - 1 if start > 0 else 0.0
    sentence = f"From {start:.1f} to {end:.1f} tokens ({drift:+.0%})."
    if abs(drift) > _LENGTH_DRIFT:
        return Reading("watch", sentence + " Part of the gain may be length alone: compare texts of equal length.")
    return Reading("healthy", sentence + " It stays near where it began.")


def _gold(values: Sequence[float]) -> Reading:
    start, end = ends(values)
    if end > start:
        return Reading("healthy", f"From {start:.2f} to {end:.2f}: what was truly wanted rises too.")
    return Reading("trouble", f"From {start:.2f} to {end:.2f}: the score no longer stands for what was wanted.")


CURVES: tuple[Curve, ...] = (
    Curve(
        "objective/scores",
        "Score",
        "sd of the reference's texts",
        "outcome",
        "Mean score of this update's fresh responses, normalised: what PPO climbs.",
        "Rises; in a long run it flattens.",
        _score,
    ),
    Curve(
        "objective/kl_exact",
        "KL to the reference",
        "nats per response",
        "outcome",
        "How far the policy has moved from where it began. Dashed: k1, the estimate PPO is charged: it can "
        "dip below zero, KL cannot.",
        "Rises without leaping; levels off where β balances the score, if the run goes on so long.",
        _kl,
    ),
    Curve(
        "objective/gold",
        "Gold",
        "the annotator's true taste",
        "outcome",
        "What the simulated annotator truly thinks of the texts. PPO never sees it; only a simulation can show it.",
        "Rises together with the score.",
        _gold,
    ),
    Curve(
        "response_length",
        "Response length",
        "tokens",
        "outcome",
        "Mean length of the responses. Reward models often like long text for no good reason.",
        "Stays near where it began, unless length is what was voted for.",
        _length,
    ),
    Curve(
        "policy/entropy_avg",
        "Entropy",
        "nats per token",
        "optimiser",
        "How open the policy's next token still is.",
        "Stays about where it began, or falls gently; a plunge means it repeats itself.",
        _entropy,
    ),
    Curve(
        "policy/clipfrac_avg",
        "Clip fraction",
        "share of tokens",
        "optimiser",
        "Tokens that were pushed past the clip in this update: beyond it the gradient is zero.",
        "Above zero, below about 0.3.",
        _clip,
    ),
    Curve(
        "loss/value_avg",
        "Value loss",
        "half the squared error",
        "optimiser",
        "How wrong the value head is about the return still to come.",
        "Falls, then stays low; small bumps when the policy changes.",
        _value,
    ),
)

SCORE = CURVES[0]

"""One token of one PPO update, with every number that decided whether it was pushed up or down.

All of it is read or recomputed from the rollout that the run kept (`Record.rollout`); nothing is sampled anew.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.alignment.ppo_reading.slides import Slide, pushes
from core.errors import PlaygroundError

Branch = Literal["unclipped", "clipped"]
Push = Literal["up", "down", "none"]


@dataclass(frozen=True)
class GaeTerm:
    """One term of the sum that is a token's advantage: (γλ)^l · δ_{t+l}, with δ = r + γ V' − V in its parts."""

    place: int  # t + l
    weight: float  # (γλ)^l
    kl_charge: float  # the part of r that is −β kl
    score_paid: float  # the part of r that is the response's score
    expected: float  # γ V_{t+l+1} − V_{t+l}: what the critic expected there, and one token later
    shift: float = 0.0  # the part of r that whitening the rewards added to every token

    @property
    def delta(self) -> float:
        """δ_{t+l}."""
        return self.kl_charge + self.score_paid + self.expected + self.shift

    @property
    def product(self) -> float:
        """What the term adds to the advantage."""
        return self.weight * self.delta


@dataclass(frozen=True)
class EpochView:
    """The token in one pass over the rollout: as the step found it, before it changed anything."""

    epoch: int  # from 1
    steps_before: int  # optimiser steps that the update had taken by then
    ratio: float  # π_new / π_old
    unclipped: float  # ρ Â
    clipped: float  # clip(ρ, 1 − ε, 1 + ε) Â
    active: Branch  # which of the two the objective's min took; on a tie the unclipped one, which has a gradient

    @property
    def push(self) -> float:
        """∂ min(ρ Â, clip(ρ) Â) / ∂ log π = ρ Â where the unclipped branch is active, else 0."""
        return self.unclipped if self.active == "unclipped" else 0.0


@dataclass(frozen=True)
class TokenView:
    """Everything PPO knew of one token. Log-probabilities in nats."""

    row: int
    place: int
    token_id: int
    text: str
    logprob: float  # when it was drawn
    new_logprob: float  # after the update
    ref_logprob: float
    kl: float  # the charged estimate
    exact_kl: float  # of the whole distribution at this place
    kl_charge: float  # −β kl (rescaled where rewards were whitened)
    score_paid: float  # the response's score, less any penalty, at the last token; 0 elsewhere
    reward: float
    value: float
    next_value: float  # 0 behind the last token
    terms: tuple[GaeTerm, ...]  # from this token to the response's last
    advantage: float  # as the loss used it: whitened, where that is on
    value_target: float  # the return that the critic is taught
    epochs: tuple[EpochView, ...]  # those in which the update came to this response
    before: tuple[tuple[int, float], ...]  # likeliest tokens here when it was drawn: (id, log-probability)
    after: tuple[tuple[int, float], ...]  # and after the update

    @property
    def delta(self) -> float:
        """δ_t = r_t + γ V_{t+1} − V_t."""
        return self.terms[0].delta

    @property
    def raw_advantage(self) -> float:
        """Σ_l (γλ)^l δ_{t+l}, before whitening."""
        return sum(term.product for term in self.terms)

    @property
    def of_score(self) -> float:
        """The part of the raw advantage that is the score, as much of it as reaches this token."""
        return sum(term.weight * term.score_paid for term in self.terms)

    @property
    def of_kl(self) -> float:
        """The part that is KL charged from here on."""
        return sum(term.weight * term.kl_charge for term in self.terms)

    @property
    def of_critic(self) -> float:
        """The part that is what the critic expected, and how it changed its mind on the way."""
        return sum(term.weight * term.expected for term in self.terms)

    @property
    def of_shift(self) -> float:
        """The part that whitening the rewards added; 0 where they were not whitened."""
        return sum(term.weight * term.shift for term in self.terms)

    @property
    def push(self) -> Push:
        """Which way the update's steps pushed the token's probability, from the signs of their gradients together."""
        total = sum(epoch.push for epoch in self.epochs)
        return "up" if total > 0 else "down" if total < 0 else "none"

    @property
    def moved(self) -> Push:
        """Which way its probability went with the update, every token's gradients together."""
        change = self.new_logprob - self.logprob
        return "up" if change > 0 else "down" if change < 0 else "none"

    @property
    def ratio_after(self) -> float:
        """π_new / π_old behind the update's last step."""
        return math.exp(self.new_logprob - self.logprob)

    def objective_after(self, clip: float) -> float:
        """min(ρ Â, clip(ρ) Â) there."""
        return min(_branches(self.ratio_after, self.advantage, clip))


def look_at(slide: Slide, row: int, place: int) -> TokenView:
    """The token at `place` of the slide's row `row`. Raises PlaygroundError when there is no such token."""
    tensors, config = slide.tensors, slide.config
    if not (0 <= row < len(slide.numbers)) or not (0 <= place < slide.length(row)):
        raise PlaygroundError(f"response {row} has no token {place}")
    gamma, lam, clip = float(config["gamma"]), float(config["lam"]), float(config["cliprange"])
    last, shift = slide.length(row) - 1, slide.facts.reward_shift

    def at(name: str, t: int = place) -> float:
        return float(tensors[name][row, t])

    def value(t: int) -> float:
        return at("values", t) if t <= last else 0.0

    def charge(t: int) -> float:
        return -slide.kl_coef * at("kl", t) * slide.facts.reward_scale

    def score_paid(t: int) -> float:
        return at("rewards", t) - charge(t) - shift if t == last else 0.0

    advantage, token_id = at("advantages"), int(at("response_ids"))
    return TokenView(
        row=row,
        place=place,
        token_id=token_id,
        text=slide.texts[token_id],
        logprob=at("logprobs"),
        new_logprob=at("new_logprobs"),
        ref_logprob=at("ref_logprobs"),
        kl=at("kl"),
        exact_kl=at("exact_kl"),
        kl_charge=charge(place),
        score_paid=score_paid(place),
        reward=at("rewards"),
        value=value(place),
        next_value=value(place + 1),
        terms=tuple(
            GaeTerm(t, (gamma * lam) ** (t - place), charge(t), score_paid(t), gamma * value(t + 1) - value(t), shift)
            for t in range(place, last + 1)
        ),
        advantage=advantage,
        value_target=at("returns"),
        epochs=tuple(
            _epoch(epoch + 1, int(steps[row]), float(ratio[row, place]), advantage, clip)
            for epoch, (steps, ratio) in enumerate(zip(slide.steps, tensors["ratio"], strict=True))
            if steps[row] >= 0
        ),
        before=_likeliest(slide, "top", row, place),
        after=_likeliest(slide, "new_top", row, place),
    )


def _epoch(epoch: int, steps: int, ratio: float, advantage: float, clip: float) -> EpochView:
    unclipped, clipped = _branches(ratio, advantage, clip)
    return EpochView(epoch, steps, ratio, unclipped, clipped, "clipped" if clipped < unclipped else "unclipped")


def _branches(ratio: float, advantage: float, clip: float) -> tuple[float, float]:
    return ratio * advantage, min(max(ratio, 1 - clip), 1 + clip) * advantage


def _likeliest(slide: Slide, name: str, row: int, place: int) -> tuple[tuple[int, float], ...]:
    ids, logprobs = slide.tensors[f"{name}_ids"][row, place], slide.tensors[f"{name}_logprobs"][row, place]
    return tuple(zip(ids.tolist(), logprobs.tolist(), strict=True))


def alternatives(view: TokenView) -> list[tuple[int, float | None, float | None]]:
    """The token itself, then the likeliest others: (id, probability before, after the update).

    None where a token was not among the likeliest then: its probability was not kept.
    """
    before, after = dict(view.before) | {view.token_id: view.logprob}, dict(view.after)
    after[view.token_id] = view.new_logprob
    others = sorted({*before, *after} - {view.token_id}, key=lambda i: -max(before.get(i, -1e9), after.get(i, -1e9)))
    return [
        (i, *(math.exp(known[i]) if i in known else None for known in (before, after)))  # type: ignore[misc]
        for i in (view.token_id, *others)
    ]


def telling_token(slide: Slide, row: int | None = None) -> tuple[int, int]:
    """(row, place) of the token whose own push could move the most probability: the largest |push| · p (1 − p).

    To first order that is how far p moves when its logit is pushed: a certain token has nowhere to go, and a hopeless
    one does not show. A response's last token is left out where there are others: the sum behind its advantage has but
    one term. `row`: of this response alone.
    """
    p = np.exp(slide.tensors["logprobs"])
    worth = np.abs(pushes(slide.tensors, slide.steps)) * p * (1 - p) * slide.tensors["mask"]
    for each in range(len(worth)):
        if slide.length(each) > 1:
            worth[each, slide.length(each) - 1] = 0.0
    if row is not None:
        return row, int(worth[row].argmax())
    found = np.unravel_index(worth.argmax(), worth.shape)
    return int(found[0]), int(found[1])


COLOURED = {
    # what tokens can be coloured by: title, unit
    "log_ratio": ("Log-ratio", "log π_new − log π_old, in nats: how the update moved it"),
    "kl": ("KL", "of the whole distribution here to the reference's, in nats"),
    "reward": ("Reward", "what the token was paid: −β KL, and the score at the last"),
    "value": ("Value", "what the critic expected from here on"),
    "advantage": ("Advantage", "how much better it went than expected, as the loss used it"),
    "return": ("Return", "what the critic was taught to expect"),
}
NEVER_NEGATIVE = ("kl",)


def coloured_by(slide: Slide, what: str) -> np.ndarray:
    """The numbers of `COLOURED` for every token: [B, R], 0 on padding. Raises KeyError for another name."""
    tensors = slide.tensors
    return {
        "log_ratio": lambda: tensors["new_logprobs"] - tensors["logprobs"],
        "kl": lambda: tensors["exact_kl"],
        "reward": lambda: tensors["rewards"],
        "value": lambda: tensors["values"],
        "advantage": lambda: tensors["advantages"],
        "return": lambda: tensors["returns"],
    }[what]() * tensors["mask"]


def full_tint(slide: Slide, what: str) -> float:
    """The number, in either direction, at which the colour is full: the 98th percentile of |x|, two digits."""
    numbers = np.abs(coloured_by(slide, what)[slide.tensors["mask"] > 0])
    return float(f"{float(np.quantile(numbers, 0.98)):.2g}") or 1.0


def clip_curve(advantage: float, clip: float, reach: float = 0.6) -> tuple[list[float], list[float]]:
    """min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â) for ρ around 1: the objective that a token's point lies on."""
    ratios = np.linspace(1 - reach, 1 + reach, 121)
    objective = np.minimum(ratios * advantage, ratios.clip(1 - clip, 1 + clip) * advantage)
    return ratios.tolist(), objective.tolist()


def reach_of(view: TokenView, clip: float) -> float:
    """How far around 1 a picture of the objective must go to hold the token's every ratio and both ends of the band."""
    far = max(abs(ratio - 1) for ratio in (*(epoch.ratio for epoch in view.epochs), view.ratio_after))
    return min(max(2 * clip, 1.15 * far), 8.0)

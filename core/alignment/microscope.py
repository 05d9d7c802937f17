"""One token of one PPO update, with every number that decided whether it was pushed up or down.

All of it is read or recomputed from the rollout that the run kept (`Record.rollout`); nothing is sampled anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from core.errors import PlaygroundError

Branch = Literal["unclipped", "clipped"]
Push = Literal["up", "down", "none"]


@dataclass(frozen=True)
class GaeTerm:
    """One term of the sum that is a token's advantage: (γλ)^l · δ_{t+l}."""

    place: int  # t + l
    weight: float  # (γλ)^l
    delta: float  # δ_{t+l}

    @property
    def product(self) -> float:
        """What the term adds to the advantage."""
        return self.weight * self.delta


@dataclass(frozen=True)
class EpochView:
    """The token in one pass over the rollout: as the step found it, before it changed anything."""

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
    logprob: float  # when it was drawn
    new_logprob: float  # after the update
    ref_logprob: float
    kl: float  # the charged estimate
    exact_kl: float  # of the whole distribution at this place
    kl_charge: float  # −β kl
    score_paid: float  # the response's score, less any penalty, at the last token; 0 elsewhere
    reward: float
    value: float
    next_value: float  # 0 behind the last token
    delta: float  # r_t + γ V_{t+1} − V_t
    terms: tuple[GaeTerm, ...]  # from this token to the response's last
    raw_advantage: float  # Σ terms
    advantage: float  # as the loss used it: whitened, where that is on
    value_target: float  # the return that the critic is taught
    epochs: tuple[EpochView, ...]
    before: tuple[tuple[int, float], ...]  # likeliest tokens here when it was drawn: (id, log-probability)
    after: tuple[tuple[int, float], ...]  # and after the update

    @property
    def push(self) -> Push:
        """Which way the update's steps pushed the token's probability, from the signs of their gradients together."""
        total = sum(epoch.push for epoch in self.epochs)
        return "up" if total > 0 else "down" if total < 0 else "none"


def load_rollout(file: Path) -> dict[str, Tensor]:
    """A rollout that a run kept. Raises PlaygroundError when it made room for newer ones, or is not whole."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(file)
    except (OSError, SafetensorError) as error:
        raise PlaygroundError(f"{file}: this rollout cannot be opened ({str(error).splitlines()[0]})") from error
    if "top_ids" not in tensors:
        raise PlaygroundError(f"{file}: this rollout was kept by an earlier version and lacks what is shown here")
    return tensors


def look_at(
    rollout: Mapping[str, Tensor], config: Mapping[str, Any], kl_coef: float, row: int, place: int
) -> TokenView:
    """The token at `place` of response `row`. `config`: the run's PPO settings; `kl_coef`: β as it was in this update.

    Raises PlaygroundError when there is no such token.
    """
    mask = rollout["mask"]
    if not (0 <= row < mask.shape[0]) or not (0 <= place < int(mask[row].sum())):
        raise PlaygroundError(f"response {row} has no token {place}")
    gamma, lam, clip = float(config["gamma"]), float(config["lam"]), float(config["cliprange"])
    last = int(mask[row].sum()) - 1

    def at(name: str, t: int = place) -> float:
        return rollout[name][row, t].item()

    def value(t: int) -> float:
        return at("values", t) if t <= last else 0.0

    def delta(t: int) -> float:
        return at("rewards", t) + gamma * value(t + 1) - value(t)

    terms = tuple(GaeTerm(t, (gamma * lam) ** (t - place), delta(t)) for t in range(place, last + 1))
    charge = -kl_coef * at("kl")
    advantage = at("advantages")
    return TokenView(
        row=row,
        place=place,
        token_id=int(at("response_ids")),
        logprob=at("logprobs"),
        new_logprob=at("new_logprobs"),
        ref_logprob=at("ref_logprobs"),
        kl=at("kl"),
        exact_kl=at("exact_kl"),
        kl_charge=charge,
        score_paid=at("rewards") - charge if place == last and not config.get("whiten_rewards") else 0.0,
        reward=at("rewards"),
        value=value(place),
        next_value=value(place + 1),
        delta=delta(place),
        terms=terms,
        raw_advantage=sum(term.product for term in terms),
        advantage=advantage,
        value_target=at("returns"),
        epochs=tuple(_epoch(ratio, advantage, clip) for ratio in rollout["ratio"][:, row, place].tolist()),
        before=_likeliest(rollout, "top", row, place),
        after=_likeliest(rollout, "new_top", row, place),
    )


def _epoch(ratio: float, advantage: float, clip: float) -> EpochView:
    unclipped, clipped = ratio * advantage, min(max(ratio, 1 - clip), 1 + clip) * advantage
    return EpochView(ratio, unclipped, clipped, "clipped" if clipped < unclipped else "unclipped")


def _likeliest(rollout: Mapping[str, Tensor], name: str, row: int, place: int) -> tuple[tuple[int, float], ...]:
    ids, logprobs = rollout[f"{name}_ids"][row, place], rollout[f"{name}_logprobs"][row, place]
    return tuple(zip(ids.tolist(), logprobs.tolist(), strict=True))


COLOURED = {
    # what tokens can be coloured by: title, unit
    "log_ratio": ("Log-ratio", "log π_new − log π_old after the update, nats"),
    "kl": ("KL", "of the whole distribution to the reference's, nats"),
    "reward": ("Reward", "what the token was paid: −β KL, and the score at the last"),
    "value": ("Value", "what the critic expected from here on"),
    "advantage": ("Advantage", "how much better than expected, as the loss used it"),
    "return": ("Return", "what the critic was taught to expect"),
}


def coloured_by(rollout: Mapping[str, Tensor], what: str) -> Tensor:
    """The numbers of `COLOURED` for every token: [B, R], 0 on padding. Raises KeyError for another name."""
    return {
        "log_ratio": lambda: rollout["new_logprobs"] - rollout["logprobs"],
        "kl": lambda: rollout["exact_kl"],
        "reward": lambda: rollout["rewards"],
        "value": lambda: rollout["values"],
        "advantage": lambda: rollout["advantages"] * rollout["mask"],
        "return": lambda: rollout["returns"],
    }[what]()


def clip_curve(advantage: float, clip: float, reach: float = 0.6) -> tuple[list[float], list[float]]:
    """min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â) for ρ around 1: the objective that a token's point lies on."""
    ratios = torch.linspace(1 - reach, 1 + reach, 121)
    objective = torch.minimum(ratios * advantage, ratios.clamp(1 - clip, 1 + clip) * advantage)
    return ratios.tolist(), objective.tolist()

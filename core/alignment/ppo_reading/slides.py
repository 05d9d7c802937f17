"""What the microscope looks at: the rollout of one update, with the texts of its tokens and what is true of all of it.

Numpy alone: a page opens one without torch. Made from what a run kept, or read from the gallery.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.alignment.minibatches import steps_before
from core.errors import PlaygroundError
from core.language.tokens import text_of

Arrays = Mapping[str, np.ndarray]
_PER_RESPONSE = ("scores",)
_PER_TOKEN = (
    "mask",
    "response_ids",
    "logprobs",
    "new_logprobs",
    "ref_logprobs",
    "kl",
    "exact_kl",
    "rewards",
    "values",
    "raw_advantages",
    "advantages",
    "returns",
    "top_ids",
    "top_logprobs",
    "new_top_ids",
    "new_top_logprobs",
)
_PER_EPOCH = ("ratio", "clipped")
_WHOLE = ("response_ids", "top_ids", "new_top_ids", "mask", "clipped")


@dataclass(frozen=True)
class Facts:
    """What is true of the whole update, also where only a few of its responses are at hand."""

    responses: int
    tokens: int
    raw_mean: float  # of the advantages before whitening, over all tokens
    raw_sd: float
    pushed_up: int
    pushed_down: int
    followed: int  # of the pushed: their probability moved that way with the update
    clipped_tokens: int  # on the clipped branch in at least one epoch
    reward_scale: float  # rewards are this · (−β kl + score) + reward_shift: 1 and 0 unless they were whitened
    reward_shift: float


@dataclass(frozen=True)
class Slide:
    """One update's rollout, or some rows of it."""

    update: int
    kl_coef: float  # β as it was in this update
    config: Mapping[str, Any]  # the run's PPO settings
    tensors: Arrays  # as `Record.rollout` names them: [rows, tokens, …], ratio and clipped [epochs, rows, tokens]
    numbers: tuple[int, ...]  # of the rows, in the whole rollout
    steps: np.ndarray  # [epochs, rows]: optimiser steps the update had taken when it came to the row; −1: it never did
    prompts: tuple[str, ...]
    texts: Mapping[int, str]  # token id -> its text; half a character as its bytes
    facts: Facts

    def length(self, row: int) -> int:
        """Tokens of the response."""
        return int(self.tensors["mask"][row].sum())

    def rows(self, wanted: Sequence[int]) -> "Slide":
        """The same with some of the rows alone, and no texts that they do not need."""
        index = np.asarray(wanted, int)
        longest = max(self.length(row) for row in wanted)
        few = {name: self.tensors[name][index] for name in _PER_RESPONSE}
        few |= {name: self.tensors[name][index, :longest] for name in _PER_TOKEN}
        few |= {name: self.tensors[name][:, index, :longest] for name in _PER_EPOCH}
        used = {int(i) for name in ("response_ids", "top_ids", "new_top_ids") for i in few[name].ravel()}
        return Slide(
            self.update,
            self.kl_coef,
            self.config,
            few,
            tuple(self.numbers[row] for row in wanted),
            self.steps[:, index],
            tuple(self.prompts[row] for row in wanted),
            {token: text for token, text in self.texts.items() if token in used},
            self.facts,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers, without the run's settings: `from_json` takes it back."""
        return {
            "update": self.update,
            "kl_coef": self.kl_coef,
            "tensors": {
                name: (values.astype(int) if name in _WHOLE else values).tolist()
                for name, values in self.tensors.items()
                if name in (*_PER_RESPONSE, *_PER_TOKEN, *_PER_EPOCH)
            },
            "numbers": list(self.numbers),
            "steps": self.steps.tolist(),
            "prompts": list(self.prompts),
            "texts": {str(token): text for token, text in self.texts.items()},
            "facts": asdict(self.facts),
        }


def from_json(data: Mapping[str, Any], config: Mapping[str, Any]) -> Slide:
    """A slide as `to_json` gave it, of a run with the PPO settings `config`."""
    return Slide(
        update=data["update"],
        kl_coef=data["kl_coef"],
        config=config,
        tensors={name: np.asarray(values) for name, values in data["tensors"].items()},
        numbers=tuple(data["numbers"]),
        steps=np.asarray(data["steps"], int),
        prompts=tuple(data["prompts"]),
        texts={int(token): text for token, text in data["texts"].items()},
        facts=Facts(**data["facts"]),
    )


def load_rollout(file: Path) -> dict[str, np.ndarray]:
    """A rollout that a run kept. Raises PlaygroundError when it made room for newer ones, or is not whole."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(file)
    except (OSError, SafetensorError) as error:
        raise PlaygroundError(f"{file}: this rollout cannot be opened ({str(error).splitlines()[0]})") from error
    if "new_top_ids" not in tensors:
        raise PlaygroundError(
            f"{file}: this rollout was not read again after its update (`look_again` is off, or it was kept by an "
            "earlier version), and that is what is shown here"
        )
    return tensors


def make_slide(
    rollout: Arrays, config: Mapping[str, Any], update: int, metrics: Mapping[str, float], tokenizer: Any
) -> Slide:
    """A run's rollout, ready to be looked at.

    Args:
        rollout: as `Record.rollout` has it, as arrays.
        config: the run's PPO settings.
        update: counted within the PPO stage, from 1: the minibatches are a function of it.
        metrics: the update's, for β and the number of optimiser steps.
        tokenizer: whose ids these are.
    """
    epochs, rows, _ = rollout["ratio"].shape
    steps = steps_before(rows, int(config["minibatches"]), epochs, int(config["seed"]), update)
    steps = np.where(steps < metrics["optimizer_steps"], steps, -1)  # an update may have been ended early
    ids = {int(i) for name in ("response_ids", "top_ids", "new_top_ids") for i in np.unique(rollout[name])}
    prompts = [
        tokenizer.decode(row[kept.astype(bool)].tolist())
        for row, kept in zip(rollout["query_ids"], rollout["query_mask"], strict=True)
    ]
    kl_coef = float(metrics["kl_coef"])
    return Slide(
        update=update,
        kl_coef=kl_coef,
        config=config,
        tensors=rollout,
        numbers=tuple(range(rows)),
        steps=steps,
        prompts=tuple(prompts),
        texts={i: text_of(tokenizer, i) for i in ids},
        facts=_facts(rollout, config, kl_coef, steps),
    )


def pushes(tensors: Arrays, steps: np.ndarray) -> np.ndarray:
    """Which way, and how hard, the update pushed each token: Σ over the epochs of ρ Â where not clipped, [B, R].

    Each term is ∂ min(ρ Â, clip(ρ) Â) / ∂ log π; an epoch that never came to a response counts nothing.
    """
    taken = (steps >= 0)[..., None] * (1 - tensors["clipped"])
    return (tensors["ratio"] * taken).sum(0) * tensors["advantages"] * tensors["mask"]


def _facts(rollout: Arrays, config: Mapping[str, Any], kl_coef: float, steps: np.ndarray) -> Facts:
    real = rollout["mask"] > 0
    raw = rollout["raw_advantages"][real].astype(float)
    pushed = np.sign(pushes(rollout, steps))
    moved = np.sign(rollout["new_logprobs"] - rollout["logprobs"])
    scale, shift = _reward_whitening(rollout, kl_coef) if config.get("whiten_rewards") else (1.0, 0.0)
    return Facts(
        responses=len(real),
        tokens=int(real.sum()),
        raw_mean=float(raw.mean()),
        raw_sd=float(raw.std(ddof=1)) if len(raw) > 1 else 0.0,
        pushed_up=int((pushed > 0).sum()),
        pushed_down=int((pushed < 0).sum()),
        followed=int(((pushed != 0) & (pushed == moved)).sum()),
        clipped_tokens=int((rollout["clipped"].max(0) * rollout["mask"]).sum()),
        reward_scale=scale,
        reward_shift=shift,
    )


def _reward_whitening(rollout: Arrays, kl_coef: float) -> tuple[float, float]:
    """What whitening did to the rewards, scale and shift, read off two tokens that were paid nothing but KL."""
    mask = rollout["mask"] > 0
    unscored = mask & np.concatenate([mask[:, 1:], np.zeros_like(mask[:, :1])], axis=1)
    if not unscored.any():
        return 1.0, 0.0
    charge, reward = -kl_coef * rollout["kl"][unscored].astype(float), rollout["rewards"][unscored].astype(float)
    least, most = charge.argmin(), charge.argmax()
    span = charge[most] - charge[least]
    scale = float((reward[most] - reward[least]) / span) if span else 1.0
    return scale, float(reward[most] - scale * charge[most])

"""Jobs that learn a finished run's votes again: its own comparisons and settings, with one thing changed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.alignment.configs import RewardConfig
from core.alignment.cross_examination.learning_curve import train_curve
from core.alignment.cross_examination.reward_ensemble import train_ensemble
from core.alignment.cross_examination.run_pairs import read_run_pairs
from core.alignment.cross_examination.vote_flip import train_flip
from core.feedback.pairs import PreferencePair
from core.language.registry import load_policy
from core.record import Controls, Record, no_controls


def run_ensemble(
    of: Path,
    model: str,
    config: RewardConfig,
    members: int,
    folder: Path,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
) -> Iterator[Record]:
    """An ensemble on the votes of the run in `of`, in `folder`/ensemble."""
    policy, tokenizer = load_policy(model)
    return train_ensemble(policy, tokenizer, _pairs(of), config, members, model, folder / "ensemble", state, controls)


def run_curve(
    of: Path,
    model: str,
    config: RewardConfig,
    seeds: int,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
) -> Iterator[Record]:
    """A learning curve on the votes of the run in `of`."""
    policy, tokenizer = load_policy(model)
    return train_curve(policy, tokenizer, _pairs(of), config, seeds, state, controls)


def run_flip(
    of: Path,
    model: str,
    config: RewardConfig,
    place: int,
    folder: Path,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
) -> Iterator[Record]:
    """The votes of the run in `of` learned twice, as they are and with one flipped, in `folder`/unflipped, flipped."""
    policy, tokenizer = load_policy(model)
    original = of / "reward_model"
    return train_flip(policy, tokenizer, _pairs(of), place, config, model, original, folder, state, controls)


def _pairs(of: Path) -> list[PreferencePair]:
    return [one.pair for one in read_run_pairs(of)]

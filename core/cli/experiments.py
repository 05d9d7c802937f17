"""`goodhart`, `frontier`, `clinic`, `tastes`: experiments on the whole loop."""

from pathlib import Path
from typing import Any

import click

from core.cli.training import train, training_options


@click.command()
@training_options("goodhart", "the reward models")
def goodhart(out: Path | None, run_id: str | None, overwrite: bool, as_json: bool, **given: Any) -> int:
    """When does the proxy rise while the gold falls? PPO and best-of-n against reward models of few and many votes."""
    return train("goodhart", out, run_id, overwrite, as_json, given)


@click.command()
@training_options("frontier", "the reward models")
def frontier(out: Path | None, run_id: str | None, overwrite: bool, as_json: bool, **given: Any) -> int:
    """How much reward for how much KL? PPO, RLOO, GRPO, DPO and best of n on the same votes."""
    return train("frontier", out, run_id, overwrite, as_json, given)


@click.command()
@training_options("clinic", "the reward model")
def clinic(out: Path | None, run_id: str | None, overwrite: bool, as_json: bool, **given: Any) -> int:
    """PPO with a mistake, beside a healthy run: `--failures NAME`, or all ten of them.

    learning-rate, no-leash, no-whitening, dead-critic, padding, end-penalty, not-normalised, temperature,
    stale-reference, epochs.
    """
    return train("clinic", out, run_id, overwrite, as_json, given)


@click.command()
@training_options("tastes", "the reward models")
def tastes(out: Path | None, run_id: str | None, overwrite: bool, as_json: bool, **given: Any) -> int:
    """Two people who want the opposite, and one scalar reward for both."""
    return train("tastes", out, run_id, overwrite, as_json, given)

"""`goodhart`: experiments on the whole loop."""

from pathlib import Path
from typing import Any

import click

from core.cli.training import train, training_options


@click.command()
@training_options("goodhart", "the reward models")
def goodhart(out: Path | None, run_id: str | None, overwrite: bool, as_json: bool, **given: Any) -> int:
    """When does the proxy rise while the gold falls? PPO and best-of-n against reward models of few and many votes."""
    return train("goodhart", out, run_id, overwrite, as_json, given)

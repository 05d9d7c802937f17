"""The command line: `python -m core …`, also installed as `rlhf-playground`. Importing it imports no torch."""

from core.cli.main import main

__all__ = ["main"]

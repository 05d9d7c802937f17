"""What is set in the environment, read and checked in one way."""

import math
import os
from collections.abc import Sequence

from core.errors import PlaygroundError


def whole_number(name: str, otherwise: int) -> int:
    """A whole number from 1 up. Raises PlaygroundError when something else is set."""
    given = os.environ.get(name) or str(otherwise)
    if not (given.isascii() and given.isdecimal()) or int(given) < 1:
        raise PlaygroundError(f"{name} is a whole number from 1 up (given: {given[:40]!r}).")
    return int(given)


def number_above_zero(name: str, otherwise: float, unit: str) -> float:
    """A number of `unit` above 0. Raises PlaygroundError when something else is set."""
    found = _number(name, otherwise)
    if not found > 0:
        raise PlaygroundError(f"{name} is a number of {unit} above 0 (given: {os.environ[name][:40]!r}).")
    return found


def number_from_zero(name: str, otherwise: float) -> float:
    """A finite number from 0 up. Raises PlaygroundError when something else is set."""
    found = _number(name, otherwise)
    if not 0 <= found < math.inf:
        raise PlaygroundError(f"{name} is a number from 0 up (given: {os.environ[name][:40]!r}).")
    return found


def one_of(name: str, choices: Sequence[str]) -> str:
    """One of the choices, the first where nothing is set. Raises PlaygroundError when something else is set."""
    given = os.environ.get(name) or choices[0]
    if given not in choices:
        raise PlaygroundError(f"{name} is one of {', '.join(choices)} (given: {given[:40]!r}).")
    return given


def _number(name: str, otherwise: float) -> float:
    """What is set, or `otherwise`; NaN where it is no number."""
    try:
        return float(os.environ.get(name) or otherwise)
    except ValueError:
        return math.nan

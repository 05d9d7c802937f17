"""Whether votes on two features have a minimum at all: decided exactly, from the angles of their differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from typing import Literal

import numpy as np

Vector = tuple[float, float]

_ROUNDING = 1e-14  # of a product of two products, relative: below it the sign is computed exactly


@dataclass(frozen=True)
class Shape:
    """What the loss without a penalty looks like far away.

    - *bowl*: it rises in every direction, and has one minimum
    - *open*: along `direction` no vote ever costs more and some cost less for ever, so that no minimum exists
    - *gutter*: all differences lie on one line and disagree; every point along `direction` costs the same
    - *level*: no vote shows any difference
    """

    kind: Literal["bowl", "open", "gutter", "level"]
    direction: np.ndarray | None = None  # unit length, [2]
    strict: bool = False  # open, and every vote that shows a difference is ranked rightly along `direction`


def shape_of(d: np.ndarray) -> Shape:
    """The shape of mean −log σ(d · w) over w: [votes, 2].

    A minimum exists exactly when no closed half-plane through the origin holds all the differences (Albert & Anderson
    1984, "On the existence of maximum likelihood estimates in logistic regression models"). In two dimensions: when
    between no two neighbouring directions lies half a turn or more. Signs are exact: a gap of exactly half a turn
    counts, one that is short of it by the last bit does not.
    """
    directions = _directions([(float(x), float(y)) for x, y in d if x or y])
    if not directions:
        return Shape("level")
    if len(directions) == 1:
        return Shape("open", _unit(directions[0]), strict=True)
    if len(directions) == 2 and _cross(*directions) == 0:  # opposite: equal ones were merged
        return Shape("gutter", _turned(_unit(directions[0])))
    for last, first in zip(directions, directions[1:] + directions[:1], strict=True):
        side = _cross(last, first)
        if side < 0:
            middle = _unit(first) + _unit(last)
            return Shape("open", middle / np.linalg.norm(middle), strict=True)
        if side == 0:
            return Shape("open", _turned(_unit(first)))
    return Shape("bowl")


def _directions(vectors: Sequence[Vector]) -> list[Vector]:
    """The different directions, counter-clockwise."""
    distinct: list[Vector] = []
    for vector in sorted(set(vectors), key=cmp_to_key(_by_angle)):
        if not distinct or _by_angle(distinct[-1], vector):
            distinct.append(vector)
    return distinct


def _by_angle(a: Vector, b: Vector) -> int:
    halves = _lower(a) - _lower(b)
    return halves or -_cross(a, b)


def _lower(v: Vector) -> int:
    return int(v[1] < 0 or (v[1] == 0 and v[0] < 0))


def _cross(a: Vector, b: Vector) -> int:
    """The sign of a × b: 1 when b lies counter-clockwise of a, by less than half a turn."""
    left, right = a[0] * b[1], a[1] * b[0]
    if abs(left - right) > _ROUNDING * (abs(left) + abs(right)) + 1e-300:
        return 1 if left > right else -1
    exact = Fraction(a[0]) * Fraction(b[1]) - Fraction(a[1]) * Fraction(b[0])
    return (exact > 0) - (exact < 0)


def _unit(v: Vector) -> np.ndarray:
    return np.array(v) / np.hypot(*v)


def _turned(v: np.ndarray) -> np.ndarray:
    """A quarter turn counter-clockwise."""
    return np.array([-v[1], v[0]])

"""Votes made out of the real ones, to see what kind of surface which votes make."""

from typing import Literal, get_args

import numpy as np

from core.alignment.loss_surface.linear_reward import minimum
from core.alignment.loss_surface.separability import shape_of

Case = Literal["as voted", "agreeing alone", "some reversed"]
CASES: tuple[Case, ...] = get_args(Case)
EVERY = 4  # of these votes one is reversed


def votes_of(d: np.ndarray, case: Case) -> np.ndarray:
    """The differences of the votes that `case` leaves or turns round: [votes, 2] -> [some, 2].

    - *as voted*: all of them
    - *agreeing alone*: those that the best two weights rank rightly; the others are left out (all stay, where none is:
      two votes that say the opposite of each other)
    - *some reversed*: every fourth is turned round, as if its two buttons had been mixed up
    """
    if case == "agreeing alone":
        agreeing = d @ _best(d) > 0
        return d[agreeing] if agreeing.any() else d
    if case == "some reversed":
        turned = np.ones(len(d))
        turned[EVERY - 1 :: EVERY] = -1
        return d * turned[:, None]
    return d


def _best(d: np.ndarray) -> np.ndarray:
    """The weights of least loss; where there is no minimum, the way in which the loss falls for ever."""
    shape = shape_of(d)
    if shape.kind == "bowl":
        return minimum(d)
    return minimum(d, l2=1e-6) if shape.kind == "gutter" or shape.direction is None else shape.direction

"""A model's own taste for length, measured on the pairs a person has judged: the same question as to the person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.alignment.cross_examination.trait_coefficients import standardised_fit
from core.feedback.comparison import Vote
from core.feedback.habits import share_longer
from core.feedback.words import word_count
from core.quantiles import t_95
from core.share import Share


@dataclass(frozen=True)
class LengthBias:
    """How a model's scores go along with length."""

    longer: Share  # pairs in which it scores the text with more words higher; equal lengths are not counted
    coefficient: float  # sd of score a sd of words
    reach: float  # half-width of its 95 % interval


def length_bias(votes: Sequence[Vote], left: Sequence[float], right: Sequence[float]) -> LengthBias | None:
    """The length bias of scores `left` and `right`, [N] each, of the two texts of every vote, whatever was chosen.

    The coefficient is that of least squares, score on number of words, both standardised over all the texts; its
    interval allows for texts of one prompt being alike (`standardised_fit`), and is Student's for so many prompts. None
    where that cannot be computed: fewer than two prompts, or texts all of one length.
    """
    if not len(votes) == len(left) == len(right):
        raise ValueError("every vote needs the scores of both its texts")
    words = np.array([[word_count(vote.left), word_count(vote.right)] for vote in votes], dtype=float).reshape(-1, 2)
    prompts = [vote.prompt for vote in votes]
    if len(set(prompts)) < 2 or not np.ptp(words):
        return None
    scores = np.array([left, right], dtype=float).T
    clusters = np.repeat(np.unique(np.array(prompts), return_inverse=True)[1], 2)
    beta, errors, _ = standardised_fit(words.reshape(-1, 1), scores.ravel(), clusters)
    longer = share_longer(votes, (scores[:, 0] > scores[:, 1]).tolist())
    return LengthBias(longer, float(beta[0]), t_95(len(set(prompts)) - 1) * float(errors[0]))

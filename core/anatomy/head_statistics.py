"""What a head looks at, in a few numbers: of its attention weights alone, on one sequence without padding."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class HeadStatistics:
    """One number a head, [...]. NaN where the sequence has no token to measure it on."""

    entropy: Tensor  # nats: −Σ_j w_ij ln w_ij, mean over queries i
    distance: Tensor  # tokens: Σ_j w_ij |i − j|, mean over queries
    previous: Tensor  # weight on the token before, mean over queries that have one
    first: Tensor  # weight on the first token, mean over the queries behind it
    duplicate: Tensor  # weight on earlier copies of the query's own token, mean over queries that have one
    induction: Tensor  # weight on what followed earlier copies of the query's own token, mean over those same queries


def head_statistics(weights: Tensor, ids: Tensor) -> HeadStatistics:
    """The statistics of each head: weights [..., T, T] (rows are queries), ids [T].

    Source of the names: Elhage et al., "A mathematical framework for transformer circuits" (2021), and Olsson et al.,
    "In-context learning and induction heads" (2022).
    """
    length = len(ids)
    place = torch.arange(length, device=weights.device)
    back = place[:, None] - place[None, :]  # [T, T], how far behind the query the key stands
    copies = (ids[:, None] == ids[None, :]) & (back > 0)
    followers = torch.zeros_like(copies)
    followers[:, 1:] = copies[:, :-1]
    followers &= back > 0  # the query itself follows its own earlier copy when a token comes twice in a row
    again = copies.any(-1)
    return HeadStatistics(
        entropy=torch.special.entr(weights).sum(-1).mean(-1),
        distance=(weights * back.abs()).sum((-1, -2)) / length,
        previous=_mass(weights, back == 1, place > 0),
        first=_mass(weights, (place == 0).expand_as(back), place > 0),
        duplicate=_mass(weights, copies, again),
        induction=_mass(weights, followers, again),
    )


def _mass(weights: Tensor, where: Tensor, queries: Tensor) -> Tensor:
    """Weight on the keys `where`, mean over the rows `queries`: the mean of none is NaN."""
    return (weights * where).sum(-1)[..., queries].mean(-1)

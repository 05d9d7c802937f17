"""A language small enough to write down whole: its sequences, their probabilities and rewards, and the best policy.

`vocabulary` letters, sequences of exactly `length` of them. A policy is a table of logits, a row for every prefix, so
that it can be any distribution over the sequences at all.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from core.alignment.group_advantages import leave_one_out
from core.alignment.kl import kl_estimate


@dataclass(frozen=True)
class Toy:
    """The sequences with a reference policy and a reward; float64 throughout."""

    vocabulary: int
    sequences: Tensor  # [N, L], every sequence, in the order of counting
    nodes: Tensor  # [N, L], the row of the logit table that sequence n reads at its place t
    ref_logits: Tensor  # [prefixes, vocabulary]
    rewards: Tensor  # [N]

    @property
    def ref_logprobs(self) -> Tensor:
        """log π_ref of every sequence, in nats: [N]."""
        return self.logprobs(self.ref_logits)

    def logprobs(self, logits: Tensor) -> Tensor:
        """log π of every sequence under a table of logits: [prefixes, vocabulary] -> [N], in nats."""
        return logits.log_softmax(-1)[self.nodes, self.sequences].sum(-1)


def make_toy(vocabulary: int = 4, length: int = 5, seed: int = 0) -> Toy:
    """A random reference (logits of sd 1) and a random reward: a worth for each letter, one for each pair of
    neighbours, and a little of its own for each sequence, scaled to sd 1 under the reference.

    Raises ValueError beyond 100,000 sequences.
    """
    if vocabulary**length > 100_000:
        raise ValueError(f"{vocabulary}^{length} sequences are too many to write down")
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    sequences = torch.tensor(list(itertools.product(range(vocabulary), repeat=length)))
    # Prefixes of t letters are rows (V^t − 1)/(V − 1) and on of the table, in the order of counting.
    nodes = torch.zeros_like(sequences)
    value = torch.zeros(len(sequences), dtype=torch.long)
    for t in range(length):
        nodes[:, t] = (vocabulary**t - 1) // (vocabulary - 1) + value
        value = value * vocabulary + sequences[:, t]
    ref_logits = normal((vocabulary**length - 1) // (vocabulary - 1), vocabulary)
    letters, neighbours = normal(vocabulary), normal(vocabulary, vocabulary)
    rewards = letters[sequences].sum(-1) + neighbours[sequences[:, :-1], sequences[:, 1:]].sum(-1)
    rewards = rewards + 0.5 * normal(len(sequences))
    toy = Toy(vocabulary, sequences, nodes, ref_logits, rewards)
    p = toy.ref_logprobs.exp()
    mean = (p * rewards).sum()
    sd = (p * (rewards - mean).square()).sum().sqrt()
    return Toy(vocabulary, sequences, nodes, ref_logits, (rewards - mean) / sd)


def kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    """KL(p ‖ q) = Σ p (log p − log q) over all sequences, in nats: [N] twice -> []. A p of zero adds nothing."""
    difference = torch.where(log_p > -math.inf, log_p - log_q, 0.0)
    return (log_p.exp() * difference).sum()


def expected_reward(toy: Toy, log_p: Tensor) -> Tensor:
    """E_p[r]: [N] -> []."""
    return (log_p.exp() * toy.rewards).sum()


def optimal_logprobs(toy: Toy, beta: float) -> Tensor:
    """log of π* = π_ref exp(r/β) / Z, which maximises E_π[r] − β KL(π ‖ π_ref): [N], in nats.

    No policy has more reward at its KL. Source: Rafailov et al. (2023), equation 4.
    """
    return (toy.ref_logprobs + toy.rewards / beta).log_softmax(-1)


def best_of_n_logprobs(toy: Toy, n: int) -> Tensor:
    """log-probability of every sequence as the best of n draws from the reference: [N], in nats.

    F(r)ⁿ − F⁻(r)ⁿ for a level of reward, shared by the sequences at that level as the reference does.
    """
    p = toy.ref_logprobs.exp()
    levels, place = torch.unique(toy.rewards, return_inverse=True)
    mass = torch.zeros(len(levels), dtype=p.dtype).index_add_(0, place, p)
    up_to = mass.cumsum(0)
    level = up_to**n - (up_to - mass).clamp(min=0) ** n
    return (p * (level / mass)[place]).log()


@dataclass(frozen=True)
class EstimatorError:
    """How far an estimator of KL is off, a single sample, in nats."""

    estimator: str
    bias: float  # exact, by enumeration
    sd: float  # exact
    measured_bias: float  # the mean of `samples` draws, minus the true KL
    samples: int


def estimator_errors(log_p: Tensor, log_q: Tensor, samples: int, seed: int = 0) -> list[EstimatorError]:
    """Bias and standard deviation of k1, k2 and k3 as estimates of KL(p ‖ q) from sequences drawn from p.

    Exactly, by summing over every sequence, and measured on `samples` draws. Of whole sequences, not summed a token:
    for k1 that is the same, for k2 and k3 it is not.
    """
    p = log_p.exp()
    drawn = torch.multinomial(p, samples, replacement=True, generator=torch.Generator().manual_seed(seed))
    true = kl(log_p, log_q)
    errors = []
    for name in ("k1", "k2", "k3"):
        values = kl_estimate(log_p, log_q, name)
        mean = (p * values).sum()
        sd = (p * (values - mean).square()).sum().sqrt()
        measured_bias = (values[drawn].mean() - true).item()
        errors.append(EstimatorError(name, (mean - true).item(), sd.item(), measured_bias, samples))
    return errors


def climb(toy: Toy, beta: float, steps: int, learning_rate: float, batch: int = 0, seed: int = 0) -> Iterator[Tensor]:
    """log π of every sequence after each Adam step up E_π[r] − β KL(π ‖ π_ref), from the reference on: [N] each.

    `batch` 0: the exact gradient, by enumeration. Otherwise REINFORCE leave-one-out from `batch` sequences drawn.
    """
    generator = torch.Generator().manual_seed(seed)
    logits = toy.ref_logits.clone().requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=learning_rate)
    for _ in range(steps):
        log_p = toy.logprobs(logits)
        worth = toy.rewards - beta * (log_p - toy.ref_logprobs).detach()
        if batch:
            drawn = torch.multinomial(log_p.detach().exp(), batch, replacement=True, generator=generator)
            advantages = leave_one_out(worth[drawn].unsqueeze(0))[0]
            loss = -(advantages * log_p[drawn]).mean()
        else:
            loss = -expected_reward(toy, log_p) + beta * kl(log_p, toy.ref_logprobs)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        yield toy.logprobs(logits).detach()

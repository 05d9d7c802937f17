"""Preferences of a simulated annotator on pairs that a policy writes."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.errors import PlaygroundError
from core.feedback.annotators import Annotator, probability_left
from core.feedback.pairs import PreferencePair
from core.language.configs import SamplingConfig
from core.language.sampling import sample


@dataclass(frozen=True)
class ResponsePair:
    """Two different responses of one policy to one prompt."""

    prompt: str
    left: str
    right: str


@dataclass(frozen=True)
class SimulatedVotes:
    """What an annotator said of pairs, with the truth behind it."""

    pairs: list[PreferencePair]
    utility_gaps: list[float]  # u(chosen) − u(rejected): below zero where noise made the annotator err
    sd: float  # of the utility over the policy's responses: the unit of the annotator's noise


@dataclass
class PairsSoFar:
    """Where the writing of pairs stands; plain enough to be saved and continued from."""

    pairs: list[ResponsePair] = field(default_factory=list)
    batches: int = 0  # also numbers the randomness of the next batch
    asked: int = 0  # prompts used, counting those whose two responses were the same text

    def state(self) -> dict[str, Any]:
        """What `of` makes the same again."""
        return {
            "pairs": [[p.prompt, p.left, p.right] for p in self.pairs],
            "batches": self.batches,
            "asked": self.asked,
        }

    @classmethod
    def of(cls, state: dict[str, Any]) -> "PairsSoFar":
        """What `state` gave."""
        return cls([ResponsePair(*texts) for texts in state["pairs"]], state["batches"], state["asked"])


def write_pairs(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    count: int,
    sampling: SamplingConfig,
    so_far: PairsSoFar | None = None,
) -> Iterator[PairsSoFar]:
    """Write `count` pairs of responses, a batch at a time, the prompts in turn; the two of a pair are independent.

    A pair whose two responses are the same text is dropped and another prompt asked. Raises PlaygroundError when hardly
    any pair differs.
    """
    so_far = so_far or PairsSoFar()
    order = np.random.default_rng(sampling.seed).permutation(len(prompts))
    size = max(1, sampling.batch_size // 2)
    while len(so_far.pairs) < count:
        if so_far.asked > 10 * count + 100:
            raise PlaygroundError("the policy writes the same response again and again: raise the temperature")
        chosen = [
            prompts[order[(so_far.asked + i) % len(prompts)]] for i in range(min(size, count - len(so_far.pairs)))
        ]
        both = [prompt for prompt in chosen for _ in range(2)]
        rollout = sample(policy, tokenizer, both, sampling, update=so_far.batches)
        texts, responses = rollout.prompts[::2], rollout.responses
        written = (ResponsePair(*three) for three in zip(texts, responses[::2], responses[1::2], strict=True))
        so_far.pairs += [pair for pair in written if pair.left != pair.right]
        so_far.batches += 1
        so_far.asked += len(chosen)
        yield so_far


def vote(pairs: Sequence[ResponsePair], annotator: Annotator, seed: int, sd: float | None = None) -> SimulatedVotes:
    """The annotator's noisy choice on every pair: left with probability σ(2 (u_left − u_right) / sd).

    `sd` defaults to the standard deviation of the utility over all the responses in `pairs`.
    """
    utilities = [(annotator.utility(p.prompt, p.left), annotator.utility(p.prompt, p.right)) for p in pairs]
    if sd is None:
        sd = statistics.pstdev(u for both in utilities for u in both)
    draws = np.random.default_rng((seed, 1)).random(len(pairs))
    votes, gaps = [], []
    for pair, (left, right), uniform in zip(pairs, utilities, draws, strict=True):
        takes_left = uniform < probability_left(left, right, sd)
        chosen, rejected = (pair.left, pair.right) if takes_left else (pair.right, pair.left)
        votes.append(PreferencePair(pair.prompt, chosen, rejected, annotator=annotator.name))
        gaps.append(left - right if takes_left else right - left)
    return SimulatedVotes(votes, gaps, sd)

"""Simulated votes: independent pairs, and noise of the size that is promised."""

import math

import numpy as np
import pytest

from core.alignment.preferences import PairsSoFar, ResponsePair, vote, write_pairs
from core.errors import PlaygroundError
from core.feedback.annotators import Annotator, get_annotator
from core.language.configs import SamplingConfig
from tests import tiny

SAMPLING = SamplingConfig(max_new_tokens=6, seed=4, batch_size=8)


class Lengths(Annotator):
    name, title, description, scale = "lengths", "Lengths", "the longer the better", 1.0

    def utility(self, prompt, response):
        return float(len(response))


def write(count, **extra):
    *_, so_far = write_pairs(tiny.gpt2(), tiny.tokenizer(), tiny.PROMPTS, count, SAMPLING, **extra)
    return so_far


def test_pairs_differ_and_use_the_prompts_in_turn():
    pairs = write(10).pairs
    assert len(pairs) == 10
    assert all(pair.left != pair.right for pair in pairs)
    assert {pair.prompt for pair in pairs[:4]} == set(tiny.PROMPTS)


def test_interrupted_writing_continues_where_it_was():
    whole = write(10).pairs
    first = next(write_pairs(tiny.gpt2(), tiny.tokenizer(), tiny.PROMPTS, 10, SAMPLING))
    assert write(10, so_far=PairsSoFar.of(first.state())).pairs == whole


def test_a_policy_that_always_says_the_same_is_named():
    certain = tiny.gpt2()
    certain.transformer.ln_f.weight.data *= 1000
    with pytest.raises(PlaygroundError, match="the same response"):
        *_, _ = write_pairs(certain, tiny.tokenizer(), ["a"], 4, SAMPLING)


def test_votes_follow_bradley_and_terry():
    pairs = [ResponsePair("p", "x" * 4, "x" * 3)] * 20_000  # one apart; sd given as 2
    votes = vote(pairs, Lengths(), seed=0, sd=2.0)
    left = np.mean([pair.chosen == "xxxx" for pair in votes.pairs])
    assert left == pytest.approx(1 / (1 + math.exp(-2 * 1 / 2)), abs=0.01)
    assert all((gap > 0) == (pair.chosen == "xxxx") for pair, gap in zip(votes.pairs, votes.utility_gaps, strict=True))


def test_the_unit_of_noise_is_the_sd_of_the_utility_over_all_responses():
    pairs = write(12).pairs
    annotator = get_annotator("talkative")
    utilities = [annotator.utility(p.prompt, t) for p in pairs for t in (p.left, p.right)]
    assert vote(pairs, annotator, seed=0).sd == pytest.approx(np.std(utilities))
    assert vote(pairs, Lengths(), seed=0).pairs == vote(pairs, Lengths(), seed=0).pairs
    assert vote(pairs, Lengths(), seed=0).pairs != vote(pairs, Lengths(), seed=1).pairs

"""What is read of a rollout: tokens alone, whatever the padding around them and whoever shares the batch."""

import pytest
import torch

from core.alignment.actor_critic import Sequences, of_tokens, read_in_parts, response_distribution
from core.language.configs import SamplingConfig
from core.language.sampling import sample
from tests import tiny

LENGTHS = [9, 1, 4, 9, 2, 7]  # of the responses, cut to be of every length


@pytest.fixture
def rollout():
    prompts = [tiny.PROMPTS[i % len(tiny.PROMPTS)] for i in range(len(LENGTHS))]
    written = sample(tiny.gpt2(), tiny.tokenizer(), prompts, SamplingConfig(max_new_tokens=9, stop_at_end=False))
    for row, length in enumerate(LENGTHS):
        written.response_mask[row, length:] = 0
    return written


@pytest.mark.parametrize("rows", [1, 2, 4, 16])
def test_parts_of_like_length_say_what_each_response_alone_says(rollout, rows):
    model = tiny.gpt2()
    found = read_in_parts(
        Sequences.of(rollout, model.device),
        lambda part: {"logprobs": of_tokens(response_distribution(model, part, 0.7), part.tokens)},
        rows,
    )["logprobs"]
    assert found.shape == (len(LENGTHS), 9)
    for row, length in enumerate(LENGTHS):
        query = rollout.query_ids[row][rollout.query_mask[row].bool()]
        ids = torch.cat([query, rollout.response_ids[row, :length]])
        with torch.no_grad():
            log_p = (model(ids[None]).logits[0, len(query) - 1 : -1] / 0.7).log_softmax(-1)
        expected = log_p.gather(-1, rollout.response_ids[row, :length, None]).squeeze(-1)
        torch.testing.assert_close(found[row, :length], expected, atol=1e-4, rtol=0)
        assert found[row, length:].eq(0).all()


def test_rows_lose_padding_on_both_sides_and_are_spread_over_the_width_they_came_from(rollout):
    sequences = Sequences.of(rollout, torch.device("cpu"))
    part = sequences.rows(torch.tensor([4, 1]))
    assert part.written.shape == (2, 2)  # the longer of the two responses
    assert part.mask[:, 0].any() and part.query_length == int(rollout.query_mask[[4, 1]].sum(-1).max())
    assert part.tokens.tolist() == [*rollout.response_ids[4, :2].tolist(), int(rollout.response_ids[1, 0])]
    again = part.rows(torch.tensor([1]))
    assert again.spread(torch.tensor([5.0])).tolist() == [[5.0] + [0.0] * 8]


def test_what_is_spread_carries_its_gradient(rollout):
    sequences = Sequences.of(rollout, torch.device("cpu"))
    x = torch.randn(sum(LENGTHS), requires_grad=True)
    weights = torch.randn(len(LENGTHS), 9)
    (sequences.spread(x) * weights).sum().backward()
    torch.testing.assert_close(x.grad, weights[rollout.response_mask.bool()])

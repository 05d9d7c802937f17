"""Sampling against the model's own forward pass, plain transformers, and the distribution it claims to draw from."""

import pytest
import torch
from transformers import TopKLogitsWarper, TopPLogitsWarper

from core.errors import PlaygroundError
from core.language.configs import SamplingConfig
from core.language.randomness import uniforms_of_rows
from core.language.sampling import draw, filter_logits, positions, sample
from tests import tiny

CONFIG = SamplingConfig(max_new_tokens=12, seed=3, temperature=0.5)  # a flat distribution would show rounding instead


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_response_is_the_same_alone_and_in_any_batch(family):
    model, tokenizer = tiny.FAMILIES[family](), tiny.tokenizer()
    together = sample(model, tokenizer, tiny.PROMPTS, CONFIG)
    small_batches = sample(model, tokenizer, tiny.PROMPTS, CONFIG.model_copy(update={"batch_size": 3}))
    assert small_batches.responses == together.responses
    for row, prompt in enumerate(tiny.PROMPTS):
        alone = sample(model, tokenizer, [prompt], CONFIG, rows=[row])
        assert alone.responses == [together.responses[row]]
        length = int(alone.response_mask.sum())
        torch.testing.assert_close(alone.logprobs[0, :length], together.logprobs[row, :length], atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("settings", [{}, {"temperature": 1.0}, {"top_k": 5}, {"top_p": 0.6, "temperature": 1.3}])
def test_logprobs_are_those_of_one_plain_forward_pass(family, settings):
    model, tokenizer = tiny.FAMILIES[family](), tiny.tokenizer()
    config = CONFIG.model_copy(update=settings)
    rollout = sample(model, tokenizer, tiny.PROMPTS, config)
    for row in range(len(rollout)):
        query = rollout.query_ids[row][rollout.query_mask[row].bool()]
        response = rollout.response_ids[row][rollout.response_mask[row].bool()]
        logits = model(torch.cat([query, response])[None]).logits[0, len(query) - 1 : -1] / config.temperature
        if config.top_k:
            logits = TopKLogitsWarper(config.top_k)(None, logits)
        if config.top_p < 1:
            logits = TopPLogitsWarper(config.top_p)(None, logits)
        expected = logits.log_softmax(-1).gather(-1, response[:, None])[:, 0]
        torch.testing.assert_close(rollout.logprobs[row, : len(response)], expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_prompt_given_again_is_read_once_and_answered_anew(family):
    model, tokenizer = tiny.FAMILIES[family](), tiny.tokenizer()
    prompts = [tiny.PROMPTS[i] for i in (1, 0, 1, 2, 1, 0)]
    together = sample(model, tokenizer, prompts, CONFIG)
    alone = [sample(model, tokenizer, [prompt], CONFIG, rows=[row]).responses[0] for row, prompt in enumerate(prompts)]
    assert together.responses == alone
    assert together.responses[0] != together.responses[2]


def test_filters_equal_those_of_transformers():
    logits = torch.randn(50, 200, generator=torch.Generator().manual_seed(0)) * 3
    assert torch.equal(filter_logits(logits, 7, 1.0), TopKLogitsWarper(7)(None, logits))
    assert torch.equal(filter_logits(logits, 0, 0.8), TopPLogitsWarper(0.8)(None, logits))


def test_draw_is_the_inverse_of_the_cumulative_distribution():
    probabilities = torch.tensor([0.5, 0.0, 0.2, 0.3])
    uniforms = (torch.arange(10_000) + 0.5) / 10_000
    tokens, logprobs = draw(probabilities.log().expand(10_000, 4), uniforms)
    counts = torch.bincount(tokens, minlength=4) / 10_000
    torch.testing.assert_close(counts, probabilities, atol=2e-4, rtol=0)
    torch.testing.assert_close(logprobs, probabilities.log()[tokens])
    assert draw(probabilities.log()[None], torch.tensor([1.0]))[0].item() == 3  # rounding never points past the end


def test_randomness_depends_on_seed_update_and_row_alone():
    whole = uniforms_of_rows(5, 2, range(6), 8)
    assert torch.equal(uniforms_of_rows(5, 2, [4, 1], 8), whole[[4, 1]])
    assert torch.equal(uniforms_of_rows(5, 2, range(6), 4), whole[:, :4])
    assert not torch.equal(uniforms_of_rows(5, 3, range(6), 8), whole)
    assert not torch.equal(uniforms_of_rows(6, 2, range(6), 8), whole)


def test_positions_start_at_the_first_token():
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 0]])
    assert positions(mask).tolist() == [[0, 0, 0, 1, 2], [0, 1, 2, 3, 3]]


def test_a_response_stops_at_the_end_token_and_says_so():
    model, tokenizer = tiny.gpt2(), tiny.tokenizer()
    rows = 64
    rollout = sample(model, tokenizer, ["Once"] * rows, CONFIG.model_copy(update={"temperature": 5.0, "top_k": 20}))
    boosted = tiny.gpt2()
    with torch.no_grad():
        boosted.transformer.wte.weight[0] *= 3  # the end token becomes likely on some rows
    rollout = sample(boosted, tokenizer, ["Once"] * rows, CONFIG)
    assert 0 < rollout.ended.sum() < rows
    for row in range(rows):
        tokens = rollout.response_ids[row][rollout.response_mask[row].bool()].tolist()
        assert (tokens[-1] == 0) == bool(rollout.ended[row])
        assert 0 not in tokens[:-1]
        assert "<|endoftext|>" not in rollout.responses[row]
        assert rollout.logprobs[row][len(tokens) :].eq(0).all()


def test_a_prompt_longer_than_the_context_loses_its_beginning():
    model, tokenizer = tiny.gpt2(context=32), tiny.tokenizer()
    rollout = sample(model, tokenizer, ["the cat sat on the mat " * 50, "Hi"], CONFIG)
    assert rollout.query_ids.shape[1] == 20 and rollout.cut_tokens[0] > 0 and rollout.cut_tokens[1] == 0
    assert rollout.prompts[0].endswith("mat ") and rollout.prompts[1] == "Hi"


def test_an_empty_prompt_starts_from_nothing_and_no_prompt_is_an_error():
    model, tokenizer = tiny.gpt2(), tiny.tokenizer()
    assert sample(model, tokenizer, [""], CONFIG).query_ids.tolist() == [[tokenizer.bos_token_id]]
    with pytest.raises(PlaygroundError, match="no prompts"):
        sample(model, tokenizer, [], CONFIG)
    with pytest.raises(PlaygroundError, match="context is 64"):
        sample(model, tokenizer, ["a"], SamplingConfig(max_new_tokens=64))

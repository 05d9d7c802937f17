"""The short way through a GPT-2 is learnt from as transformers' own would be: the same loss, the same gradients."""

import pytest
import torch

from core.alignment.reward_model import encode_texts, new_reward_model, pad_right, pairwise_loss, raw_scores
from core.alignment.reward_training import scores_of_pairs
from tests import tiny

PROMPTS = ["Once upon a time", "The cat", "", "Once upon a time there was a dog and a cat"]
TEXTS = {
    "a shared beginning": (
        [" there was a dog", "", " a dog", " and"],
        [" there was a cat. The end", " sat.", "", " and the end of the day"],
    ),
    "nothing shared": (
        ["Once upon a time there was a dog", "The cat", "A dog", "and"],
        ["there was a cat. The end", "sat.", "", "the end of the day"],
    ),
}


@pytest.fixture(params=list(TEXTS))
def both_ids(request):
    prompts = PROMPTS if request.param == "a shared beginning" else [""] * 4
    return tuple(encode_texts(tiny.tokenizer(), prompts, side, 64) for side in TEXTS[request.param])


@pytest.fixture
def model():
    reward = new_reward_model(tiny.gpt2(), tiny.tokenizer())
    torch.nn.init.normal_(reward.score.weight, generator=torch.Generator().manual_seed(1))
    return reward


def test_gradients_are_those_of_transformers(model, both_ids):
    chosen, rejected = both_ids
    pad = tiny.tokenizer().pad_token_id
    plain = raw_scores(model, *pad_right([*chosen, *rejected], pad, model.device)).chunk(2)
    pairwise_loss(*plain).backward()
    expected = {name: p.grad for name, p in model.named_parameters()}
    model.zero_grad(set_to_none=True)
    ours = scores_of_pairs(model, chosen, rejected, pad)
    for mine, theirs in zip(ours, plain, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-5)
    pairwise_loss(*ours).backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name], atol=1e-5, rtol=1e-3, msg=name)


def test_in_bfloat16_it_is_as_near_to_float32_as_transformers_is(model, both_ids):
    chosen, rejected = both_ids
    pad = tiny.tokenizer().pad_token_id
    batch = pad_right([*chosen, *rejected], pad, model.device)
    with torch.no_grad():
        exact = raw_scores(model, *batch)
        with torch.autocast("cpu", torch.bfloat16):
            plain = raw_scores(model, *batch)
            ours = torch.cat(scores_of_pairs(model, chosen, rejected, pad))
    assert ours.dtype == torch.float32 and not torch.equal(ours, exact)
    assert (ours - exact).square().mean() ** 0.5 <= 1.5 * (plain - exact).square().mean() ** 0.5

"""Attention between two sentences and without a mask, against torch's own attention and the traced head."""

import pytest
import torch
import torch.nn.functional as F

from core.anatomy.attention import read, trace_attention
from core.anatomy.block import Switches, residual_stream
from core.anatomy.cross_attention import both_ways, cross_attention, weights_of
from core.anatomy.parts import layers, logits_of
from core.errors import PlaygroundError
from tests.tiny import OPENED, gpt2

SOURCE, TARGET = [5, 9, 77, 300, 9], [40, 41, 7]
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


def crossed(model, source, target, layer, head):
    return cross_attention(model, read(model, source), read(model, target), layer, head)


def streams(model, ids):
    return tuple(residual_stream(model, ids, switches=Switches(causal=causal)) for causal in (True, False))


@pytest.mark.parametrize("family", OPENED)
@pytest.mark.parametrize("head", [0, 1])
def test_a_sentence_asked_about_itself_is_that_head_without_its_mask(family, head):
    model = OPENED[family]()
    ours, traced = (
        crossed(model, SOURCE, SOURCE, 1, head),
        trace_attention(model, SOURCE, 1, head, causal=False),
    )
    for name in ("q", "k", "v", "scores", "scaled", "weights", "head_output", "output"):
        torch.testing.assert_close(getattr(ours, name), getattr(traced, name), **TOLERANCE)


def test_two_sentences_against_torchs_multi_head_attention():
    """All heads of a GPT-2 layer put into nn.MultiheadAttention, which knows queries and keys of different origin."""
    model = gpt2()
    block, width = layers(model)[1], 32
    theirs = torch.nn.MultiheadAttention(width, block.heads, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([block.projection(name)[0].T for name in "qkv"]))
        theirs.in_proj_bias.copy_(torch.cat([block.projection(name)[1] for name in "qkv"]))
        theirs.out_proj.weight.copy_(block.projection("o")[0].T)
        theirs.out_proj.bias.zero_()
        asking, asked = (read(model, ids).inputs[1].unsqueeze(0) for ids in (TARGET, SOURCE))
        output, weights = theirs(asking, asked, asked, average_attn_weights=False)
    ours = [crossed(model, SOURCE, TARGET, 1, head) for head in range(block.heads)]
    torch.testing.assert_close(torch.stack([one.weights for one in ours]), weights[0], **TOLERANCE)
    torch.testing.assert_close(sum(one.output for one in ours), output[0], **TOLERANCE)


def test_rotary_positions_are_those_of_each_sentence():
    model = OPENED["llama"]()
    ours = crossed(model, SOURCE, TARGET, 0, 3)
    torch.testing.assert_close(ours.q, trace_attention(model, TARGET, 0, 3).q, **TOLERANCE)
    torch.testing.assert_close(ours.k, trace_attention(model, SOURCE, 0, 3).k, **TOLERANCE)
    expected = F.scaled_dot_product_attention(*(one.unsqueeze(0) for one in (ours.q, ours.k, ours.v)))
    torch.testing.assert_close(ours.head_output, expected[0], **TOLERANCE)


@pytest.mark.parametrize("family", OPENED)
def test_the_decoder_of_both_ways_is_the_model(family):
    model = OPENED[family]()
    ways = both_ways(model, SOURCE, *streams(model, SOURCE))
    with torch.no_grad():
        logits = model(torch.tensor([SOURCE])).logits[0]
    torch.testing.assert_close(ways.decoder_logprobs, logits[-1].log_softmax(-1), rtol=1e-4, atol=1e-4)
    following = logits[:-1].softmax(-1).gather(-1, torch.tensor(SOURCE[1:]).unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(ways.decoder_next, following, rtol=1e-3, atol=1e-6)
    weights = weights_of(model, SOURCE, residual_stream(model, SOURCE), 1, 0, causal=True)
    torch.testing.assert_close(weights, trace_attention(model, SOURCE, 1, 0).weights, **TOLERANCE)


def test_the_encoder_is_the_model_whose_mask_lets_everything_through():
    """In the first layer the input is the same, so the encoder's head is the traced one; behind it all has changed."""
    model = gpt2()
    both = streams(model, SOURCE)
    ways, weights = both_ways(model, SOURCE, *both), weights_of(model, SOURCE, both[1], 0, 1, causal=False)
    torch.testing.assert_close(weights, trace_attention(model, SOURCE, 0, 1, causal=False).weights, **TOLERANCE)
    everything = torch.zeros(1, 1, len(SOURCE), len(SOURCE))  # an additive mask of our own takes the causal one's place
    with torch.no_grad():
        logits = model(torch.tensor([SOURCE]), attention_mask=everything).logits[0]
    torch.testing.assert_close(ways.encoder_logprobs, logits[-1].log_softmax(-1), rtol=1e-4, atol=1e-4)
    last = residual_stream(model, SOURCE)[-1]
    torch.testing.assert_close(logits_of(model, last)[-1].log_softmax(-1), ways.decoder_logprobs, **TOLERANCE)


def test_one_token_is_the_same_both_ways():
    ways = both_ways(gpt2(), [5], *streams(gpt2(), [5]))
    assert float(ways.moved.max()) == 0
    assert float(ways.change) == pytest.approx(0, abs=1e-6)


def test_what_cannot_be_done_is_said():
    with pytest.raises(PlaygroundError, match="no head 2"):
        crossed(gpt2(), SOURCE, TARGET, 0, 2)
    with pytest.raises(PlaygroundError, match="no layer 9"):
        weights_of(gpt2(), SOURCE, residual_stream(gpt2(), SOURCE), 9, 0, causal=True)
    with pytest.raises(PlaygroundError, match="no tokens"):
        crossed(gpt2(), [], TARGET, 0, 0)

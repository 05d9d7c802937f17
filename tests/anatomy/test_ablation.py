"""Switching heads off against the same thing done to the weights."""

import threading

import pytest
import torch

from core.anatomy.ablation import change_in_nats, heads_off, next_token_logits, one_head_off
from core.anatomy.parts import captured, layers
from core.errors import PlaygroundError
from tests.tiny import OPENED, gpt2

IDS = [5, 9, 77, 300, 9, 12]


def off(model, *heads):
    closed = torch.zeros(1, len(layers(model)), layers(model)[0].heads, dtype=torch.bool)
    for layer, head in heads:
        closed[0, layer, head] = True
    return closed


@pytest.mark.parametrize("family", OPENED)
def test_a_head_at_zero_is_a_head_whose_rows_of_w_o_are_zero(family):
    model = OPENED[family]()
    found = next_token_logits(model, IDS, off(model, (0, 1), (1, 0)))
    with torch.no_grad():
        for layer, head in ((0, 1), (1, 0)):
            layers(model)[layer].of_head("o", head)[0].zero_()  # a view of the weights
        torch.testing.assert_close(found[0], model(torch.tensor([IDS])).logits[0, -1], rtol=1e-5, atol=1e-5)


def test_nothing_off_is_the_model_itself():
    model = gpt2()
    for method in ("zero", "mean"):
        found = next_token_logits(model, IDS, off(model), method)
        torch.testing.assert_close(found[0], model(torch.tensor([IDS])).logits[0, -1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", OPENED)
def test_the_mean_is_over_the_positions_of_the_same_sequence(family):
    model = OPENED[family]()
    last = layers(model)[-1]
    with torch.no_grad(), captured({"mixed": last.output_projection}, "input") as found:
        model(torch.tensor([IDS]))
        before = found["mixed"].clone()
        with heads_off(model, off(model, (1, 1)), "mean"):
            model(torch.tensor([IDS]))
    part = slice(last.head_size, 2 * last.head_size)
    # a pre-hook of ours runs before what is captured is seen
    torch.testing.assert_close(found["mixed"][0, :, part], before[0, :, part].mean(0).expand(len(IDS), -1))
    torch.testing.assert_close(found["mixed"][0, :, : part.start], before[0, :, : part.start])


def test_rows_with_other_heads_off_are_each_alone(monkeypatch):
    model = gpt2()
    closed = one_head_off(model)
    assert closed.sum((-1, -2)).tolist() == [1] * 4
    together = next_token_logits(model, IDS, closed, "mean")
    monkeypatch.setattr("core.anatomy.ablation.TOKENS_AT_ONCE", 1)
    torch.testing.assert_close(next_token_logits(model, IDS, closed, "mean"), together, rtol=1e-5, atol=1e-5)
    for row, heads in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        alone = next_token_logits(model, IDS, off(model, heads), "mean")
        torch.testing.assert_close(together[row], alone[0], rtol=1e-5, atol=1e-5)


def test_the_change_is_a_divergence():
    logits = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    p, q = logits.softmax(-1)
    assert change_in_nats(logits[0], logits[1]) == pytest.approx(float((p * (p / q).log()).sum()), rel=1e-4)
    assert change_in_nats(logits[0], logits[0] + 3) == pytest.approx(0, abs=1e-6)


def test_another_readers_model_is_whole():
    model, seen = gpt2(), []
    whole = model(torch.tensor([IDS])).logits
    with heads_off(model, torch.ones(2, 2, dtype=torch.bool)):
        other = threading.Thread(target=lambda: seen.append(model(torch.tensor([IDS])).logits))
        other.start()
        other.join()
    assert torch.equal(seen[0], whole)
    assert torch.equal(model(torch.tensor([IDS])).logits, whole)


def test_what_cannot_be_switched_off_is_said():
    with pytest.raises(PlaygroundError, match=r"\[1, 3, 2\].*2 layers of 2 heads"):
        next_token_logits(gpt2(), IDS, torch.zeros(1, 3, 2, dtype=torch.bool))
    with pytest.raises(PlaygroundError, match="no tokens"):
        next_token_logits(gpt2(), [], torch.zeros(1, 2, 2, dtype=torch.bool))

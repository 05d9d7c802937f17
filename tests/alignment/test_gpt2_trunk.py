"""A GPT-2's trunk read the short way says what transformers' own says, and is learnt from alike."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import GPT2Config, GPT2Model

from core.alignment.actor_critic import Sequences, response_states
from core.alignment.gpt2_trunk import plain_gpt2
from core.language import onednn
from tests import tiny


@pytest.fixture
def sequences():
    """Queries of 7, 3 and 5 tokens, padded on the left; responses of 5, 2 and 1, padded on the right."""
    mask = torch.zeros(3, 12, dtype=torch.long)
    for row, (query, response) in enumerate([(7, 5), (3, 2), (5, 1)]):
        mask[row, 7 - query : 7 + response] = 1
    ids = torch.randint(0, 40, (3, 12), generator=torch.Generator().manual_seed(0))
    return Sequences(ids, mask, query_length=7)


def plainly(model, sequences):
    """Each row alone and without padding, through transformers."""
    parts = []
    for ids, mask, written in zip(sequences.input_ids, sequences.mask, sequences.written, strict=True):
        states = model.base_model(ids[mask.bool()][None]).last_hidden_state[0]
        count = int(written.sum())
        parts.append(states[-count - 1 : -1])
    return torch.cat(parts)


def test_states_and_gradients_are_those_of_transformers(sequences):
    model, found = tiny.gpt2().eval(), {}
    assert plain_gpt2(model.base_model)
    for name, read in (("ours", response_states), ("theirs", plainly)):
        model.zero_grad(set_to_none=True)
        states = read(model, sequences)
        (states * torch.linspace(-1, 1, states.numel()).view_as(states)).sum().backward()
        found[name] = states.detach(), {at: p.grad for at, p in model.base_model.named_parameters()}
    torch.testing.assert_close(found["ours"][0], found["theirs"][0], atol=1e-5, rtol=1e-5)
    for at, gradient in found["theirs"][1].items():
        torch.testing.assert_close(found["ours"][1][at], gradient, atol=1e-5, rtol=1e-3, msg=at)


@pytest.mark.parametrize("built_with", ["oneDNN", "nothing"])
@torch.no_grad()
def test_read_without_gradients_it_says_the_same(sequences, built_with, monkeypatch):
    monkeypatch.setattr(onednn, "available", lambda: built_with == "oneDNN")
    model = tiny.gpt2()
    for parameter in model.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))  # biases begin as zeros, and one left out would not show
    torch.testing.assert_close(response_states(model, sequences), plainly(model, sequences), atol=1e-4, rtol=1e-5)


@torch.no_grad()
def test_in_bfloat16_it_is_as_near_to_float32_as_transformers_is(sequences):
    model = tiny.gpt2().eval()
    exact = plainly(model, sequences)
    with torch.autocast("cpu", torch.bfloat16):
        ours, theirs = response_states(model, sequences), plainly(model, sequences)
    assert not torch.equal(ours, exact)
    assert (ours - exact).abs().max() <= 1.5 * (theirs - exact).abs().max()


@pytest.mark.parametrize("unusual", ["activation", "scale", "adapters", "family"])
def test_what_is_not_plain_is_left_to_transformers(unusual, sequences):
    small = {"n_embd": 8, "n_layer": 2, "n_head": 2, "vocab_size": 40, "n_positions": 32}
    model = {
        "activation": lambda: GPT2Model(GPT2Config(**small, activation_function="relu")),
        "scale": lambda: GPT2Model(GPT2Config(**small, scale_attn_by_inverse_layer_idx=True)),
        "adapters": lambda: get_peft_model(tiny.gpt2(), LoraConfig(r=2, target_modules=["c_attn"])).base_model.model,
        "family": tiny.llama,
    }[unusual]()
    assert not plain_gpt2(model.base_model)
    torch.testing.assert_close(
        response_states(model.eval(), sequences), plainly(model, sequences), atol=1e-5, rtol=1e-5
    )

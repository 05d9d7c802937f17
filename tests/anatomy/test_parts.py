"""The parts of a model by one set of names, against the model's own code."""

import pytest
import torch
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from core.anatomy.parts import (
    affine,
    attention_mask_of,
    captured,
    final_norm,
    layers,
    logits_of,
    normalised_with,
    position_embedding,
    rotate,
    rotates,
    rotation,
    token_embedding,
)
from core.errors import PlaygroundError
from tests.tiny import OPENED, gpt2, llama

IDS = torch.tensor([[5, 9, 77, 300, 9]])


def test_rotation_is_the_models_own():
    model = llama()
    queries, keys = torch.randn(2, 1, 4, 9, 8).unbind(0)
    places = torch.arange(3, 12).unsqueeze(0)
    cos, sin = rotation(model, places)
    theirs = apply_rotary_pos_emb(queries, keys, cos, sin)
    torch.testing.assert_close(rotate(queries, cos.unsqueeze(1), sin.unsqueeze(1)), theirs[0])
    torch.testing.assert_close(rotate(keys, cos.unsqueeze(1), sin.unsqueeze(1)), theirs[1])


def test_a_rotated_dot_product_knows_the_distance_alone():
    query, key = torch.randn(2, 1, 8).unbind(0)

    def product(at: int, back: int) -> float:
        cos, sin = rotation(llama(), torch.tensor([at, at - back]))
        return float(rotate(query, cos[:1], sin[:1]) @ rotate(key, cos[1:], sin[1:]).T)

    assert product(5, 3) == pytest.approx(product(40, 3), rel=1e-4)
    assert product(5, 3) != pytest.approx(product(5, 2), rel=1e-2)


def test_only_one_family_rotates_and_only_the_other_adds_positions():
    assert rotates(llama())
    assert not rotates(gpt2())
    assert position_embedding(llama()) is None
    assert position_embedding(gpt2()).shape == (64, 32)


@pytest.mark.parametrize("family", OPENED)
def test_projections_are_what_the_modules_do(family):
    model = OPENED[family]()
    layer, x = layers(model)[1], torch.randn(3, 32)
    attention = layer.attention
    if layer.fused:
        theirs = dict(zip("qkv", attention.c_attn(x).split(32, dim=-1), strict=True))
    else:
        theirs = {name: getattr(attention, f"{name}_proj")(x) for name in "qkv"}
    mixed = torch.randn(3, layer.heads * layer.head_size)
    for name, given, expected in (
        *((name, x, theirs[name]) for name in "qkv"),
        ("o", mixed, layer.output_projection(mixed)),
    ):
        torch.testing.assert_close(affine(given, *layer.projection(name)), expected)
    for head in range(layer.heads):
        for name, place in (("q", head), ("k", head // layer.group), ("v", head // layer.group)):
            part = theirs[name].unflatten(-1, (-1, layer.head_size))[:, place]
            torch.testing.assert_close(affine(x, *layer.of_head(name, head)), part)


@pytest.mark.parametrize("family", OPENED)
def test_what_is_captured_is_what_went_through(family):
    model = OPENED[family]()
    hidden = model(IDS, output_hidden_states=True).hidden_states
    with (
        captured({"norm": layers(model)[1].attention_norm}, "input") as inputs,
        captured({"block": layers(model)[0].block}) as outputs,
    ):
        model(IDS)
    torch.testing.assert_close(inputs["norm"], hidden[1])
    torch.testing.assert_close(outputs["block"], hidden[1])
    hooks = len(layers(model)[1].attention._forward_hooks)  # transformers keeps some of its own
    with captured({"attention": layers(model)[1].attention}, "input") as inputs:
        model(IDS)
    torch.testing.assert_close(inputs["attention"], layers(model)[1].attention_norm(hidden[1]))
    assert len(layers(model)[1].attention._forward_hooks) == hooks


@pytest.mark.parametrize("family", OPENED)
def test_a_frozen_norm_is_the_norm_at_its_own_statistics_and_linear(family):
    norm = final_norm(OPENED[family]())
    torch.nn.init.normal_(norm.weight)
    x, y = torch.randn(2, 4, 32).unbind(0)
    bias = getattr(norm, "bias", None)
    torch.testing.assert_close(normalised_with(norm, x, x) + (0 if bias is None else bias), norm(x))
    both = normalised_with(norm, x, x + y) + normalised_with(norm, y, x + y)
    torch.testing.assert_close(both, normalised_with(norm, x + y, x + y))


@pytest.mark.parametrize("family", OPENED)
def test_the_last_states_logits_are_the_models(family):
    model = OPENED[family]()
    with captured({"norm": final_norm(model)}, "input") as found:
        logits = model(IDS).logits
    torch.testing.assert_close(logits_of(model, found["norm"]), logits)
    assert token_embedding(model).shape == (4096, 32)


def test_the_mask():
    assert attention_mask_of(torch.ones(3)).isinf().tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
    assert attention_mask_of(torch.ones(2), causal=False).isinf().sum() == 0
    assert attention_mask_of(torch.ones(3), window=2).isinf().tolist() == [[0, 1, 1], [0, 0, 1], [1, 0, 0]]
    padded = attention_mask_of(torch.tensor([[0, 1, 1]]))
    assert padded.isinf().tolist() == [[[0, 1, 1], [1, 0, 1], [1, 0, 0]]]  # a padded query may look at itself
    assert attention_mask_of(torch.tensor([1, 0]), causal=False).isinf().tolist() == [[0, 1], [0, 0]]


def test_a_family_that_cannot_be_opened():
    model = gpt2()
    model.config.model_type = "bert"
    with pytest.raises(PlaygroundError, match="bert"):
        layers(model)

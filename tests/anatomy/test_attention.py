"""Attention traced step by step against what the model itself says."""

import threading

import pytest
import torch
from transformers import MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM

from core import paths
from core.anatomy.attention import (
    all_head_weights,
    head_contributions,
    read,
    scaling_of,
    trace_attention,
    trace_head,
)
from core.anatomy.parts import captured, layers
from core.errors import PlaygroundError
from core.language.registry import load_policy
from core.language.sampling import positions
from tests.tiny import OPENED, gpt2, llama, padding_mask

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
# the home that the reader's own models live in, seen before each test is given one of its own
HOME = paths.home()


def module_outputs(model, ids, mask=None):
    """What each attention module really returned, and the weights it reports (eager attention), layer by layer."""
    model.set_attn_implementation("eager")
    mask = torch.ones_like(ids) if mask is None else mask
    with torch.no_grad(), captured({str(one.index): one.attention for one in layers(model)}) as found:
        said = model.base_model(
            input_ids=ids, attention_mask=mask, position_ids=positions(mask), output_attentions=True
        ).attentions
    return [found[str(index)] for index in range(len(said))], said


def assert_heads_sum_to_the_module(model, ids, mask=None):
    outputs, weights = module_outputs(model, ids, mask)
    kept = torch.ones_like(ids).bool() if mask is None else mask.bool()
    reading = read(model, ids, mask)
    for layer in layers(model):
        traces = [trace_head(model, reading, layer.index, head) for head in range(layer.heads)]
        bias = layer.projection("o")[1]
        total = sum(trace.output for trace in traces) + (0 if bias is None else bias)
        torch.testing.assert_close(total[kept], outputs[layer.index][kept], **TOLERANCE)
        ours = torch.stack([trace.weights for trace in traces], dim=1)
        torch.testing.assert_close(ours.transpose(1, 2)[kept], weights[layer.index].transpose(1, 2)[kept], **TOLERANCE)
    in_one_call = trace_attention(model, ids, layer.index, layer.heads - 1, mask)
    for name, value in vars(in_one_call).items():
        torch.testing.assert_close(value[kept], getattr(traces[-1], name)[kept], **TOLERANCE)


def random_ids(*shape, vocabulary=4096):
    return torch.randint(2, vocabulary, shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("family", OPENED)
@pytest.mark.parametrize("length", [1, 2, 17, 64])
def test_the_heads_of_a_layer_sum_to_its_attention_module(family, length):
    assert_heads_sum_to_the_module(OPENED[family](), random_ids(1, length))


@pytest.mark.parametrize("family", OPENED)
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_on_either_side_changes_nothing(family, side):
    mask = padding_mask(side)
    model, ids = OPENED[family](), random_ids(3, 12)
    assert_heads_sum_to_the_module(model, ids, mask)
    padded = trace_attention(model, ids, 1, 1, mask)
    alone = trace_attention(model, ids[1][mask[1].bool()], 1, 1)
    kept = mask[1].bool()
    torch.testing.assert_close(padded.weights[1][kept][:, kept], alone.weights, **TOLERANCE)
    torch.testing.assert_close(padded.output[1][kept], alone.output, **TOLERANCE)


@pytest.mark.parametrize("length", [1, 40, 256])
def test_the_storyteller(length):
    model, _ = load_policy("storyteller")
    assert_heads_sum_to_the_module(model, random_ids(1, length))


def test_smollm2(monkeypatch):
    if not (HOME / "models").exists():
        pytest.skip("SmolLM2 is not converted in RLHF_PLAYGROUND_HOME")
    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(HOME))
    try:
        model, tokenizer = load_policy("smollm2-135m")
    except PlaygroundError as error:
        pytest.skip(str(error))
    batch = tokenizer(["The dog lost the ball", "Why?"], return_tensors="pt", padding=True)
    assert_heads_sum_to_the_module(model, batch["input_ids"], batch["attention_mask"])


def test_a_sliding_window_and_biases_of_other_llama_like_models():
    size = {
        "vocab_size": 4096, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64, "initializer_range": 0.3,
    }  # fmt: skip
    mistral = MistralForCausalLM(MistralConfig(**size, sliding_window=5)).eval()
    assert_heads_sum_to_the_module(mistral, random_ids(1, 12))
    assert trace_attention(mistral, random_ids(12), 0, 0).weights[-1, :7].sum() == 0
    qwen = Qwen2ForCausalLM(Qwen2Config(**size)).eval()
    torch.nn.init.normal_(qwen.model.layers[0].self_attn.q_proj.bias)  # it starts at zero and would not be missed
    assert_heads_sum_to_the_module(qwen, random_ids(1, 12))


@pytest.mark.parametrize("setting", [{"scale_attn_weights": False}, {"scale_attn_by_inverse_layer_idx": True}])
def test_the_scaling_that_a_configuration_asks_for(setting):
    config = gpt2().config
    config.update(setting)
    model = type(gpt2())(config).eval()
    assert_heads_sum_to_the_module(model, random_ids(1, 9))
    trace = trace_attention(model, random_ids(9), 1, 0)
    torch.testing.assert_close(trace.scaled, trace.scores * scaling_of(layers(model)[1]))


@pytest.mark.parametrize("family", OPENED)
def test_all_heads_at_once_are_each_head_alone(family):
    model, ids = OPENED[family](), random_ids(2, 11)
    reading = read(model, ids)
    weights = all_head_weights(model, reading)
    for layer in layers(model):
        contributions = head_contributions(model, reading, layer.index)
        for head in range(layer.heads):
            trace = trace_head(model, reading, layer.index, head)
            torch.testing.assert_close(weights[layer.index][:, head], trace.weights, **TOLERANCE)
            torch.testing.assert_close(contributions[:, head], trace.output, **TOLERANCE)


def test_every_field_has_the_shape_its_name_promises():
    model = llama()
    for ids in ([5, 6, 7], torch.tensor([5, 6, 7]), torch.tensor([[5, 6, 7], [7, 6, 5]])):
        trace, lead = trace_attention(model, ids, 0, 3), torch.as_tensor(ids).shape
        assert trace.x.shape == trace.output.shape == (*lead, 32)
        assert trace.q.shape == trace.k.shape == trace.v.shape == trace.head_output.shape == (*lead, 8)
        for square in (trace.scores, trace.scaled, trace.masked, trace.weights):
            assert square.shape == (*lead, 3)


def test_heads_of_a_group_share_key_and_value_but_not_the_query():
    first, second, other = (trace_attention(llama(), [5, 6, 7, 8], 0, head) for head in (0, 1, 2))
    assert torch.equal(first.k, second.k)
    assert torch.equal(first.v, second.v)
    assert not torch.equal(first.q, second.q)
    assert not torch.equal(first.k, other.k)


def test_the_switches():
    model, ids = gpt2(), random_ids(8)
    plain, unscaled, seeing, hot = (
        trace_attention(model, ids, 1, 0, **switch)
        for switch in ({}, {"scale": False}, {"causal": False}, {"temperature": 2.0})
    )
    torch.testing.assert_close(unscaled.scaled, plain.scores)
    torch.testing.assert_close(plain.scaled, plain.scores / 16**0.5)
    assert plain.weights.triu(1).sum() == 0
    assert (seeing.weights > 0).all()
    assert torch.equal(seeing.x, plain.x)
    torch.testing.assert_close(hot.weights, (plain.masked / 2).softmax(-1))


def test_readers_of_one_model_do_not_see_each_others_sentences():
    model, ours = gpt2(), random_ids(1, 9)
    with torch.no_grad(), captured({"0": layers(model)[0].attention}, "input") as found:
        model(ours)
        before = found["0"].clone()
        other = threading.Thread(target=lambda: model(random_ids(1, 20)))
        other.start()
        other.join()
    assert torch.equal(found["0"], before)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([5], 2, 0), "no layer 2.*0 to 1"),
        (([5], -1, 0), "no layer -1"),
        (([5], 0, 2), "no head 2.*0 to 1"),
        (([], 0, 0), "no tokens"),
        ((list(range(65)), 0, 0), "65 tokens.*context is 64"),
        (([4096], 0, 0), "0 to 4095"),
        ((torch.zeros(1, 1, 1, dtype=torch.long), 0, 0), "3 dimensions"),
        (([5, 6], 0, 0, torch.ones(3)), r"\[3\].*\[2\]"),
    ],
)
def test_what_cannot_be_traced_is_said(arguments, words):
    with pytest.raises(PlaygroundError, match=words):
        trace_attention(gpt2(), *arguments)


def test_a_temperature_must_be_above_zero():
    with pytest.raises(PlaygroundError, match="temperature is 0"):
        trace_attention(gpt2(), [5], 0, 0, temperature=0)


def test_a_family_that_is_not_known_here():
    model = gpt2()
    model.config.model_type = "bert"
    with pytest.raises(PlaygroundError, match="bert"):
        trace_attention(model, [5], 0, 0)

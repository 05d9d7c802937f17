"""A model laid out for writing says what the model itself says, with and without adapters, and leaves it alone."""

import gc
import weakref

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, Qwen2Config
from transformers.models.llama.modeling_llama import LlamaMLP
from transformers.models.qwen2.modeling_qwen2 import Qwen2MLP

from core.language.adapters import bare
from core.language.configs import SamplingConfig
from core.language.packed_weights import PackedLinear, _twin, packed
from core.language.sampling import sample
from tests import tiny


@pytest.fixture(params=[*tiny.FAMILIES, "adapters"])
def model(request):
    if request.param != "adapters":
        return tiny.FAMILIES[request.param]()
    adapted = get_peft_model(
        tiny.llama(), LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    )
    return bare(adapted)


@torch.no_grad()
def test_it_says_what_the_model_says(model):
    ids = torch.randint(0, 40, (5, 9), generator=torch.Generator().manual_seed(0))
    twin = packed(model, rows=5, steps=8)
    torch.testing.assert_close(twin(ids).logits, model.eval()(ids).logits, atol=1e-5, rtol=0)
    assert any(isinstance(module, PackedLinear) for module in twin.modules())


@pytest.mark.parametrize("activation", ["gelu_new", "gelu_pytorch_tanh", "gelu", "silu", "relu"])
@torch.no_grad()
def test_the_activation_is_taken_within_the_product_where_onednn_knows_it(activation):
    config = GPT2Config(n_embd=8, n_layer=1, n_head=2, vocab_size=40, n_positions=32, activation_function=activation)
    torch.manual_seed(0)
    feed_forward = GPT2LMHeadModel(config).eval().transformer.h[0].mlp
    for parameter in feed_forward.parameters():
        parameter.normal_()  # as it begins, every activation is nearly straight
    twin = _twin(feed_forward, 5, {})
    x = torch.randn(5, 8)
    torch.testing.assert_close(twin(x), feed_forward(x), atol=1e-4, rtol=1e-5)
    assert isinstance(twin.act, torch.nn.Identity) == (activation != "relu")


@pytest.mark.parametrize(
    "part",
    [
        LlamaMLP(LlamaConfig(hidden_size=8, intermediate_size=12, num_attention_heads=2, num_key_value_heads=2)),
        Qwen2MLP(Qwen2Config(hidden_size=8, intermediate_size=12, num_attention_heads=2, num_key_value_heads=2)),
    ],
    ids=["llama", "qwen2"],
)
@torch.no_grad()
def test_so_it_is_in_gated_parts(part):
    torch.manual_seed(0)
    for parameter in part.parameters():
        parameter.normal_()
    twin = _twin(part, 5, {})
    x = torch.randn(5, 8)
    torch.testing.assert_close(twin(x), part(x), atol=1e-4, rtol=1e-5)
    assert isinstance(twin.act_fn, torch.nn.Identity)


@torch.no_grad()
def test_adapters_in_a_feed_forward_part_are_not_passed_by():
    adapted = get_peft_model(tiny.gpt2(), LoraConfig(r=2, target_modules=["c_fc"], init_lora_weights=False))
    ids = torch.randint(0, 40, (5, 9), generator=torch.Generator().manual_seed(0))
    twin = packed(bare(adapted), rows=5, steps=8)
    torch.testing.assert_close(twin(ids).logits, adapted.eval()(ids).logits, atol=1e-5, rtol=0)


def test_one_read_of_many_rows_pays_too():
    model = tiny.gpt2()
    assert packed(model, rows=1023, steps=1) is model
    assert packed(model, rows=1024, steps=1) is not model


def test_the_copies_go_with_the_last_who_writes(model):
    """At once, not at the next garbage collection: they are as large as the model."""
    gc.disable()
    try:
        twin = packed(model, rows=2, steps=8)
        copies = [weakref.ref(module) for module in twin.modules() if isinstance(module, PackedLinear)]
        del twin
        assert copies and not any(copy() for copy in copies)
    finally:
        gc.enable()


def test_the_model_itself_stays_as_it_is(model):
    model.train()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    packed(model, rows=2, steps=8)
    assert model.training and not any(isinstance(module, PackedLinear) for module in model.modules())
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


@torch.no_grad()
def test_what_is_sampled_follows_the_weights_as_they_change(model):
    config = SamplingConfig(max_new_tokens=12, seed=3)
    first = sample(model, tiny.tokenizer(), tiny.PROMPTS, config)
    for parameter in model.parameters():
        parameter.mul_(1.5)
    assert sample(model, tiny.tokenizer(), tiny.PROMPTS, config).responses != first.responses


@pytest.mark.parametrize("missing", ["oneDNN", "float32", "steps"])
def test_where_nothing_is_gained_the_model_itself_writes(missing, monkeypatch):
    model = tiny.gpt2()
    if missing == "oneDNN":
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    elif missing == "float32":
        model = model.to(torch.bfloat16)
    assert packed(model, rows=2, steps=7 if missing == "steps" else 8) is model

"""The step from states to logits is each family's own, and a model that takes another is not tuned."""

import pytest
import torch
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    GPTJConfig,
    GPTJForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    OPTConfig,
    OPTForCausalLM,
)

from core.errors import PlaygroundError
from core.language.logits import check_logits, largest, logits_of, width_of
from tests import tiny

IDS = torch.tensor([[5, 17, 40, 3, 9]])
SHAPE = {"vocab_size": 64, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
WIDE = {"intermediate_size": 32, "initializer_range": 0.3, "pad_token_id": 1}
MODELS = {
    **tiny.FAMILIES,
    "cohere": lambda: CohereForCausalLM(CohereConfig(**SHAPE, **WIDE, logit_scale=0.25)),
    "granite": lambda: GraniteForCausalLM(GraniteConfig(**SHAPE, **WIDE, logits_scaling=8.0)),
    "opt": lambda: OPTForCausalLM(OPTConfig(**SHAPE, ffn_dim=32, word_embed_proj_dim=8, init_std=0.3)),
    "gptj": lambda: GPTJForCausalLM(GPTJConfig(vocab_size=64, n_embd=16, n_layer=2, n_head=2, rotary_dim=4)),
}


@torch.no_grad()
@pytest.mark.parametrize("family", MODELS)
def test_the_logits_of_the_states_are_the_models_own(family):
    torch.manual_seed(0)
    model = MODELS[family]().eval()
    head = model.get_output_embeddings()
    if head.bias is not None:
        torch.nn.init.normal_(head.bias)
    states = model.base_model(IDS).last_hidden_state
    assert states.shape[-1] == width_of(model)
    torch.testing.assert_close(logits_of(model, states), model(IDS).logits)
    check_logits(model)


def test_a_model_that_does_something_else_with_its_logits_is_refused():
    model = tiny.llama()
    plain = model.forward

    def doubled(*args, **named):
        out = plain(*args, **named)
        out.logits = out.logits * 2
        return out

    model.forward = doubled
    with pytest.raises(PlaygroundError, match="from its states to its logits is not known here"):
        check_logits(model)


@pytest.mark.parametrize("vocab", [7, 1280, 1300, 4096, 4159])
def test_the_largest_values_of_a_row_are_those_that_torch_finds(vocab):
    generator = torch.Generator().manual_seed(vocab)
    for x in (
        torch.randn(9, vocab, generator=generator),
        torch.randint(0, 30, (9, vocab), generator=generator).float(),
    ):
        values, indices = largest(x, 5)
        assert torch.equal(values, x.topk(5).values)
        assert torch.equal(x.gather(1, indices), values)  # of equal values any may be named, but each once
        assert all(len(set(row)) == 5 for row in indices.tolist())
    last = torch.zeros(1, vocab)
    last[0, -1] = 1.0
    assert largest(last, 5)[1][0, 0] == vocab - 1

"""A model that answers otherwise token by token than at once is refused before anything is drawn from it."""

import pytest
import torch
from transformers import (
    BartConfig,
    BartForCausalLM,
    BertConfig,
    BertLMHeadModel,
    MambaConfig,
    MambaForCausalLM,
    OpenAIGPTConfig,
    OpenAIGPTLMHeadModel,
    RwkvConfig,
    RwkvForCausalLM,
    XLNetConfig,
    XLNetLMHeadModel,
)

from core.errors import PlaygroundError
from core.language.stepwise import check_stepwise
from tests import tiny

IDS, PAD = [5, 17, 40, 3, 9, 22], 1
SHAPE = {"vocab_size": 64, "hidden_size": 16, "num_hidden_layers": 2, "initializer_range": 0.3}
BART = {"decoder_ffn_dim": 32, "decoder_attention_heads": 2, "encoder_layers": 1, "decoder_layers": 2, "init_std": 0.3}
OTHERS = {
    "counts padding as places": lambda: BartForCausalLM(BartConfig(vocab_size=64, d_model=16, **BART)),
    "sees what comes after": lambda: BertLMHeadModel(
        BertConfig(**SHAPE, num_attention_heads=2, intermediate_size=32, is_decoder=False)
    ),
    "is asked for places": lambda: XLNetLMHeadModel(
        XLNetConfig(vocab_size=64, d_model=16, n_layer=2, n_head=2, d_inner=32, initializer_range=0.3)
    ),
    "keeps a state": lambda: RwkvForCausalLM(RwkvConfig(**SHAPE, attention_hidden_size=16, intermediate_size=32)),
    "keeps nothing": lambda: OpenAIGPTLMHeadModel(OpenAIGPTConfig(vocab_size=64, n_embd=16, n_layer=2, n_head=2)),
    "has layers of another kind": lambda: MambaForCausalLM(MambaConfig(**SHAPE)),
}


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_families_that_are_drawn_from_here_answer_alike(family):
    check_stepwise(tiny.FAMILIES[family](), IDS, PAD)


@pytest.mark.parametrize("why", OTHERS)
def test_what_answers_otherwise_is_one_sentence(why):
    torch.manual_seed(0)
    model = OTHERS[why]().eval()
    with pytest.raises(PlaygroundError, match=f"{model.config.model_type} family|layers of kind"):
        check_stepwise(model, IDS, PAD)


def test_weights_that_burst_are_told_where_they_are_computed_with():
    model = tiny.gpt2()
    torch.nn.init.constant_(model.transformer.h[0].mlp.c_fc.weight, 3e38)
    check_stepwise(model, IDS, PAD)

"""Models small enough to train in a test: random weights, real architectures, the storyteller's tokenizer."""

import torch
from transformers import (
    AutoTokenizer,
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from core.language.registry import STORYTELLER

_LLAMA = {
    **{"vocab_size": 4096, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2},
    **{"num_attention_heads": 4, "num_key_value_heads": 2, "initializer_range": 0.3},
    **{"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1},
}


def tokenizer():
    return AutoTokenizer.from_pretrained(STORYTELLER)


def gpt2(seed: int = 0, context: int = 64) -> GPT2LMHeadModel:
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=4096,
        n_positions=context,
        n_embd=32,
        n_layer=2,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=1,
        initializer_range=0.3,  # far from uniform, so that a wrong mask or position shows
    )
    return GPT2LMHeadModel(config).eval()


def llama(seed: int = 0, context: int = 64) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return LlamaForCausalLM(LlamaConfig(**_LLAMA, max_position_embeddings=context)).eval()


def gemma2(seed: int = 0, context: int = 64) -> Gemma2ForCausalLM:
    """Every second layer sees but the last six tokens, and attention's logits are bent: it has no fused way."""
    torch.manual_seed(seed)
    own = {"head_dim": 8, "sliding_window": 6, "attn_logit_softcapping": 2.0, "query_pre_attn_scalar": 8}
    return Gemma2ForCausalLM(Gemma2Config(**_LLAMA, **own, max_position_embeddings=context)).eval()


def qwen3(seed: int = 0, context: int = 64) -> Qwen3ForCausalLM:
    """Heads together are wider than the stream, and each head's queries and keys are normed by weights far from 1."""
    torch.manual_seed(seed)
    model = Qwen3ForCausalLM(Qwen3Config(**_LLAMA, head_dim=16, max_position_embeddings=context)).eval()
    for name, weight in model.named_parameters():
        if name.endswith(("q_norm.weight", "k_norm.weight")):
            torch.nn.init.uniform_(weight, 0.5, 2.0)
    return model


OPENED = {"gpt2": gpt2, "llama": llama, "qwen3": qwen3}  # whose inside the program knows
FAMILIES = OPENED | {"gemma2": gemma2}
PROMPTS = ["Once", "One day, a dog named Rex ran to the big park", "The sun was hot.", 'She said, "I like']


def padding_mask(side: str) -> torch.Tensor:
    """Three rows of twelve tokens, of which 0, 4 and 9 are padding on the left or the right."""
    mask = torch.ones(3, 12, dtype=torch.long)
    for row, padding in enumerate((0, 4, 9)):
        mask[row, :padding] = 0
    return mask if side == "left" else mask.flip(-1)

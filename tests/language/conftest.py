import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from tests.language.byte_models import byte_tokenizer


@pytest.fixture
def make_folder(tmp_path):
    """A folder of a tiny GPT-2 with random weights; keyword arguments go to its tokenizer."""

    def make(name="model", special=("<|endoftext|>",), dtype=torch.float32, **parts):
        tokenizer = byte_tokenizer(special, **parts)
        torch.manual_seed(0)
        end = tokenizer.eos_token_id
        config = GPT2Config(
            vocab_size=len(tokenizer),
            n_positions=64,
            n_embd=16,
            n_layer=2,
            n_head=2,
            bos_token_id=end,
            eos_token_id=end,
        )
        GPT2LMHeadModel(config).to(dtype).save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
        return tmp_path / name

    return make

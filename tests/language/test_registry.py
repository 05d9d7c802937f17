"""Policies: what is listed, what is refused, and what a loaded one promises."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPTJConfig,
    GPTJForCausalLM,
    OpenAIGPTConfig,
    OpenAIGPTLMHeadModel,
)

from core import paths
from core.errors import PlaygroundError
from core.language import folders, registry
from core.language.context import context_of
from tests.language.byte_models import TURNS

ROOT = Path(__file__).parents[2]

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


def test_an_added_token_is_never_likely_where_the_output_layer_has_a_bias(make_folder):
    folder = make_folder()
    config = GPTJConfig(vocab_size=257, n_positions=64, n_embd=16, n_layer=2, n_head=2, rotary_dim=4, eos_token_id=256)
    made = GPTJForCausalLM(config)
    torch.nn.init.constant_(made.lm_head.bias, -9.0)  # beside which a bias of 0 is a favourite
    made.save_pretrained(folder)
    model, tokenizer = registry.load_policy(str(folder))
    with torch.no_grad():
        chance = model(torch.arange(9)[None]).logits.softmax(-1)[..., tokenizer.pad_token_id]
    assert tokenizer.pad_token_id == 257 and chance.max() < 1 / 257 * 1.5


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


@pytest.mark.parametrize(
    "said", [{"architectures": ["BertForMaskedLM"]}, {"architectures": ["T5Model"], "is_encoder_decoder": True}]
)
def test_what_does_not_write_a_text_from_its_beginning_on_is_no_policy(make_folder, said):
    folder = make_folder()
    content = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(content | said))
    refuse(folder, f"no causal language model.*{said['architectures'][0]}")


def test_a_model_that_answers_otherwise_token_by_token_is_not_opened(make_folder):
    folder = make_folder()
    tokens = AutoTokenizer.from_pretrained(folder)
    config = OpenAIGPTConfig(vocab_size=len(tokens), n_embd=16, n_layer=2, n_head=2)
    OpenAIGPTLMHeadModel(config).save_pretrained(folder)
    with pytest.raises(PlaygroundError, match="openai-gpt family cannot be asked for one token after another"):
        registry.load_policy(str(folder))


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
    refuse(folder, "not a whole safetensors file")
    (folder / "model.safetensors").write_bytes(b"")
    refuse(folder, "not a whole safetensors file")
    (folder / "config.json").write_text("{")
    refuse(folder, "cannot be read as JSON")


def test_weights_that_are_missing_or_no_numbers_are_not_made_up(make_folder):
    """transformers fills what is missing with random numbers, others each time, and says so in a warning alone."""
    folder = make_folder()
    weights = load_file(folder / "model.safetensors")
    name = next(one for one in weights if one.endswith("h.0.mlp.c_fc.weight"))
    save_file(
        {key: value for key, value in weights.items() if key != name}, folder / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(PlaygroundError, match="h.0.mlp.c_fc.weight is not among its weights"):
        registry.load_policy(str(folder))
    weights[name][0, 0] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(PlaygroundError, match="no numbers"):
        registry.load_policy(str(folder))


def test_weights_that_the_model_would_compute_without_are_told(make_folder):
    """transformers leaves out what it has no place for: half of a model, for one, and says so in a warning alone."""
    folder = make_folder()
    weights = load_file(folder / "model.safetensors")
    file = folder / "config.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"n_layer": 1}))
    with pytest.raises(PlaygroundError, match=r"transformer.h.1.attn.c_attn.weight is among its weights, and a GPT2LM"):
        registry.load_policy(str(folder))
    file.write_text(json.dumps(content))
    others = {"v_head.summary.weight": torch.zeros(1, 16), "transformer.h.0.attn.masked_bias": torch.zeros(1)}
    save_file(weights | others, folder / "model.safetensors", {"format": "pt"})
    registry.load_policy(str(folder))  # a value head's, and a buffer of older versions
    save_file(weights | {"lm_head.bias": torch.ones(257)}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(PlaygroundError, match="lm_head.bias is among its weights"):
        registry.load_policy(str(folder))


def test_an_output_layer_stored_beside_the_embedding_stays_apart_when_rows_are_added(make_folder, tmp_path):
    folder = make_folder()
    weights = load_file(folder / "model.safetensors")
    apart = weights["transformer.wte.weight"].roll(1, 0) * 2
    save_file(weights | {"lm_head.weight": apart}, folder / "model.safetensors", {"format": "pt"})
    assert json.loads((folder / "config.json").read_text()).get("tie_word_embeddings", True)
    ids = torch.arange(8)[None]
    plain = AutoModelForCausalLM.from_pretrained(folder).eval()(ids).logits
    model, tokenizer = registry.load_policy(str(folder))
    assert len(tokenizer) == 258
    torch.testing.assert_close(model(ids).logits[..., :257], plain)
    model.save_pretrained(tmp_path / "saved")
    torch.testing.assert_close(AutoModelForCausalLM.from_pretrained(tmp_path / "saved")(ids).logits[..., :257], plain)


def test_a_token_whose_number_lies_behind_a_gap_has_a_row(make_folder):
    folder = make_folder()
    whole = json.loads((folder / "tokenizer.json").read_text())
    whole["model"]["vocab"]["<|far|>"] = 300
    whole["added_tokens"].append(whole["added_tokens"][0] | {"id": 300, "content": "<|far|>"})
    (folder / "tokenizer.json").write_text(json.dumps(whole))
    model, tokenizer = registry.load_policy(str(folder))
    assert tokenizer("<|far|>")["input_ids"] == [300]
    assert model.get_input_embeddings().weight.shape[0] == 301


def test_a_context_that_is_none_is_not_taken_for_one(make_folder):
    folder = make_folder()
    model, _ = registry.load_policy(str(folder))
    model.config.n_positions = -1
    assert context_of(model) == 1024


def test_what_config_json_says_wrong_is_not_laid_on_the_tokenizer(make_folder):
    folder = make_folder()
    content = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(content | {"n_layer": "two"}))
    with pytest.raises(PlaygroundError, match="as a language model .*'n_layer': TypeError.*expected int, got str"):
        registry.load_policy(str(folder))


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
    assert (infos[0].context, infos[2].context) == (256, None)  # of one that is not here it is not known
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


def test_policies_added_at_once_are_all_kept(make_folder):
    folders_of = [str(make_folder(f"model-{n}")) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(registry.add_policy, folders_of))
    assert {Path(folder).resolve() for folder in folders_of} <= {Path(one.id) for one in registry.list_policies()}


def test_a_tokenizer_of_another_model_is_told(make_folder):
    folder, other = make_folder("small"), make_folder("other", special=("<|endoftext|>", "<|more|>"))
    file = other / "tokenizer.json"
    whole = json.loads(file.read_text())
    whole["model"]["vocab"] |= {f"word{n}": len(whole["model"]["vocab"]) + n + 2 for n in range(40)}
    (folder / "tokenizer.json").write_text(json.dumps(whole))
    with pytest.raises(
        PlaygroundError, match=r"numbers its tokens up to 295 and its weights know 257 of them, from 0: they are not"
    ):
        registry.load_policy(str(folder))


# --- chat


@pytest.mark.parametrize(("stops", "end"), [([256, 257], "<|end|>"), ([256], "<|endoftext|>"), (256, "<|endoftext|>")])
def test_a_chat_policys_answer_ends_where_its_template_and_its_folder_end_it(make_folder, stops, end):
    """As Gemma and Phi 3 are published: the tokenizer's end token is that of documents."""
    folder = make_folder("chat", special=("<|endoftext|>", "<|end|>"), chat_template=TURNS)
    file = folder / "generation_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"eos_token_id": stops}))
    _, tokenizer = registry.load_policy(str(folder))
    assert tokenizer.eos_token == end
    assert tokenizer.pad_token != end


def test_a_chat_prompt_becomes_a_turn_once(make_folder):
    chat = registry.load_tokenizer(str(make_folder("chat", chat_template=TURNS)))
    turn = registry.apply_chat_template(chat, "Hi {{there}}")
    assert turn == "<|user|>Hi {{there}}<|end|><|bot|>"
    assert registry.apply_chat_template(chat, turn) == turn
    plain = registry.load_tokenizer(str(make_folder("plain")))
    assert not registry.is_chat(plain)
    assert registry.apply_chat_template(plain, "Hi") == "Hi"

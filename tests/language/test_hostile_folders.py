"""A model's folder that was made to do harm, or is broken in any way: refused in one sentence, and nothing of it runs."""

import json
import os
import pickle
import shutil
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers.utils import logging

from core.alignment.reward_folders import load_reward_model, save_reward_model
from core.alignment.reward_model import Normalisation, new_reward_model
from core.errors import PlaygroundError
from core.language import registry
from core.language.folders import count_parameters
from tests import tiny

IN_ONE_FOLDER = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
CONFIG = ("architectures", "model_type", "n_embd", "n_head", "n_layer", "n_positions", "vocab_size", "id2label",
          "num_labels", "pad_token_id", "activation_function", "torch_dtype", "quantization_config")  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 64) | st.just(10**40) | st.text(max_size=5) | st.just("gpt2"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(CONFIG), inner, max_size=2),
    max_leaves=3,
)


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> dict[str, Path]:
    """A policy and a reward model that open."""
    folder = tmp_path_factory.mktemp("good")
    tiny.gpt2().save_pretrained(folder / "policy")
    tiny.tokenizer().save_pretrained(folder / "policy")
    save_reward_model(
        new_reward_model(tiny.gpt2(), tiny.tokenizer()), tiny.tokenizer(), Normalisation(), folder / "reward"
    )
    return {"policy": folder / "policy", "reward": folder / "reward"}


def opened(kind: str, folder: Path) -> str:
    """What opening it says; "" where it opens."""
    try:
        registry.load_policy(str(folder)) if kind == "policy" else load_reward_model(folder)
    except PlaygroundError as error:
        return one_sentence(error)
    return ""


def one_sentence(error: PlaygroundError) -> str:
    assert 0 < len(str(error)) < 700, "an error that fills the page"
    return str(error)


def spoilt(good: Path, target: Path, name: str, content: bytes) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(good, target)
    (target / name).write_bytes(content)
    return target


@pytest.mark.parametrize("kind", ["policy", "reward"])
def test_any_value_of_a_setting_opens_or_is_one_sentence(tmp_path, good, kind):
    config = json.loads((good[kind] / "config.json").read_text())

    @IN_ONE_FOLDER
    @given(st.dictionaries(st.sampled_from(CONFIG), values, min_size=1, max_size=2))
    @example({"architectures": [5]})
    @example({"architectures": 5})
    @example({"id2label": 5})
    @example({"n_head": 0})
    @example({"n_embd": -1})
    @example({"model_type": "no-such-model"})
    def check(changes):
        opened(kind, spoilt(good[kind], tmp_path / "model", "config.json", json.dumps(config | changes).encode()))

    check()


@pytest.mark.parametrize("kind", ["policy", "reward"])
@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors", "generation_config.json"]
)
@pytest.mark.parametrize("content", [b"", b"[]", b"[1]", b"{", b"null", b"\xff\xfe{}", b"[" * 100_000, b"\x80\x04."])
def test_any_file_of_it_spoilt_is_one_sentence(tmp_path, good, kind, name, content):
    told = opened(kind, spoilt(good[kind], tmp_path / "model", name, content))
    assert told or name in ("tokenizer_config.json", "generation_config.json")


@IN_ONE_FOLDER
@given(st.binary(max_size=40), st.none() | st.integers(0, 2**64 - 1), values)
@example(b"", 2**62, None)
@example(b"", None, {"a": {"shape": 5}})
@example(b"", None, {"a": {"shape": ["x"]}})
def test_any_header_of_weights_is_counted_or_one_sentence(tmp_path, content, length, header):
    text = json.dumps(header).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + content)
    try:
        assert count_parameters([path]) >= 0 or header
    except PlaygroundError as error:
        assert "not a whole safetensors file" in str(error)  # noqa: PT017 - either may be


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("kind", ["policy", "reward"])
def test_neither_pickles_nor_code_of_a_model_ever_run(tmp_path, good, kind):
    mark, folder = tmp_path / "ran", tmp_path / "model"
    shutil.copytree(good[kind], folder)
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt", "model.pkl"):
        (folder / name).write_bytes(pickle.dumps(Bomb(mark)))
    harm = f"import pathlib\npathlib.Path({str(mark)!r}).touch()\nfrom transformers import GPT2LMHeadModel as Own"
    for name in ("modeling_own.py", "tokenization_own.py", "configuration_own.py", "custom_generate.py"):
        (folder / name).write_text(harm)
    assert opened(kind, folder) == ""  # the safetensors file beside them is what is opened
    (folder / "model.safetensors").unlink()
    assert opened(kind, folder)  # and without it nothing is
    shutil.copy(good[kind] / "model.safetensors", folder)
    for name in ("config.json", "tokenizer_config.json"):
        whole = (folder / name).read_text()
        own = {
            "AutoModelForCausalLM": "modeling_own.Own",
            "AutoTokenizer": ["tokenization_own.Own", None],
            "AutoConfig": "configuration_own.Own",
        }
        (folder / name).write_text(json.dumps(json.loads(whole) | {"auto_map": own}))
        assert "its own code (auto_map)" in opened(kind, folder)
        (folder / name).write_text(whole)
    assert not mark.exists()


@pytest.mark.parametrize(
    "template",
    [
        "{% for",
        "{{ 1 / 0 }}",
        "nothing",
        "{{ messages[0].content }}{{ messages[0].content }}",
        "{{ ''.__class__.__mro__ }}",
    ],
)
def test_a_chat_template_that_fails_is_one_sentence(template):
    tokenizer = tiny.tokenizer()
    tokenizer.chat_template = template
    with pytest.raises(PlaygroundError, match="chat template cannot be used for one question"):
        registry.apply_chat_template(tokenizer, "Hello")


def test_an_index_that_leads_out_of_the_folder_opens_nothing_there(tmp_path, good):
    folder, elsewhere = tmp_path / "model", tmp_path / "elsewhere.safetensors"
    shutil.copytree(good["policy"], folder)
    shutil.move(folder / "model.safetensors", elsewhere)
    (folder / "other.safetensors").write_bytes(elsewhere.read_bytes())
    names = dict.fromkeys(tiny.gpt2().state_dict(), "../elsewhere.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))
    assert "leads out of the folder" in opened("policy", folder)
    shutil.copy(elsewhere, folder / "model-1.safetensors")
    names = dict.fromkeys(names, "model-1.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))
    assert opened("policy", folder) == ""  # an index as it should be
    names["lm_head.weight"] = "shard.bin"
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))
    (folder / "shard.bin").write_bytes(b"")
    assert "not safetensors, and may run code" in opened("policy", folder)


@pytest.mark.parametrize("kind", ["policy", "reward"])
def test_weights_that_a_config_may_lead_to_are_refused(tmp_path, good, kind):
    folder = tmp_path / "model"
    shutil.copytree(good[kind], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "adapter_model.bin").write_bytes(b"")
    pointing = {"transformers_weights": "adapter_model.bin"}
    aliased = {"attribute_map": {"mine": "transformers_weights"}, "mine": "adapter_model.bin"}
    for more in (pointing, aliased, {"text_config": pointing}):
        (folder / "config.json").write_text(json.dumps(config | more))
        assert "may lead to weights unchecked here" in opened(kind, folder)
    (folder / "config.json").write_text(json.dumps(config))
    assert opened(kind, folder) == ""  # the pickle alone is not looked at
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": "gpt2"}))
    assert "holds adapters beside its model" in opened(kind, folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
@pytest.mark.parametrize("kind", ["policy", "reward"])
@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "more/chat_template.jinja"]
)
def test_a_pipe_for_a_file_is_told_and_never_waited_for(tmp_path, good, kind, name):
    folder = tmp_path / "model"
    shutil.copytree(good[kind], folder)
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    assert opened(kind, folder) == f"{path} is not a regular file"


@pytest.mark.parametrize("kind", ["policy", "reward"])
@pytest.mark.parametrize(
    "claim", [{"n_layer": 10**6}, {"num_hidden_layers": 10**40}, {"n_embd": 10**9}, {"vocab_size": 10**9}]
)
def test_sizes_that_the_weights_do_not_have_are_refused_before_anything_is_built(
    tmp_path, good, kind, claim, monkeypatch
):
    monkeypatch.setattr("transformers.AutoConfig.from_pretrained", lambda *_, **__: pytest.fail("went on to build"))
    config = json.loads((good[kind] / "config.json").read_text())
    for changes in (claim, {"text_config": claim}):
        told = opened(
            kind, spoilt(good[kind], tmp_path / "model", "config.json", json.dumps(config | changes).encode())
        )
        assert f"config.json says {next(iter(claim))} 10000" in told


def test_tensors_without_bytes_make_no_claim_fit(tmp_path, good):
    folder = tmp_path / "model"
    shutil.copytree(good["policy"], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"n_embd": 10**9}))
    for shape, told in (
        ([10**9, 0], "config.json says n_embd"),
        ([10**9], "not a whole"),
        ([10**9, -1], "not a whole"),
    ):
        header = json.dumps({"decoy": {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}}).encode()
        (folder / "decoy.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
        assert told in opened("policy", folder)


def test_weights_of_another_shape_are_named_and_nothing_else_is_printed(tmp_path, good, caplog):
    before = logging.get_verbosity()
    config = json.loads((good["policy"] / "config.json").read_text())
    spoilt(good["policy"], tmp_path / "model", "config.json", json.dumps(config | {"n_positions": 7}).encode())
    told = opened("policy", tmp_path / "model")
    assert "transformer.wpe.weight has the shape" in told
    assert "needs [7, " in told
    weights = load_file(good["policy"] / "model.safetensors")
    del weights["transformer.ln_f.weight"]
    shutil.copy(good["policy"] / "config.json", tmp_path / "model")
    save_file(weights, tmp_path / "model" / "model.safetensors", metadata={"format": "pt"})
    assert "transformer.ln_f.weight is not among its weights" in opened("policy", tmp_path / "model")
    assert not caplog.records  # the table of transformers' LOAD REPORT is a warning
    assert logging.get_verbosity() == before

"""Folders that are no reward model, not a whole one, or one that would score wrongly: each refused by name."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.alignment.reward_folders import load_reward_model, save_reward_model
from core.alignment.reward_model import Normalisation
from core.errors import PlaygroundError
from tests import tiny
from tests.alignment.test_reward_model import reward_model


def test_a_folder_that_is_no_reward_model_is_named(tmp_path):
    with pytest.raises(PlaygroundError, match="no reward model here"):
        load_reward_model(tmp_path)
    save_reward_model(reward_model(), tiny.tokenizer(), Normalisation(), tmp_path / "reward")
    config = json.loads((tmp_path / "reward" / "config.json").read_text())
    config["id2label"] = {"0": "a", "1": "b"}
    (tmp_path / "reward" / "config.json").write_text(json.dumps(config))
    with pytest.raises(PlaygroundError, match="exactly one label"):
        load_reward_model(tmp_path / "reward")


def test_a_policy_and_weights_that_are_missing_or_no_numbers_are_refused(tmp_path):
    tiny.gpt2().save_pretrained(tmp_path / "policy")
    tiny.tokenizer().save_pretrained(tmp_path / "policy")
    with pytest.raises(PlaygroundError, match=r"no reward model: it has no score head"):
        load_reward_model(tmp_path / "policy")
    folder = tmp_path / "reward"
    save_reward_model(reward_model(), tiny.tokenizer(), Normalisation(), folder)
    weights = load_file(folder / "model.safetensors")
    name = next(one for one in weights if one.endswith("ln_f.weight"))
    save_file(
        {key: value for key, value in weights.items() if key != name}, folder / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(PlaygroundError, match="ln_f.weight is not among its weights"):
        load_reward_model(folder)
    weights[name][0] = float("inf")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(PlaygroundError, match="ln_f.weight holds values that are no numbers"):
        load_reward_model(folder)


@pytest.mark.parametrize(
    "given", ['{"sd": -1}', '{"sd": 0}', '{"mean": NaN}', '{"mean": "1"}', '{"sd": null}', '{"x": 1}']
)
def test_a_normalisation_that_would_turn_the_reward_round_or_make_it_none_is_refused(tmp_path, given):
    save_reward_model(reward_model(), tiny.tokenizer(), Normalisation(), tmp_path / "reward")
    (tmp_path / "reward" / "normalisation.json").write_text(given)
    with pytest.raises(PlaygroundError, match=r"normalisation\.json"):
        load_reward_model(tmp_path / "reward")


def test_a_tokenizer_that_does_not_fit_its_weights_is_refused_and_the_classifiers_pad_token_is_used(tmp_path):
    folder = tmp_path / "reward"
    save_reward_model(reward_model(), tiny.tokenizer(), Normalisation(), folder)
    expected = load_reward_model(folder).rate(["A cat", "The"], [" sat on the mat.", " end"])[0]
    other = tiny.tokenizer()
    other.pad_token = other.eos_token
    other.save_pretrained(folder)
    torch.testing.assert_close(
        load_reward_model(folder).rate(["A cat", "The"], [" sat on the mat.", " end"])[0], expected
    )
    other.add_tokens(["<new>"])
    other.save_pretrained(folder)
    with pytest.raises(PlaygroundError, match="its tokenizer knows"):
        load_reward_model(folder)
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(PlaygroundError, match="reward"):
        load_reward_model(folder)

"""Every model and checkpoint by its id: the storyteller's past, a run's weights, adapters; ids from a hostile URL."""

import os
import shutil

import pytest
import torch

from core import paths
from core.anatomy.specimens import STAGES, list_specimens, open_specimen, specimen, written_at
from core.errors import PlaygroundError
from core.language import adapters
from core.language.registry import STORYTELLER, load_policy
from core.language.snapshots import open_snapshot, save_snapshot
from core.runs.jobs import job_from
from core.runs.shelf import Shelf
from core.runs.store import RunStore
from tests import tiny


def a_run(model="storyteller"):
    return RunStore().create(job_from("ppo", {"model": model, "reward_model": str(STORYTELLER)}))


def test_the_list_holds_the_ready_policies_and_the_storytellers_past():
    found = {one.id: one for one in list_specimens()}
    assert {"storyteller", "storyteller@start", "storyteller@1%"} <= set(found)
    assert found["storyteller@1%"].reference == "storyteller"
    assert found["storyteller"].reference is None


def test_the_storyteller_at_its_start_is_random_and_at_one_percent_in_between():
    weights = [
        open_specimen(one)[0].transformer.wte.weight.detach()
        for one in ("storyteller@start", "storyteller@1%", "storyteller")
    ]
    way = [float((weight - weights[2]).norm()) for weight in weights]
    assert way[0] > way[1] > 0
    again = open_specimen("storyteller@start")[0].transformer.wte.weight.detach()
    torch.testing.assert_close(weights[0], again)  # the same beginning every time


def test_a_checkpoint_of_a_run_opens_with_its_weights_and_knows_its_reference():
    run = a_run()
    model, _ = load_policy("storyteller")
    with torch.no_grad():
        model.transformer.wte.weight[7] += 1
    Shelf(run.folder).keep_weights(12, lambda folder: save_snapshot(model, folder))
    name = f"{run.id}@12"
    assert name in {one.id for one in list_specimens()}
    assert specimen(name).reference == "storyteller"
    opened, tokenizer = open_specimen(name)
    torch.testing.assert_close(opened.transformer.wte.weight, model.transformer.wte.weight)
    assert opened.dtype == torch.float32 and not opened.training
    assert len(tokenizer) == 4096


def test_adapters_alone_are_saved_and_come_back_merged(tmp_path, monkeypatch):
    monkeypatch.setattr(adapters, "LORA_FROM", 1)
    base, _ = load_policy("storyteller")
    tuned = adapters.with_adapters(base, rank=2, task="CAUSAL_LM", seed=0)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
    save_snapshot(tuned, tmp_path / "weights")
    assert (tmp_path / "weights" / "adapter_config.json").exists()
    assert sum(file.stat().st_size for file in (tmp_path / "weights").iterdir()) < 1e6
    opened, _ = open_snapshot(tmp_path / "weights", "storyteller")
    ids = torch.tensor([[5, 9, 200]])
    with torch.no_grad():
        torch.testing.assert_close(opened(ids).logits, tuned.eval()(ids).logits, atol=1e-4, rtol=1e-4)
        assert (opened(ids).logits - load_policy("storyteller")[0](ids).logits).abs().max() > 1e-2
    assert not any("lora" in name for name, _ in opened.named_parameters())


@pytest.mark.parametrize("damage", ["gone", "half", "no weights", "no configuration"])
def test_weights_that_are_not_whole_are_named(tmp_path, damage):
    folder = tmp_path / "weights"
    save_snapshot(load_policy("storyteller")[0], folder)
    if damage == "gone":
        shutil.rmtree(folder)
    elif damage == "half":
        file = folder / "model.safetensors"
        file.write_bytes(file.read_bytes()[:1000])
    else:
        (folder / {"no weights": "model.safetensors", "no configuration": "config.json"}[damage]).unlink()
    with pytest.raises(PlaygroundError, match="cannot be opened"):
        open_snapshot(folder, "storyteller")


@pytest.mark.parametrize(
    "name",
    ["", "@", "@3", "../../etc@1", "/etc/passwd@1", "..@1", "storyteller@2%", "storyteller@", "nobody@7", "nobody@-1",
     "nobody@1e3", "nobody@²", "a/b@1", "storyteller@start@3", "no such thing", "\x00@1", "<b>@1"],
)  # fmt: skip
def test_hostile_ids_are_refused_in_a_sentence(name):
    with pytest.raises(PlaygroundError):
        specimen(name)
    with pytest.raises(PlaygroundError):
        open_specimen(name)


def test_weights_beside_the_runs_are_none_of_a_run():
    """What the id would lead to is there, and whole: the id itself is what is refused."""
    a_run()
    outside = paths.home() / "elsewhere"
    save_snapshot(load_policy("storyteller")[0], outside / "weights" / "00000001")
    for name in ("../elsewhere@1", f"{outside}@1"):
        with pytest.raises(PlaygroundError, match="name of no run"):
            specimen(name)


def test_a_step_that_a_run_has_not_kept_is_refused():
    run = a_run()
    with pytest.raises(PlaygroundError, match="no saved weights"):
        specimen(f"{run.id}@3")


@pytest.mark.parametrize("place", ["anna@school.example/data/policy", "anna@school.example", "2@3/policy"])
def test_a_policy_in_a_folder_with_an_at_sign_is_no_checkpoint(tmp_path, place):
    """Such is the home folder of whoever signs in on a machine as anna@school.example."""
    folder = tmp_path / place
    tiny.gpt2().save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    assert specimen(str(folder)).id == str(folder)
    assert written_at(str(folder)) > 0
    assert open_specimen(str(folder))[0].num_parameters() == tiny.gpt2().num_parameters()


def test_weights_that_are_replaced_are_newer(tmp_path):
    folder = tmp_path / "policy"
    for seed, at in ((0, 10), (1, 20)):
        tiny.gpt2(seed=seed).save_pretrained(folder)
        tiny.tokenizer().save_pretrained(folder)
        os.utime(folder / "model.safetensors", ns=(at, at))
        assert written_at(str(folder)) == at
    assert {written_at(stage) for stage in STAGES} == {0}

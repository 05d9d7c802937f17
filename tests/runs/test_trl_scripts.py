"""TRL scripts: run as they are against stand-ins for TRL's classes, which say what they were given."""

import json
import runpy
import shutil
import sys
import types
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GPTNeoXConfig, GPTNeoXForCausalLM

from core.alignment.configs import DPOConfig, PPOConfig, RewardConfig
from core.alignment.cross_examination.run_pairs import taught, write_run_pairs
from core.alignment.reward_folders import save_reward_model
from core.alignment.reward_model import Normalisation, new_reward_model
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.record import Record
from core.runs.jobs import DPOJob, PPOJob, RaceJob, RewardJob
from core.runs.journal import Journal
from core.runs.trl_scripts import export_trl
from tests import tiny

PAIRS = [PreferencePair(f"Day {i}:", f" a happy day {i}", f" a sad day {i}", margin=1.0 + i) for i in range(20)]


@pytest.fixture
def trl(monkeypatch):
    """A module `trl` whose configs are dicts, and whose trainers remember what they were made with."""
    made = types.ModuleType("trl")
    made.trainers = []

    class Trainer:
        def __init__(self, **given):
            made.trainers.append(self)
            self.given, self.trained, self.saved = given, False, False

        def train(self):
            self.trained = True

        def save_model(self):
            self.saved = self.trained

    for name in ("Reward", "DPO", "RLOO"):
        setattr(made, f"{name}Config", dict)
        setattr(made, f"{name}Trainer", Trainer)
    monkeypatch.setitem(sys.modules, "trl", made)
    return made


def executed(trl, script):
    runpy.run_path(str(script), run_name="__main__")
    trainer = trl.trainers[-1]
    assert trainer.saved
    return trainer.given


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "tiny"
    tiny.gpt2().save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def reward_run(store, model):
    config = RewardConfig(epochs=3, batch_pairs=4, learning_rate=2e-4, warmup_share=0.25, max_tokens=48, seed=7)
    run = store.create(RewardJob(preferences=("votes",), model=str(model), reward=config), queued=False)
    write_run_pairs(run.folder, taught(PAIRS, "votes"))
    return run


@pytest.fixture
def ppo_run(store, model, tmp_path):
    judge = new_reward_model(tiny.gpt2(seed=5), tiny.tokenizer())
    torch.nn.init.normal_(judge.score.weight, generator=torch.Generator().manual_seed(0))
    save_reward_model(judge, tiny.tokenizer(), Normalisation(0.25, 1.5, "tiny"), tmp_path / "judge")
    config = PPOConfig(
        updates=5, rollout_batch=12, minibatches=5, epochs=2, max_new_tokens=9, temperature=0.7, learning_rate=3e-5,
        kl_coef=0.08, cliprange=0.3, grad_clip=0.5, lr_schedule="linear", seed=11,
    )  # fmt: skip
    (tmp_path / "prompts.txt").write_text("Once\nOne day\nThe sun\n")
    job = PPOJob(
        model=str(model), reward_model=str(tmp_path / "judge"), prompts=str(tmp_path / "prompts.txt"), ppo=config
    )
    return store.create(job, queued=False)


def test_the_reward_script_has_the_runs_settings_and_pairs(trl, reward_run, tmp_path):
    out = tmp_path / "out"
    files = export_trl(reward_run, out)
    assert [file.name for file in files] == ["dpo.py", "heldout.jsonl", "model", "preferences.jsonl", "reward.py"]
    given = executed(trl, out / "reward.py")
    steps = 5 * 3  # 18 pairs in batches of 4, three times
    expected = {
        "num_train_epochs": 3, "per_device_train_batch_size": 4, "learning_rate": 2e-4, "max_length": 48, "seed": 7,
        "warmup_steps": round(steps * 0.25), "max_grad_norm": 1.0, "weight_decay": 0.01,
    }  # fmt: skip
    assert expected.items() <= given["args"].items()
    assert (len(given["train_dataset"]), len(given["eval_dataset"])) == (18, 2)
    assert set(given["train_dataset"].column_names) == {"prompt", "chosen", "rejected", "margin"}
    assert not set(given["train_dataset"]["prompt"]) & set(given["eval_dataset"]["prompt"])
    assert given["model"].score.weight.eq(0).all() and given["model"].config.num_labels == 1
    assert given["peft_config"] is None


def test_a_pair_without_a_margin_has_none_to_reach(store, model, tmp_path):
    config = RewardConfig(heldout_share=0)
    run = store.create(RewardJob(preferences=("votes",), model=str(model), reward=config), queued=False)
    mixed = [replace(pair, margin=pair.margin if i % 2 else None) for i, pair in enumerate(PAIRS)]
    write_run_pairs(run.folder, taught(mixed, "votes"))
    export_trl(run, tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out" / "preferences.jsonl").read_text().splitlines()]
    assert [row["margin"] for row in rows] == [pair.margin or 0.0 for pair in mixed]


def test_the_dpo_script_learns_from_the_same_pairs(trl, reward_run, tmp_path):
    export_trl(reward_run, tmp_path / "out")
    given = executed(trl, tmp_path / "out" / "dpo.py")
    expected = {"num_train_epochs": 3, "per_device_train_batch_size": 4, "beta": 0.1, "max_length": 48, "seed": 7}
    assert expected.items() <= given["args"].items()
    assert len(given["train_dataset"]) == 18


def test_a_dpo_run_has_a_script_of_its_own_settings(trl, store, model, tmp_path):
    config = DPOConfig(beta=0.3, epochs=2, batch_pairs=6, learning_rate=3e-5, max_tokens=40, seed=9)
    run = store.create(DPOJob(preferences=("votes",), model=str(model), heldout_share=0.2, dpo=config), queued=False)
    write_run_pairs(run.folder, taught(PAIRS, "votes"))
    files = export_trl(run, tmp_path / "out")
    assert [file.name for file in files] == ["dpo.py", "heldout.jsonl", "model", "preferences.jsonl"]
    given = executed(trl, tmp_path / "out" / "dpo.py")
    expected = {
        "num_train_epochs": 2, "per_device_train_batch_size": 6, "beta": 0.3, "max_length": 40, "seed": 9,
        "learning_rate": 3e-5, "warmup_steps": round(3 * 2 * 0.1),
    }  # fmt: skip
    assert expected.items() <= given["args"].items()
    assert len(given["train_dataset"]) == 16


def test_the_rloo_script_has_the_runs_settings_and_pays_its_score(trl, ppo_run, tmp_path):
    out = tmp_path / "out"
    export_trl(ppo_run, out)
    shutil.rmtree(tmp_path / "judge")  # whole: it needs nothing but its folder
    shutil.rmtree(tmp_path / "tiny")
    given = executed(trl, out / "rloo.py")
    expected = {
        "learning_rate": 3e-5, "beta": 0.08, "epsilon": 0.3, "temperature": 0.7, "max_completion_length": 9,
        "max_grad_norm": 0.5, "lr_scheduler_type": "linear", "seed": 11, "num_iterations": 2, "num_generations": 4,
        "generation_batch_size": 12, "per_device_train_batch_size": 3, "max_steps": 5 * 4 * 2,
    }  # fmt: skip
    assert expected.items() <= given["args"].items()
    assert "gamma 1.0" in (out / "rloo.py").read_text()
    assert sorted(given["train_dataset"]["prompt"]) == ["Once", "One day"]  # the third is held out
    from core.alignment.reward_folders import load_reward_model

    prompts, texts = ["Once", "The sun was"], [" upon a time", " hot, and it was a long day"]
    _, scores = load_reward_model(out / "reward_model").rate(prompts, texts)
    assert given["reward_funcs"](prompts=prompts, completions=texts) == pytest.approx(scores.tolist(), abs=1e-4)


def test_a_large_model_has_its_adapters(trl, reward_run, ppo_run, tmp_path, monkeypatch):
    monkeypatch.setattr("core.runs.trl_scripts.is_large", lambda model: True)
    export_trl(reward_run, tmp_path / "a")
    export_trl(ppo_run, tmp_path / "b")
    for script, task, saved in (("a/reward.py", "SEQ_CLS", ["score"]), ("b/rloo.py", "CAUSAL_LM", None)):
        lora = executed(trl, tmp_path / script)["peft_config"]
        assert (lora.r, lora.lora_alpha, lora.task_type, lora.modules_to_save) == (8, 16, task, saved)
        assert set(lora.target_modules) == {"c_attn"} and lora.fan_in_fan_out


def test_adapters_go_where_the_run_had_them(trl, store, tmp_path, monkeypatch):
    monkeypatch.setattr("core.runs.trl_scripts.is_large", lambda model: True)
    shape = {"vocab_size": 4096, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    GPTNeoXForCausalLM(GPTNeoXConfig(**shape, num_attention_heads=2)).save_pretrained(tmp_path / "pythia")
    tiny.tokenizer().save_pretrained(tmp_path / "pythia")
    run = store.create(DPOJob(preferences=("votes",), model=str(tmp_path / "pythia")), queued=False)
    write_run_pairs(run.folder, taught(PAIRS, "votes"))
    export_trl(run, tmp_path / "out")
    lora = executed(trl, tmp_path / "out" / "dpo.py")["peft_config"]
    assert set(lora.target_modules) == {"query_key_value"} and not lora.fan_in_fan_out


def test_a_token_without_a_row_has_one_in_what_the_scripts_begin_with(store, model, tmp_path):
    tokenizer = tiny.tokenizer()
    tokenizer.add_special_tokens({"pad_token": "<|new|>"})
    tokenizer.save_pretrained(model)
    run = store.create(DPOJob(preferences=("votes",), model=str(model)), queued=False)
    write_run_pairs(run.folder, taught(PAIRS, "votes"))
    export_trl(run, tmp_path / "out")
    written = AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "model")
    pad = AutoTokenizer.from_pretrained(tmp_path / "out" / "model").pad_token_id
    assert pad == 4096 < written.get_input_embeddings().weight.shape[0]
    plain = AutoModelForCausalLM.from_pretrained(model)
    ids = torch.arange(9)[None]
    torch.testing.assert_close(written(ids).logits[..., :4096], plain(ids).logits, atol=1e-4, rtol=1e-4)


def test_what_cannot_be_exported_leaves_nothing(store, ppo_run, tmp_path):
    race = store.create(RaceJob(), queued=False)
    with pytest.raises(PlaygroundError, match="race run"):
        export_trl(race, tmp_path / "out")
    shutil.rmtree(tmp_path / "judge")
    with pytest.raises(PlaygroundError, match="reward model"):
        export_trl(ppo_run, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(PlaygroundError, match="not empty"):
        export_trl(ppo_run, tmp_path / "full")


def test_the_command_writes_each_format(store, reward_run, tmp_path, capsys):
    from core.cli.main import main

    Journal(store.engine, reward_run.id).write(1, Record(1, {"loss": 0.7}, "reward"))
    for kind, files in (("tensorboard", 1), ("csv", 1), ("trl", 5)):
        out = tmp_path / kind
        assert main(["runs", "export", reward_run.id, "--format", kind, "--out", str(out), "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert len(answer["files"]) == files and all((out / file).exists() for file in answer["files"])
    assert main(["runs", "export", "nothing", "--format", "csv", "--out", str(tmp_path)]) == 2

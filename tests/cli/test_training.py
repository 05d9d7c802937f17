"""Training, scoring and measuring as a person types it: real processes, real files."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.runs import recorder
from core.runs.store import RunStore
from tests.cli.answers import last_json

ROOT = Path(__file__).parents[2]
TINY_PPO = ["--updates", "40", "--rollout-batch", "4", "--max-new-tokens", "6", "--minibatches", "1", "--epochs", "1"]


def plain_scores(folder, rows):
    """What plain transformers says of each row, one by one."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        texts = [tokenizer(row["prompt"] + row["response"], return_tensors="pt") for row in rows]
        return [model(**text).logits.item() for text in texts]


def test_scores_are_one_a_line_in_order(run, reward_folder, tmp_path):
    file = tmp_path / "rows.jsonl"
    rows = [{"prompt": "A", "response": " cat" * i} for i in (3, 1, 2)]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    status, out, _ = run("reward", "score", "--reward-model", reward_folder, "--input", file, "--json")
    assert status == 0
    assert last_json(out)["scores"] == pytest.approx(plain_scores(reward_folder, rows), abs=1e-2)
    file.write_text("\ufeff" + json.dumps(rows[0]), encoding="utf-8")
    assert run("reward", "score", "--reward-model", reward_folder, "--input", file, "--json")[0] == 0
    file.write_text("\n")
    assert "no rows" in run("reward", "score", "--reward-model", reward_folder, "--input", file)[2]
    file.write_text(json.dumps({"prompt": "A", "response": "\x1b]0;owned\x07 cat \x9b31m"}) + "\n")
    out = run("reward", "score", "--reward-model", reward_folder, "--input", file)[1]
    assert "\\x1b]0;owned\\x07 cat \\x9b31m" in out and not set(out) & {"\x1b", "\x07", "\x9b"}
    file.write_text('{"prompt": "A", "response": " b"}\n{"prompt": "A"}\n')
    status, _, err = run("reward", "score", "--reward-model", reward_folder, "--input", file)
    assert status == 2
    assert "line 2" in err


def test_a_reward_model_is_trained_delivered_and_measured(run, preference_file, tmp_path):
    out_folder = tmp_path / "rm"
    command = ["reward", "train", "--preferences", preference_file, "--out", out_folder, "--seed", 0, "--json"]
    status, out, err = run(*command, "--run-id", "mine")
    answer = last_json(out)
    assert status == 0
    assert {"accuracy_heldout", "log_loss_heldout", "pairs_per_second", "seconds"} <= answer.keys()
    assert "mine" in err
    assert json.loads((out_folder / "run.json").read_text())["run"] == "mine"
    shown = last_json(run("runs", "show", "mine", "--json")[1])
    assert shown["status"] == "finished"
    assert [step["step"] for step in shown["steps"]] == list(range(1, len(shown["steps"]) + 1))
    assert all({"time", "loss", "accuracy", "margin"} <= step.keys() for step in shown["steps"])
    command = ["reward", "evaluate", "--reward-model", out_folder, "--preferences", preference_file, "--json"]
    assert last_json(run(*command)[1])["pairs"] == 24

    status, _, err = run("reward", "train", "--preferences", preference_file, "--out", out_folder)
    assert (status, len(RunStore().list())) == (2, 1)  # refused before a run was made
    assert "--overwrite" in err


def test_a_folder_that_no_run_made_is_never_replaced(run, preference_file, tmp_path):
    treasure = tmp_path / "treasure" / "photo.jpg"
    treasure.parent.mkdir()
    treasure.write_text("dear")
    command = ["reward", "train", "--preferences", preference_file, "--out", treasure.parent, "--overwrite"]
    status, _, err = run(*command)
    assert status == 2
    assert "no run's results" in err
    assert treasure.read_text() == "dear"


def test_what_came_to_lie_there_while_it_trained_stays(run, preference_file, tmp_path, monkeypatch):
    thesis, execute = tmp_path / "rm" / "thesis.txt", recorder.execute

    def meanwhile(*given, **named):
        thesis.parent.mkdir()
        thesis.write_text("dear")
        return execute(*given, **named)

    monkeypatch.setattr(recorder, "execute", meanwhile)
    command = ["reward", "train", "--preferences", preference_file, "--out", thesis.parent, "--run-id", "mine"]
    status, _, err = run(*command)
    assert (status, thesis.read_text()) == (2, "dear")
    assert "results are in" in err and "is not empty, and no run's results" in err
    assert (RunStore().get("mine").folder / "reward_model" / "config.json").exists()


def test_out_may_be_a_link_and_stays_one(run, preference_file, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "rm").symlink_to(tmp_path / "disk")
    assert run("reward", "train", "--preferences", preference_file, "--out", tmp_path / "rm")[0] == 0
    assert (tmp_path / "rm").is_symlink() and (tmp_path / "disk" / "config.json").exists()


def test_no_error_steers_the_terminal(run):
    for command in (["runs", "show", "\x1b[31mx"], ["reward", "train", "--preferences", "votes:\x1b]0;owned\x07"]):
        status, _, err = run(*command)
        assert status == 2 and "\\x1b" in err and not set(err) & {"\x1b", "\x07"}


def test_results_that_could_not_be_delivered_lie_ready_and_are_delivered_later(
    run, reward_folder, tmp_path, monkeypatch
):
    command = ["ppo", "train", "--reward-model", reward_folder, *TINY_PPO]
    (tmp_path / "file").write_text("")
    status, _, err = run(*command, "--out", tmp_path / "file" / "tuned")
    assert (status, RunStore().list()) == (2, []) and "is a file" in err  # before anything was trained

    def full(*_):
        raise OSError(28, "No space left on device", "model.safetensors")

    with monkeypatch.context() as patched:
        patched.setattr("core.cli.foreground.shutil.copy2", full)
        status, _, err = run(*command, "--out", tmp_path / "tuned", "--run-id", "late")
    source = RunStore().get("late").folder / "policy"
    assert status != 0 and not (tmp_path / "tuned").exists()
    assert "late has finished" in err and str(source) in err and "No space left" in err and "runs resume late" in err
    assert run("runs", "resume", "late")[0] == 0
    assert (tmp_path / "tuned" / "model.safetensors").read_bytes() == (source / "model.safetensors").read_bytes()
    status, _, err = run("runs", "resume", "late")
    assert status == 2 and f"its results are in {tmp_path / 'tuned'}" in err


def test_a_killed_run_goes_on_to_where_its_results_were_wanted(run, reward_folder, tmp_path, monkeypatch):
    """SIGKILL after the first step; `runs resume`, from another folder, completes the run and delivers --out."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rm").symlink_to(reward_folder)
    command = ["ppo", "train", "--reward-model", "rm", "--run-id", "killed", "--out", "tuned", *TINY_PPO]
    process = subprocess.Popen(
        [sys.executable, "-m", "core", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )
    store = RunStore()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (store.list() and store.steps("killed")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert store.get("killed").status == "interrupted"
    assert not (tmp_path / "tuned").exists()
    before = {step.number: step.metrics["objective/scores"] for step in store.steps("killed")}
    assert 1 <= len(before) < 40

    monkeypatch.chdir("/")
    status, out, _ = run("runs", "resume", "killed", "--json")
    assert status == 0
    assert last_json(out)["out"] == str(tmp_path / "tuned")
    assert (tmp_path / "tuned" / "model.safetensors").exists()
    steps = store.steps("killed")
    assert [step.number for step in steps] == list(range(1, 41))
    assert before.items() <= {step.number: step.metrics["objective/scores"] for step in steps}.items()


@pytest.mark.parametrize("command", [["loop"], ["reward", "train", "--preferences", "bundled:sunny"]])
def test_a_policy_that_no_reward_model_can_be_made_of_is_refused_before_a_run_is_made(run, tmp_path, command):
    from transformers import GraniteConfig, GraniteForCausalLM

    from core.language.registry import load_tokenizer

    shape = {"vocab_size": 4096, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    config = GraniteConfig(**shape, num_attention_heads=2, num_key_value_heads=2)
    GraniteForCausalLM(config).save_pretrained(tmp_path / "granite")
    load_tokenizer("storyteller").save_pretrained(tmp_path / "granite")
    status, _, err = run(*command, "--model", tmp_path / "granite")
    assert status == 2
    assert "no sequence classifier of the granite family" in err
    assert RunStore().list() == []


@pytest.mark.parametrize("prompts", [["Once"], ["Once", "One day"]])
def test_a_loop_with_too_few_prompts_is_refused_before_any_work(run, tmp_path, prompts):
    file = tmp_path / "few.txt"
    file.write_text("\n".join(prompts))
    status, _, err = run("loop", "--prompts", file)
    assert status == 2 and "few.txt" in err and "3 in a file" in err
    assert RunStore().list() == []

"""The command line as a person types it: real processes, real files."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from core.alignment.configs import LoopConfig, LoopPPOConfig
from core.cli.main import main, root
from core.cli.options import options_of, values_of
from core.language.configs import SamplingConfig
from core.runs.jobs import JOBS
from core.runs.store import RunStore

ROOT = Path(__file__).parents[1]
TINY_PPO = ["--updates", "40", "--rollout-batch", "4", "--max-new-tokens", "6", "--minibatches", "1", "--epochs", "1"]


@pytest.fixture
def run(capfd, monkeypatch):
    """Run a command in this process: (exit status, stdout, stderr)."""
    monkeypatch.setenv("TRANSFORMERS_VERBOSITY", "error")

    def call(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return status, out, err

    return call


def last_json(out: str) -> dict:
    return json.loads(out.rstrip("\n").splitlines()[-1])


@pytest.fixture
def preference_file(tmp_path):
    rows = [
        {"prompt": f"Day {i}:", "chosen": f" a happy day {i}", "rejected": f" a sad, sad day {i}"} for i in range(24)
    ]
    file = tmp_path / "prefs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture(scope="module")
def reward_folder(tmp_path_factory):
    """A reward model of plain transformers' making, with random weights on the storyteller's tokens."""
    import torch
    from transformers import GPT2Config, GPT2ForSequenceClassification

    from core.language.registry import load_tokenizer

    folder = tmp_path_factory.mktemp("rm") / "reward_model"
    tokenizer = load_tokenizer("storyteller")
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=256, n_embd=32, n_layer=2, n_head=2, num_labels=1,
        problem_type="regression", pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    GPT2ForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def every_command(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = command.commands.items() if isinstance(command, click.Group) else ()
    return [path] + [found for name, child in inner for found in every_command(child, (*path, name))]


@pytest.mark.parametrize("path", every_command(root), ids=" ".join)
def test_every_command_explains_itself(path):
    answer = CliRunner().invoke(root, [*path, "--help"], prog_name="python -m core")
    assert answer.exit_code == 0
    command = root
    for name in path:
        command = command.commands[name]
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_listing_runs_and_models_imports_no_torch():
    """The promise of `runs list|show`, `models` and every --help, held in a process of its own."""
    code = """
import sys
from core.cli.main import main
from core.runs.jobs import PairsJob
from core.runs.store import RunStore
RunStore().create(PairsJob(), run_id="mine")
for arguments in (["--help"], ["runs", "list"], ["runs", "show", "mine", "--json"], ["models"], ["preferences", "stats"]):
    assert main(arguments) == 0, arguments
heavy = {"torch", "transformers", "sklearn", "streamlit"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("generate", "--prompt"),
        ("generate --prompt x --temperature 99", "0.05<=x<=5.0"),
        ("generate --prompt x --model no/such/policy", "no/such/policy"),
        ("generate --prompt x --model gpt2", "HF_HUB_OFFLINE"),
        ("generate --prompt x --nonsense 1", "--nonsense"),
        ("no-such-command", "no-such-command"),
        ("runs show nothing", "nothing"),
        ("runs resume nothing", "nothing"),
        ("models add /no/such/folder", "/no/such/folder"),
        ("preferences import /no/such.jsonl", "/no/such.jsonl"),
        ("preferences simulate --annotator bob --out p.jsonl", "bob"),
        ("preferences simulate --out p.docx", "p.docx"),
        ("reward train --preferences /no/such.jsonl", "/no/such.jsonl"),
        ("reward score --reward-model /no/such --input x", "/no/such"),
        ("ppo train --reward-model /no/such", "/no/such"),
        ("loop --annotator bob", "bob"),
        ("loop --prompts /no/such.txt", "/no/such.txt"),
        ("loop --ppo-updates 0", "1<=x<=10000"),
        ("reward train --preferences dataset:999", "no such data set"),
        ("reward train --preferences simulated:nobody:64", "nobody"),
        ("reward train --preferences votes:nobody", "nobody"),
        ("preferences export --annotator nobody --out p.jsonl", "nobody"),
        ("frontier --dpo-betas 0", "greater than 0"),
        ("frontier --rollout-batch 6", "multiple of 4"),
        ("goodhart --betas -1", "greater than or equal to 0"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_run(run, arguments, words):
    status, out, err = run(*arguments.split())
    assert status == 2
    assert out == ""
    assert err.startswith("error: ")
    assert words in err
    assert err.count("\n") == 1
    assert RunStore().list() == []


def test_options_come_from_the_config_with_its_bounds_and_defaults():
    @click.command()
    @options_of(SamplingConfig)
    def command(**given):
        click.echo(SamplingConfig(**values_of(SamplingConfig, given)).model_dump_json())

    assert json.loads(CliRunner().invoke(command, []).output) == SamplingConfig().model_dump()
    flags = ["--no-stop-at-end", "--top-p", "0.5", "--max-new-tokens", "7"]
    answer = json.loads(CliRunner().invoke(command, flags).output)
    assert answer == SamplingConfig(stop_at_end=False, top_p=0.5, max_new_tokens=7).model_dump()
    assert CliRunner().invoke(command, ["--top-p", "0"]).exit_code == 2  # the bound is open: above 0
    help_text = CliRunner().invoke(command, ["--help"]).output
    assert "longest response, in tokens" in help_text
    assert "0.0<x<=1.0" in help_text


def test_options_of_nested_configs_are_prefixed_and_the_outer_seed_holds_for_all():
    @click.command()
    @options_of(LoopConfig)
    def command(**given):
        click.echo(LoopConfig.checked(**values_of(LoopConfig, given)).model_dump_json())

    flags = ["--reward-epochs", "3", "--ppo-kl-target", "6", "--seed", "5"]
    answer = LoopConfig(**json.loads(CliRunner().invoke(command, flags).output))
    assert (answer.reward.epochs, answer.ppo.kl_target, answer.seed) == (3, 6.0, 5)
    assert answer.ppo == LoopPPOConfig(kl_target=6.0)
    assert CliRunner().invoke(command, ["--ppo-seed", "5"]).exit_code == 2


@pytest.mark.parametrize("spelling", ["--max-new-tokens", "--max_new_tokens"])
def test_hyphens_and_underscores_are_the_same(run, spelling):
    status, out, _ = run("generate", "--prompt", "One day", spelling, 3, "--json")
    assert status == 0
    assert len(last_json(out)["responses"]) == 1


def test_generate_is_a_function_of_the_seed(run):
    command = ["generate", "--model", "storyteller", "--prompt", "Once upon a time", "--n", 4]
    command += ["--max-new-tokens", 8, "--temperature", 0.8, "--json"]
    first, again, other = (last_json(run(*command, "--seed", seed)[1]) for seed in (0, 0, 1))
    assert set(first) == {"responses"}
    assert len(first["responses"]) == 4
    assert first == again
    assert first != other


def test_simulated_votes_are_a_function_of_the_seed(run, tmp_path):
    command = ["preferences", "simulate", "--annotator", "sunny", "--pairs", 8, "--max-new-tokens", 8, "--json"]
    status, out, _ = run(*command, "--out", tmp_path / "a.jsonl")
    assert status == 0
    assert last_json(out)["pairs"] == 8
    run(*command, "--out", tmp_path / "b.jsonl")
    assert (tmp_path / "a.jsonl").read_text() == (tmp_path / "b.jsonl").read_text()
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert all({"prompt", "chosen", "rejected"} <= row.keys() and row["chosen"] != row["rejected"] for row in rows)


@pytest.mark.parametrize("prompts", [["Once"], ["Once", "One day"]])
def test_a_loop_with_too_few_prompts_is_refused_before_any_work(run, tmp_path, prompts):
    file = tmp_path / "few.txt"
    file.write_text("\n".join(prompts))
    status, _, err = run("loop", "--prompts", file)
    assert status == 2 and "few.txt" in err and "3 in a file" in err
    assert RunStore().list() == []


def test_an_export_of_nothing_leaves_the_file_that_is_there(run, tmp_path):
    (tmp_path / "votes.jsonl").write_text("precious")
    status, _, err = run("preferences", "export", "--annotator", "typo", "--out", tmp_path / "votes.jsonl")
    assert status == 2 and "typo" in err
    assert (tmp_path / "votes.jsonl").read_text() == "precious"


def test_an_import_of_nothing_is_an_error_with_its_reasons(run, tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"prompt": "x"}\n')
    status, out, err = run("preferences", "import", tmp_path / "bad.jsonl")
    assert status == 2 and "line 1: chosen is missing" in out and "nothing was imported" in err


def test_names_do_not_steer_the_terminal(run, preference_file):
    run("preferences", "import", preference_file, "--name", "evil\x1b[31m\nname")
    _, out, _ = run("preferences", "stats")
    assert r"evil\x1b[31m\nname" in out


def test_import_counts_lists_and_exports_again(run, preference_file, tmp_path):
    with preference_file.open("a") as file:
        file.write('{"prompt": "x"}\nnonsense\n')
    status, out, _ = run("preferences", "import", preference_file, "--json")
    report = last_json(out)
    assert (status, report["imported"], [row["line"] for row in report["rejected"]]) == (0, 24, [25, 26])
    status, out, _ = run(
        "preferences", "export", "--dataset", report["dataset"], "--out", tmp_path / "x.jsonl.gz", "--json"
    )
    assert (status, last_json(out)["exported"]) == (0, 24)
    exported = [json.loads(line) for line in gzip.decompress((tmp_path / "x.jsonl.gz").read_bytes()).splitlines()]
    kept = [json.loads(line) for line in preference_file.read_text().splitlines()[:24]]
    assert [{k: row[k] for k in ("prompt", "chosen", "rejected")} for row in exported] == kept
    assert last_json(run("preferences", "stats", "--json")[1])["datasets"][0]["rows"] == 24
    status, _, err = run("preferences", "import", preference_file, "--strict")
    assert status == 2
    assert "line 25" in err


def test_stats_describe_a_file(run, preference_file):
    answer = last_json(run("preferences", "stats", preference_file, "--json")[1])
    assert (answer["pairs"], answer["prompts"], answer["chosen_is_longer_share"]) == (24, 24, 0.0)


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


def test_a_queued_run_is_stopped_and_said_to_be(run):
    RunStore().create(JOBS["pairs"](), run_id="waiting")
    status, out, _ = run("runs", "stop", "waiting", "--json")
    assert (status, last_json(out)["status"]) == (0, "stopped")
    listed = last_json(run("runs", "list", "--json")[1])["runs"]
    assert [(entry["id"], entry["status"]) for entry in listed] == [("waiting", "stopped")]


def test_a_closed_pipe_is_no_error(tmp_path):
    """`python -m core models | head -1`: the reader leaves early, and nobody sees a traceback."""
    command = f"'{sys.executable}' -m core loop --help | head -1"
    answer = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT)
    assert answer.stderr == ""
    assert answer.stdout.startswith("Usage")

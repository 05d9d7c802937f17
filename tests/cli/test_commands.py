"""The command line as a person types it: help, options, and one line for what is wrong."""

import json
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from core.alignment.configs import LoopConfig, LoopPPOConfig
from core.cli.main import root
from core.cli.options import options_of, values_of
from core.language.configs import SamplingConfig
from core.runs.jobs import JOBS
from core.runs.store import RunStore
from tests.cli.answers import last_json

ROOT = Path(__file__).parents[2]


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
        ("loop --ppo-max-new-tokens 256", "the model's context is 256 tokens"),
        ("goodhart --ppo-max-new-tokens 300", "the model's context is 256 tokens"),
        ("reward train --preferences dataset:999", "no such data set"),
        ("reward train --preferences simulated:nobody:64", "nobody"),
        ("reward train --preferences votes:nobody", "nobody"),
        ("preferences export --annotator nobody --out p.jsonl", "nobody"),
        ("frontier --dpo-betas 0", "greater than 0"),
        ("frontier --rollout-batch 6", "multiple of 4"),
        ("goodhart --betas -1", "greater than or equal to 0"),
        ("goodhart --votes -5", "greater than or equal to 8"),
        ("tastes --shares -0.25", "greater than or equal to 0"),
        ("tastes --shares 1.5", "less than or equal to 1"),
        ("pretrain --n-embd 100 --n-head 8 --data x.txt", "100 is no multiple of 8"),
        ("runs list --kind nonsense", "nonsense"),
        ("loop --out ~nobody-of-that-name/x", "nobody-of-that-name"),
        ("preferences simulate --out /no/such/p.jsonl", "/no/such"),
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


def test_a_queued_run_is_stopped_and_said_to_be(run):
    RunStore().create(JOBS["pairs"](), run_id="waiting")
    status, out, _ = run("runs", "stop", "waiting", "--json")
    assert (status, last_json(out)["status"]) == (0, "stopped")
    listed = last_json(run("runs", "list", "--json")[1])["runs"]
    assert [(entry["id"], entry["status"]) for entry in listed] == [("waiting", "stopped")]


def test_a_run_is_shown_to_people_with_times_that_people_read(run):
    made = RunStore().create(JOBS["pairs"](), run_id="waiting")
    _, shown, _ = run("runs", "show", "waiting")
    assert f"created: {time.strftime('%Y-%m-%d %H:%M', time.localtime(made.created))}\n" in shown
    assert last_json(run("runs", "show", "waiting", "--json")[1])["created"] == made.created


def test_a_closed_pipe_is_no_error(tmp_path):
    """`python -m core models | head -1`: the reader leaves early, and nobody sees a traceback."""
    command = f"'{sys.executable}' -m core loop --help | head -1"
    answer = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT)
    assert answer.stderr == ""
    assert answer.stdout.startswith("Usage")

"""`ppo train`, `dpo train`, `loop`, `pretrain`, and what every command that trains shares."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from core.alignment.configs import LARGE_POLICY
from core.cli.options import options_of, values_of
from core.cli.output import json_option
from core.errors import PlaygroundError
from core.language.configs import LORA_FROM
from core.language.context import check_response_fits
from core.language.registry import BUILT_IN, policy_folder, policy_info
from core.paths import typed_path
from core.runs.job import Job
from core.runs.jobs import JOBS, LoopJob, job_from

NAMES_FIRST = {
    *BUILT_IN,
    "stories",
    "summaries",
    "chat",
    "votes",
}  # these mean themselves, even beside a file so called
_WITH_A_JUDGE = {"reward", "loop"}  # jobs that make a reward model of their policy
_MAY_BE_PATHS = {"model", "first", "reward_model", "preferences", "prompts", "data"}


def training_options(kind: str, results: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options of a job of this kind, and those of all that train. `results`: what --out holds."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            json_option,
            click.option("--overwrite", is_flag=True, help="let --out replace an earlier run's results"),
            click.option("--run-id", default=None, help="name of the run, in the list of runs  [default: one is made]"),
            click.option(
                "--out",
                default=None,
                type=click.Path(path_type=Path),
                help=f"folder to put {results} into, new or empty  [default: it stays in the run's folder]",
            ),
            options_of(JOBS[kind]),
        ):
            command = option(command)
        return command

    return decorate


def train(
    kind: str, out: Path | None, run_id: str | None, overwrite: bool, as_json: bool, given: dict[str, Any]
) -> int:
    """Check the configuration, then run the job in the foreground; the exit status."""
    source = click.get_current_context().get_parameter_source
    chosen = {name: value for name, value in given.items() if source(name) is not ParameterSource.DEFAULT}
    values = values_of(
        JOBS[kind], {name: _anchored(value) if name in _MAY_BE_PATHS else value for name, value in chosen.items()}
    )
    job = job_from(kind, values)
    _check_inputs(job, values)
    if isinstance(job, LoopJob) and job.prompts:
        from core.feedback.prompts import load_prompts

        load_prompts(job.prompts).check_for_loop(parted=job.reward.heldout_share > 0)
    from core.cli.foreground import begin

    return begin(job, run_id, out, overwrite, as_json)


def _anchored(value: Any) -> Any:
    """A path that holds wherever the run may be resumed from."""
    if isinstance(value, tuple):
        return tuple(_anchored(entry) for entry in value)
    if isinstance(value, str) and value and value not in NAMES_FIRST:
        path = typed_path(value)
        return str(path.absolute()) if path and path.exists() else value
    return value


def _check_inputs(job: Job, values: dict[str, Any]) -> None:
    """Refuse what can be seen to be wrong at once, so that no run is made which could only fail."""
    from core.feedback.annotators import get_annotator
    from core.feedback.prompts import load_prompts
    from core.feedback.sources import check_source

    if "model" in values and (info := policy_info(values["model"])).status == "unavailable":
        raise PlaygroundError(info.note if values["model"] in info.note else f"{values['model']}: {info.note}")
    settings = job.model_dump()
    if "model" in settings and (context := policy_info(settings["model"]).context):
        check_response_fits(_longest_response(settings), context)
    if values.get("prompts"):
        load_prompts(values["prompts"])
    for name in filter(None, (values.get("annotator"), values.get("gold"))):
        get_annotator(name)
    judge = typed_path(values.get("reward_model", ""))
    if "reward_model" in values and (judge is None or not (judge / "config.json").exists()):
        raise PlaygroundError(
            f"{values['reward_model'][:200]} is no reward model: give the folder that `reward train` wrote"
        )
    for source in values.get("preferences", ()):
        check_source(source)
    if job.kind in _WITH_A_JUDGE and (folder := policy_folder(settings["model"])):
        from core.alignment.reward_model import check_can_judge  # takes seconds, which the run takes in any case
        from core.language.opening import open_config

        check_can_judge(open_config(folder))


def _longest_response(settings: dict[str, Any]) -> int:
    """The largest max_new_tokens among a job's settings, those of its stages included; 0 where nothing is written."""
    own = settings.get("max_new_tokens", 0)
    return max(own, *(_longest_response(value) for value in settings.values() if isinstance(value, dict)), 0)


@click.group()
def ppo() -> None:
    """Proximal policy optimisation of a policy against a reward model."""


@ppo.command("train")
@training_options("ppo", "the tuned policy")
def ppo_train(out: Path | None, run_id: str | None, overwrite: bool, as_json: bool, **given: Any) -> int:
    """Tune a policy to score high under a reward model while staying close to where it began."""
    return train("ppo", out, run_id, overwrite, as_json, given)


@click.group()
def dpo() -> None:
    """Direct preference optimisation of a policy: it learns the votes itself, without a reward model."""


@dpo.command("train")
@training_options("dpo", "the tuned policy")
def dpo_train(out: Path | None, run_id: str | None, overwrite: bool, as_json: bool, **given: Any) -> int:
    """Tune a policy to prefer what was preferred; give --preferences several times to mix sources."""
    return train("dpo", out, run_id, overwrite, as_json, given)


def _large_policy_defaults() -> str:
    parts = {name: value if isinstance(value, dict) else {"": value} for name, value in LARGE_POLICY.items()}
    options = [
        f"--{'-'.join(filter(None, (name, inner))).replace('_', '-')} {value}"
        for name, part in parts.items()
        for inner, value in part.items()
    ]
    return f"For a policy over {LORA_FROM // 1_000_000}M parameters the defaults are: {', '.join(options)}."


@click.command(epilog=_large_policy_defaults())
@training_options("loop", "reward_model/, policy/, preferences.jsonl and heldout.jsonl")
def loop(out: Path | None, run_id: str | None, overwrite: bool, as_json: bool, **given: Any) -> int:
    """The whole loop: a policy writes, a simulated annotator votes, a reward model learns, PPO tunes, all is measured.

    Options of the reward model begin with --reward-, those of PPO with --ppo-; --seed fixes everything.
    """
    return train("loop", out, run_id, overwrite, as_json, given)


@click.command()
@training_options("pretrain", "the model and its tokenizer")
def pretrain(out: Path | None, run_id: str | None, overwrite: bool, as_json: bool, **given: Any) -> int:
    """Train a small GPT-2 and its tokenizer from nothing on text: how the bundled storyteller was made.

    Of every source, the 5 % of documents that a hash of their words chooses are held out, and measured in bits per
    byte at the end.
    """
    return train("pretrain", out, run_id, overwrite, as_json, given)

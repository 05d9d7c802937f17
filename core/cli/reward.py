"""`reward`: train a reward model, score texts with it, measure it."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from core.cli.output import emit, json_option
from core.cli.training import train, training_options
from core.errors import PlaygroundError

reward_model_option = click.option(
    "--reward-model", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="its folder"
)


@click.group()
def reward() -> None:
    """Reward models: train on preferences, score texts, measure."""


@reward.command("train")
@training_options("reward", "the reward model")
def reward_train(out: Path | None, run_id: str | None, overwrite: bool, as_json: bool, **given: Any) -> int:
    """Train a reward model on preferences; give --preferences several times to mix sources."""
    return train("reward", out, run_id, overwrite, as_json, given)


@reward.command()
@reward_model_option
@click.option(
    "--input",
    "file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSON lines, {"prompt": …, "response": …} each',
)
@json_option
def score(reward_model: Path, file: Path, as_json: bool) -> None:
    """Score responses: the raw logit of the reward model on prompt + response, in the order of the lines."""
    rows = _read_rows(file)
    from core.alignment.reward_folders import load_reward_model
    from core.alignment.reward_model import score as scores_of

    loaded = load_reward_model(reward_model)
    prompts, responses = [prompt for prompt, _ in rows], [response for _, response in rows]
    scores = scores_of(loaded.model, loaded.tokenizer, prompts, responses).tolist()
    lines = [f"{value:9.4f}  {' '.join(response.split())}" for value, response in zip(scores, responses, strict=True)]
    emit({"scores": scores}, as_json, "\n".join(lines))


@reward.command()
@reward_model_option
@click.option(
    "--preferences",
    "sources",
    required=True,
    multiple=True,
    help="a preference file, votes, votes:NAME, dataset:ID or bundled:ANNOTATOR; may be given several times",
)
@json_option
def evaluate(reward_model: Path, sources: tuple[str, ...], as_json: bool) -> None:
    """Measure how well a reward model predicts preferences: accuracy, log-loss in nats, calibration error."""
    from core.feedback.sources import load_preferences

    pairs = [pair for source in sources for pair in load_preferences(source)]
    from core.alignment.own_turns import in_own_turns
    from core.alignment.pair_report import evaluate_pairs
    from core.alignment.reward_folders import load_reward_model

    loaded = load_reward_model(reward_model)
    pairs = in_own_turns(pairs, loaded.tokenizer)
    began = time.monotonic()
    report = evaluate_pairs(loaded.model, loaded.tokenizer, pairs)
    seconds = time.monotonic() - began
    emit({**asdict(report), "pairs_per_second": report.pairs / seconds, "seconds": seconds}, as_json)


def _read_rows(file: Path) -> list[tuple[str, str]]:
    rows = []
    with file.open(encoding="utf-8-sig", errors="strict") as lines:
        try:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    rows.append(_row(line, f"{file}, line {number}"))
        except UnicodeDecodeError as error:
            raise PlaygroundError(f"{file} is not UTF-8 text ({error.reason})") from None
    if not rows:
        raise PlaygroundError(f"{file} holds no rows to score.")
    return rows


def _row(line: str, where: str) -> tuple[str, str]:
    from core.feedback.pool import storable  # SQLAlchemy takes half a second, which no other command's --help should

    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise PlaygroundError(f"{where}: not JSON ({error})") from None
    match row:
        case {"prompt": str(prompt), "response": str(response)}:
            if storable(prompt + response) != prompt + response:
                raise PlaygroundError(f"{where}: a text has a NUL character, or is not valid Unicode")
            return prompt, response
    raise PlaygroundError(f'{where}: expected an object with the texts "prompt" and "response"')

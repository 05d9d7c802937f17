"""`models` and `generate`: which policies there are, and what they write."""

from dataclasses import asdict
from typing import Any

import click

from core.cli.options import options_of, values_of
from core.cli.output import counting, emit, json_option, sharing, table
from core.language.configs import SamplingConfig
from core.language.registry import PolicyInfo, add_policy, list_policies, load_policy


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the policies: what is here, what can be had, size in megabytes, licence."""
    if context.invoked_subcommand is None:
        infos = list_policies()
        emit({"models": [asdict(info) for info in infos]}, as_json, _as_table(infos))


@models.command("add")
@click.argument("model", metavar="ID_OR_FOLDER")
@json_option
def add(model: str, as_json: bool) -> None:
    """Fetch a model of the Hugging Face hub, or check a local folder, and keep it in the list.

    Only safetensors weights are opened, and no code that a model brings.
    """
    bar, moved = sharing()
    with bar:
        info = add_policy(model, moved)
    emit(asdict(info), as_json, _as_table([info]))


def _as_table(infos: list[PolicyInfo]) -> str:
    def number(value: float | None, unit: float) -> str:
        return "?" if value is None else f"{value / unit:.1f}"

    rows = [
        (i.id, i.status, number(i.parameters, 1e6), number(i.size_mb, 1), i.licence, i.note or i.source) for i in infos
    ]
    return table(rows, ("id", "status", "M parameters", "MB", "licence", "note"))


@click.command()
@click.option(
    "--model", default="storyteller", show_default=True, help="policy: an id of `models`, a hub id or a folder"
)
@click.option("--prompt", required=True, help="text to continue, or to answer for a chat model")
@click.option("--n", default=1, type=click.IntRange(1, 4096), show_default=True, help="responses to draw")
@options_of(SamplingConfig)
@json_option
def generate(model: str, prompt: str, n: int, as_json: bool, **options: Any) -> None:
    """Draw responses to a prompt."""
    config = SamplingConfig.checked(**values_of(SamplingConfig, options))
    bar, moved = sharing()
    with bar:
        policy, tokenizer = load_policy(model, moved)  # before anything heavy is imported: a wrong id is said at once
    from core.language.sampling import sample

    bar, drawn = counting("writing", "response")
    with bar:
        responses = sample(policy, tokenizer, [prompt] * n, config, on_progress=drawn).responses
    emit({"responses": responses}, as_json, "\n---\n".join(prompt + response for response in responses))

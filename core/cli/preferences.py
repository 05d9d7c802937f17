"""`preferences`: votes of a simulated annotator, files in and out, and what there is."""

import os
import statistics
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from core.alignment.configs import SimulateConfig
from core.cli.options import options_of, values_of
from core.cli.output import counting, emit, json_option, sharing, table
from core.errors import PlaygroundError

LISTED = 20  # rejected rows shown to a person; `--json` has them all


@click.group()
def preferences() -> None:
    """Preferences: simulate, import, export, count."""


@preferences.command()
@options_of(SimulateConfig)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="file to write: .jsonl, .jsonl.gz, .csv or .parquet with prompt, chosen, rejected",
)
@json_option
def simulate(out: Path, as_json: bool, **options: Any) -> None:
    """Let a policy write pairs of responses and a simulated annotator vote on them."""
    config = SimulateConfig.checked(**values_of(SimulateConfig, options))
    from core.feedback.annotators import get_annotator
    from core.feedback.formats import format_of
    from core.feedback.interchange import write_preferences
    from core.feedback.prompts import load_prompts
    from core.language.configs import SamplingConfig
    from core.language.registry import load_policy, policy_info

    began = time.monotonic()
    format_of(out)  # a name that cannot be written is refused before the work, not after
    _check_place(out)
    annotator = get_annotator(config.annotator)
    prompts = load_prompts(config.prompts or policy_info(config.model).default_prompts)
    sampling = SamplingConfig(max_new_tokens=config.max_new_tokens, temperature=config.temperature, seed=config.seed)
    bar, loaded = sharing()
    with bar:
        policy, tokenizer = load_policy(config.model, loaded)
    from core.alignment.preferences import PairsSoFar, vote, write_pairs

    written = PairsSoFar()
    bar, moved = counting("pairs", "pair")
    with bar:
        for written in write_pairs(policy, tokenizer, prompts.train, config.pairs, sampling):
            moved(len(written.pairs), config.pairs)
    votes = vote(written.pairs, annotator, config.seed)
    write_preferences(votes.pairs, out)
    decided = [gap > 0 for gap in votes.utility_gaps if gap]
    result = {
        "pairs": len(votes.pairs),
        "out": str(out),
        "model": config.model,
        "annotator": annotator.name,
        "prompts": prompts.name,
        "seed": config.seed,
        "utility_sd": votes.sd,
        "agreement_with_utility": statistics.mean(decided) if decided else None,
        "seconds": time.monotonic() - began,
    }
    emit(result, as_json)


@preferences.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", default=None, help="what the data set is called  [default: the file's name]")
@click.option("--strict", is_flag=True, help="take all rows or none")
@json_option
def import_(file: Path, name: str | None, strict: bool, as_json: bool) -> None:
    """Take a preference file into the store: .jsonl, .jsonl.gz, .csv or .parquet.

    Columns prompt, chosen, rejected; or chosen and rejected alone, dialogues or texts that begin alike; or two answers
    and a winner, as Chatbot Arena, SHP, WebGPT comparisons, PKU-SafeRLHF and others have them. Strings, or lists of
    {role, content}. Ties are counted and left out of training; bad rows are left out and listed with line and reason.
    """
    from core.feedback.interchange import import_preferences
    from core.feedback.store import FeedbackStore

    bar, moved = counting("rows", "row")
    with bar:
        report = import_preferences(
            file, FeedbackStore(), name=name, strict=strict, on_progress=lambda rows: moved(rows, rows)
        )
    result = {
        "imported": report.imported,
        "ties": report.ties,
        "run_together": report.run_together,
        "rejected": [{"line": row.line, "reason": row.reason} for row in report.rejected],
        "rejected_total": report.rejected_total,
        "dataset": report.dataset_id,
        "name": report.name,
    }
    lines = [f"imported: {report.imported}"]
    if report.ties:
        lines.append(f"ties: {report.ties} (counted; left out of training, for they say nothing about the better text)")
    if report.run_together:
        lines.append(
            f"run together: {report.run_together} (a response begins right behind its prompt, and both are read as one "
            "text: where they should be apart, begin responses with a space or a line break)"
        )
    lines.append(f"rejected: {report.rejected_total}")
    lines += [f"  line {row.line}: {row.reason}" for row in report.rejected[:LISTED]]
    if report.rejected_total > LISTED:
        lines.append(f"  and {report.rejected_total - LISTED} more")
    if report.dataset_id is not None:
        lines.append(f"train on it with --preferences dataset:{report.dataset_id}")
    emit(result, as_json, "\n".join(lines))
    if not report.imported and report.rejected_total:
        raise PlaygroundError(f"{file}: none of its {report.rejected_total} rows can be used; nothing was imported.")


@preferences.command("export")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help=".jsonl, .jsonl.gz, .csv or .parquet"
)
@click.option("--annotator", default=None, help="whose votes  [default: everybody's]")
@click.option("--dataset", default=None, type=int, help="an imported data set instead, by its number")
@click.option("--conversational", is_flag=True, help="lists of {role, content} messages instead of texts (.jsonl)")
@json_option
def export(out: Path, annotator: str | None, dataset: int | None, conversational: bool, as_json: bool) -> None:
    """Write votes, or an imported data set, as prompt, chosen, rejected. Ties, skips and undone votes are left out."""
    from core.feedback.interchange import export_conversations, export_preferences
    from core.feedback.store import FeedbackStore

    if annotator is not None and dataset is not None:
        raise PlaygroundError("give --annotator or --dataset, not both")
    _check_place(out)
    store, write = FeedbackStore(), export_conversations if conversational else export_preferences
    if dataset is None and next(store.iterate_pairs(annotator), None) is None:
        by = f" by {annotator[:100]!r}" if annotator is not None else ""
        known = ", ".join(name[:100] for name in store.annotators()[:10]) or "nobody yet"
        raise PlaygroundError(f"There are no decided votes{by}; nothing is written. Votes are by: {known}.")
    rows = write(store, out, annotator=annotator, dataset=dataset)
    emit({"exported": rows, "out": str(out)}, as_json)


@preferences.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def stats(file: Path | None, as_json: bool) -> None:
    """Count the votes and data sets in the store; or describe a preference FILE (lengths in characters)."""
    if file is not None:
        emit(_describe(file), as_json)
        return
    from core.feedback.store import FeedbackStore

    store = FeedbackStore()
    votes = {annotator: store.count(annotator) for annotator in store.annotators()}
    datasets = [asdict(dataset) for dataset in store.datasets()]
    choices = sorted({choice for count in votes.values() for choice in count})
    parts = []
    if votes:
        rows = [(name, *(count.get(choice, 0) for choice in choices)) for name, count in votes.items()]
        parts.append(table(rows, ("annotator", *choices)))
    if datasets:
        parts.append(
            table([(d["id"], d["name"], d["rows"], d["ties"]) for d in datasets], ("data set", "name", "rows", "ties"))
        )
    emit({"votes": votes, "datasets": datasets}, as_json, "\n\n".join(parts) or "no votes, no data sets yet")


def _check_place(out: Path) -> None:
    """Raise PlaygroundError where no file can be written in the folder of `out`, or of what it is a link to."""
    folder = Path(os.path.realpath(out)).parent
    if not folder.is_dir():
        raise PlaygroundError(f"{out} cannot be written: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise PlaygroundError(f"{out} cannot be written: the folder {folder} is read-only, or not yours to write into")


def _describe(file: Path) -> dict[str, Any]:
    from core.feedback.interchange import read_preferences
    from core.feedback.pairs import PreferencePair

    prompts: set[int] = set()
    pairs = ties = bad = longer = chosen = rejected = 0
    for _, row in read_preferences(file):
        if not isinstance(row, PreferencePair):
            ties += row.tie
            bad += not row.tie
            continue
        pairs += 1
        prompts.add(hash(row.prompt))
        chosen += len(row.chosen)
        rejected += len(row.rejected)
        longer += len(row.chosen) > len(row.rejected)
    return {
        "pairs": pairs,
        "prompts": len(prompts),
        "ties": ties,
        "unusable_rows": bad,
        "chosen_characters_mean": chosen / pairs if pairs else None,
        "rejected_characters_mean": rejected / pairs if pairs else None,
        "chosen_is_longer_share": longer / pairs if pairs else None,
    }

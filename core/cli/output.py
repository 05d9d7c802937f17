"""What a command says: results on stdout, everything else on stderr, progress only where somebody is watching."""

import json
import logging
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import click
from tqdm import tqdm

from core.record import Record

json_option = click.option("--json", "as_json", is_flag=True, help="print one JSON object as the last line of stdout")

_STEERING = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # of a terminal; JSON escapes the others itself

HEADLINES = {  # the metrics shown beside a stage's progress
    "preferences": {"pairs": "pairs"},
    "reward": {"loss": "loss", "heldout/accuracy": "held-out accuracy"},
    "ppo": {"objective/scores": "score", "objective/kl": "KL", "objective/gold": "gold"},
    "dpo": {"loss": "loss", "rewards/accuracies": "accuracy", "heldout/accuracy": "held-out accuracy"},
    "evaluation": {"heldout/gold_win_rate": "win rate", "heldout/kl": "KL", "reward_skill": "reward skill"},
    "pretrain": {"loss": "loss", "tokens_per_second": "tokens/s"},
}


def say(text: str) -> None:
    """One line on stderr, above a progress bar if there is one."""
    tqdm.write(_printable(text), file=sys.stderr)


def emit(result: Mapping[str, Any], as_json: bool, text: str | None = None) -> None:
    """The outcome on stdout: one JSON object, or `text` (by default a `name: value` line for each entry)."""
    if as_json:
        written = json.dumps(_finite(result), ensure_ascii=False, allow_nan=False)
        _print(_STEERING.sub(lambda sign: f"\\u{ord(sign[0]):04x}", written))  # only ever inside of texts
    else:
        lines = text.split("\n") if text is not None else [f"{name}: {_shown(value)}" for name, value in _flat(result)]
        _print("\n".join(map(_printable, lines)))


def _print(text: str) -> None:
    """Raises OSError, of stdout by name, when it cannot be written: the work itself is done by then."""
    try:
        click.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, "stdout") from error


def table(rows: Sequence[Sequence[object]], head: Sequence[str]) -> str:
    """Columns aligned with spaces, for people."""
    cells = [[_printable(str(cell)) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


class PrintableFormatter(logging.Formatter):
    """What is logged, line by line: it tells of files, whose columns somebody has named."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's words, with control characters as Python writes them."""
        return "\n".join(map(_printable, super().format(record).split("\n")))


class Stages:
    """A progress bar for each stage of a run, fed by its records. Silent without a terminal."""

    def __enter__(self) -> Self:
        self._bar: tqdm[Any] | None = None
        self._stage = ""
        self._shown: dict[str, str] = {}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, record: Record) -> None:
        """Move the bar to where `record` is."""
        if self._bar is None or self._stage != record.stage:
            if self._bar is not None:
                self._bar.close()
            self._stage, self._shown = record.stage, {}
            self._bar = tqdm(
                total=record.total or None, initial=record.step - 1, desc=record.stage, unit="step", disable=None
            )
        self._bar.update(record.step - self._bar.n)
        names = HEADLINES.get(record.stage, {})
        self._shown |= {word: f"{record.metrics[key]:.4g}" for key, word in names.items() if key in record.metrics}
        self._bar.set_postfix(self._shown, refresh=False)


def counting(what: str, unit: str) -> tuple["tqdm[Any]", Callable[[int, int], None]]:
    """A progress bar and the callback (done, total) that moves it."""
    bar: tqdm[Any] = tqdm(desc=what, unit=unit, disable=None, leave=False)

    def moved(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return bar, moved


def sharing() -> tuple["tqdm[Any]", Callable[[float, str], None]]:
    """A progress bar and the callback (share done, what is being done) that moves it."""
    bar: tqdm[Any] = tqdm(
        total=100, unit="%", disable=None, leave=False, bar_format="{desc}: {n:.0f} %|{bar}| {elapsed}"
    )

    def moved(share: float, what: str) -> None:
        bar.set_description(what, refresh=False)
        bar.update(100 * share - bar.n)

    return bar, moved


def _finite(value: Any) -> Any:
    """JSON has no infinity and no NaN: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _finite(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value


def _flat(result: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in result.items():
        rows += _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else [(prefix + name, value)]
    return rows


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "–" if value is None else _printable(str(value))


def _printable(text: str) -> str:
    """Control characters as Python writes them: a name somebody chose must not steer the terminal."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)

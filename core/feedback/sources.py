"""Where preferences can be taken from, by one short text: what `--preferences` takes and the pages offer."""

import gzip
import json
import logging
import statistics
from functools import cache
from pathlib import Path

import numpy as np

from core.errors import PlaygroundError
from core.feedback.annotators import get_annotator, prefers_left
from core.feedback.interchange import read_preferences
from core.feedback.pairs import PreferencePair
from core.feedback.rows import RejectedRow
from core.feedback.store import FeedbackStore, NewPair
from core.hosting import permission
from core.paths import typed_path

BUNDLED = Path(__file__).parent / "data" / "storyteller_pairs.jsonl.gz"
SIMULATED = "simulated"
_NOISE_SEED = 0

_log = logging.getLogger(__name__)


def load_preferences(source: str, store: FeedbackStore | None = None) -> list[PreferencePair]:
    """The decided comparisons that `source` names:

    - `votes`: everybody's votes; `votes:NAME`: one annotator's
    - `dataset:ID`: an imported dataset
    - `bundled:ANNOTATOR`: the bundled storyteller pairs as a simulated annotator votes on them, always the same way
    - anything else: the path of a preference file; its unusable rows are left out, and that is logged

    `store`: the user's own when None. Raises PlaygroundError, naming the source, when it gives no comparison.
    """
    kind, _, name = source.partition(":")
    try:
        if source == "votes" or (kind == "votes" and name):
            pairs = (store or FeedbackStore()).preference_pairs(name or None)
        elif kind == "dataset" and name:
            pairs = (store or FeedbackStore()).preference_pairs(dataset=name)
        elif kind == "bundled" and name:
            pairs = _voted_on_by(name)
        else:
            pairs = _from_file(source)
    except PlaygroundError as error:
        if source in str(error):
            raise
        raise PlaygroundError(f"{source}: {error}") from error
    if not pairs:
        raise PlaygroundError(f"{source}: no decided comparisons there (ties and skips do not count).")
    return pairs


def check_source(source: str) -> None:
    """What can be said of a source without reading it. Raises PlaygroundError when there is nothing of that name.

    Beside what `load_preferences` takes, `simulated:ANNOTATOR:PAIRS` is one, written when a run begins.
    """
    kind, _, name = source.partition(":")
    if kind == SIMULATED:
        get_annotator(simulated(source)[0])
    elif kind == "bundled" and name:
        get_annotator(name)
    elif kind == "dataset" and name:
        known = [str(dataset.id) for dataset in FeedbackStore().datasets()]
        if name not in known:
            raise PlaygroundError(f"{source[:200]}: there is no such data set; there are: {', '.join(known) or 'none'}")
    elif kind == "votes" and name:
        if name not in FeedbackStore().annotators():
            raise PlaygroundError(f"{source[:200]}: nobody of that name has voted")
    elif source != "votes":
        _file(source)


def in_words(source: str) -> str:
    """A source as a person says it: `simulated:sunny:512` is 512 votes of Sunny. A wrong one as it is."""
    kind, _, name = source.partition(":")
    try:
        if kind == "dataset" and name:
            return FeedbackStore().dataset(name).name
        if kind == SIMULATED:
            annotator, count = simulated(source)
            return f"{count:,} votes of {get_annotator(annotator).title}"
        if kind == "bundled" and name:
            return f"the bundled pairs, {get_annotator(name).title} voting"
    except PlaygroundError:
        return f"data set {name}" if kind == "dataset" else source
    if kind == "votes":
        return f"votes of {name}" if name else "everybody's votes"
    return Path(source).name


def simulated(source: str) -> tuple[str, int]:
    """The annotator and the number of pairs of `simulated:ANNOTATOR:PAIRS`. Raises PlaygroundError for a wrong one."""
    _, annotator, count = [*source.split(":"), "512"][:3]
    if not count.isdecimal() or not 8 <= int(count) <= 100_000:
        raise PlaygroundError(f"{source}: expected {SIMULATED}:ANNOTATOR:PAIRS with 8 to 100000 pairs")
    return annotator, int(count)


def _file(source: str) -> Path:
    file = typed_path(source)
    if file is None or not file.is_file():
        raise PlaygroundError(
            f"{source[:200]}: no such file, and not one of votes, votes:NAME, dataset:ID, bundled:ANNOTATOR"
        )
    return file


def bundled_pairs() -> list[NewPair]:
    """The storyteller's pairs that come with the program. Raises PlaygroundError when the file is not there."""
    return list(_bundled(BUNDLED))


@cache
def _bundled(path: Path) -> tuple[NewPair, ...]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
    except FileNotFoundError:
        raise PlaygroundError(f"The bundled pairs are missing: {path} is not there. Install again.") from None
    return tuple(
        NewPair(row["prompt"], row["response_a"], row["response_b"], "storyteller", "stories", row["seed"])
        for row in rows
    )


def _voted_on_by(name: str) -> list[PreferencePair]:
    annotator = get_annotator(name)
    bundled = bundled_pairs()
    sd = statistics.pstdev(
        annotator.utility(pair.prompt, text) for pair in bundled for text in (pair.response_a, pair.response_b)
    )
    votes = []
    for row, pair in enumerate(bundled):
        uniform = np.random.default_rng([_NOISE_SEED, row]).random()
        a, b = pair.response_a, pair.response_b
        chosen, rejected = (a, b) if prefers_left(annotator, pair.prompt, a, b, sd, uniform) else (b, a)
        votes.append(PreferencePair(pair.prompt, chosen, rejected, annotator=annotator.name))
    return votes


def _from_file(source: str) -> list[PreferencePair]:
    permission.check_file(source)
    _file(source)
    pairs: list[PreferencePair] = []
    first: RejectedRow | None = None
    left_out = ties = 0
    for _, row in read_preferences(source):
        if isinstance(row, RejectedRow) and row.tie:
            ties += 1
        elif isinstance(row, RejectedRow):
            first = first or row
            left_out += 1
        else:
            pairs.append(row)
    if ties:
        _log.warning(
            "%s: %d ties are counted and not learned from: they say nothing about the better text", source, ties
        )
    if first is not None:
        if not pairs:
            raise PlaygroundError(
                f"{source}: none of its {left_out} rows is usable; the first, line {first.line}: {first.reason}"
            )
        _log.warning("%s: %d rows left out; the first, line %d: %s", source, left_out, first.line, first.reason)
    return pairs

"""The comparisons a run learned from, written down when it begins: later votes change nothing about an old model."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.alignment.configs import RewardConfig
from core.errors import PlaygroundError
from core.feedback.annotators import annotators, get_annotator
from core.feedback.pairs import PreferencePair
from core.files import read_jsonl, write_jsonl

PAIRS_FILE = "pairs.jsonl"
_LOOP_FILE = "preferences.jsonl"  # the loop's own, which only a simulated annotator votes in
_KNOWN = ("bundled", "simulated")  # sources whose voter's true taste is known


@dataclass(frozen=True)
class TaughtPair:
    """One comparison of a run's, and where it came from."""

    pair: PreferencePair
    source: str = ""  # as `--preferences` names it
    gold_gap: float | None = None  # u(chosen) − u(rejected) where the voter is simulated; below zero: noise decided


def taught(pairs: Iterable[PreferencePair], source: str) -> list[TaughtPair]:
    """`pairs` of one source, with the simulated voter's true difference where there is one."""
    known = source.partition(":")[0] in _KNOWN
    return [TaughtPair(pair, source, _gold_gap(pair) if known else None) for pair in pairs]


def _gold_gap(pair: PreferencePair) -> float | None:
    if pair.annotator not in annotators():
        return None
    utility = get_annotator(pair.annotator).utility
    return utility(pair.prompt, pair.chosen) - utility(pair.prompt, pair.rejected)


def write_run_pairs(folder: Path, pairs: Iterable[TaughtPair]) -> None:
    """Write the run's comparisons, in the order in which it is trained on them: whole or not at all."""
    rows = (asdict(one.pair) | {"source": one.source, "gold_gap": one.gold_gap} for one in pairs)
    write_jsonl(folder / PAIRS_FILE, rows)


def read_run_pairs(folder: Path) -> list[TaughtPair]:
    """The comparisons that the run in `folder` learned from. Raises PlaygroundError where none are written down."""
    for name in (PAIRS_FILE, _LOOP_FILE):
        if (folder / name).exists():
            return [_of(row) for row in read_jsonl(folder / name)]
    raise PlaygroundError(f"{folder.name}: this run did not write down what it learned from. Train it again to see it.")


def _of(row: dict[str, Any]) -> TaughtPair:
    pair = PreferencePair(row["prompt"], row["chosen"], row["rejected"], row.get("margin"), row.get("annotator", ""))
    return TaughtPair(pair, row.get("source", "simulated"), row.get("gold_gap"))


def reward_config_of(config: dict[str, Any]) -> RewardConfig:
    """The reward model's settings in the config of a reward or loop run: a loop's own seed holds for all of it."""
    reward = RewardConfig.checked(**config.get("reward", {}))
    return reward.model_copy(update={"seed": config["seed"]}) if "seed" in config else reward

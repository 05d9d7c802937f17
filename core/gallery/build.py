"""Making the gallery: what the pages open on, computed by the program itself on the bundled model."""

import gzip
import json
import math
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from core.alignment.configs import LoopConfig
from core.alignment.loop import run_loop
from core.alignment.preferences import write_pairs
from core.alignment.quartets import write_quartets
from core.feedback.prompts import load_prompts
from core.feedback.quartets import BUNDLED_QUARTETS, READING_TEMPERATURE
from core.feedback.sources import BUNDLED
from core.files import read_jsonl, write_whole
from core.gallery import (
    FOLDER,
    build_attention,
    build_before_after,
    build_block,
    build_embeddings,
    build_experiments,
    build_live_head,
    build_loss_surface,
    build_microscope,
    build_ppo,
    build_recurrence,
    build_reward,
)
from core.language.configs import SamplingConfig
from core.language.registry import STORYTELLER, load_policy, model_hash

COMMAND = "python -m core gallery"
BUNDLED_PAIRS = 256
BUNDLED_QUARTETS_WRITTEN = 128  # prompts: two pairs each
EXAMPLES = 24  # held-out prompts shown: the first ones, unpicked


def build_gallery(only: Collection[str] = ()) -> list[str]:
    """Compute the entries anew (default: all) and return their names. Each file is whole or untouched."""
    made = [name for name in ENTRIES if not only or name in only]
    for name in made:
        ENTRIES[name]()
    return made


def build_bundled_pairs() -> None:
    """Pairs of storyteller responses, so that the first vote never waits."""
    policy, tokenizer = load_policy("storyteller")
    sampling = SamplingConfig(max_new_tokens=48, temperature=1.0, seed=0)
    prompts = load_prompts("stories").train
    with tqdm(total=BUNDLED_PAIRS, desc="bundled pairs", unit="pair", disable=None) as bar:
        for so_far in write_pairs(policy, tokenizer, prompts, BUNDLED_PAIRS, sampling):
            bar.update(len(so_far.pairs) - bar.n)
    rows = (
        {"prompt": pair.prompt, "response_a": pair.left, "response_b": pair.right, "seed": sampling.seed}
        for pair in so_far.pairs
    )
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    _write_gzipped(BUNDLED, text)


def build_bundled_quartets() -> None:
    """Sets of four storyteller responses, cooler than the policy samples them: these are read by people."""
    policy, tokenizer = load_policy("storyteller")
    sampling = SamplingConfig(max_new_tokens=48, temperature=READING_TEMPERATURE, seed=0)
    prompts = load_prompts("stories").train
    order = np.random.default_rng(sampling.seed).permutation(len(prompts))
    asked = [prompts[place] for place in order]
    lines = []
    with tqdm(total=BUNDLED_QUARTETS_WRITTEN, desc="bundled quartets", unit="set", disable=None) as bar:
        for written in write_quartets(policy, tokenizer, asked, BUNDLED_QUARTETS_WRITTEN, sampling):
            bar.update(len(written))
            for prompt, responses in written:
                row = {"prompt": prompt, "responses": responses, "seed": 0, "temperature": sampling.temperature}
                lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    _write_gzipped(BUNDLED_QUARTETS, "".join(lines))


def _write_gzipped(path: Path, text: str) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(gzip.compress(text.encode(), mtime=0))  # no time in it: the same texts, the same file
    temporary.replace(path)


def build_loop() -> None:
    """The default loop, seed 0: its curves, its figures, and the first held-out prompts before and after.

    And of the same run the page Token microscope's entry: some responses of three of its updates.
    """
    config = LoopConfig()
    microscope = build_microscope.Microscope(config)
    curves: dict[str, list[dict[str, float]]] = {}
    result = None
    with tempfile.TemporaryDirectory() as folder, tqdm(desc="loop", unit="step", disable=None) as bar:
        for record in run_loop(config, Path(folder)):
            curves.setdefault(record.stage, []).append({"step": record.step, **record.metrics})
            result = record.result or result
            microscope.see(record)
            bar.set_description(record.stage)
            bar.update()
        examples = read_jsonl(Path(folder) / "heldout.jsonl")[:EXAMPLES]
        pairs = read_jsonl(Path(folder) / "preferences.jsonl")[:EXAMPLES]
    entry = {
        "model": config.model,
        "model_hash": model_hash(STORYTELLER),
        "annotator": config.annotator,
        "seed": config.seed,
        "command": f"{COMMAND} --only loop",
        "config": json.loads(config.model_dump_json()),
        "result": result,
        "pairs": pairs,
        "examples": examples,
        "curves": curves,
    }
    write_whole(FOLDER / "loop.json", json.dumps(entry, ensure_ascii=False, indent=1) + "\n")
    microscope.write()


def write_view(
    name: str, key: Mapping[str, Any], data: Mapping[str, Any], bundled: bool = True, made_by: str = ""
) -> None:
    """What a page about the inside opens on: `data`, computed for exactly `key`; `bundled`: on the bundled model.

    `made_by` is the entry that this one comes with, where it is none of its own.
    """
    of_model = {"model": "storyteller", "model_hash": model_hash(STORYTELLER)} if bundled else {}
    entry = of_model | {
        "command": f"{COMMAND} --only {made_by or name}",
        "key": dict(key),
        "data": _rounded(data),
    }
    write_whole(FOLDER / f"{name}.json", json.dumps(entry, ensure_ascii=False) + "\n")


def _rounded(value: Any) -> Any:
    """Arrays as lists, floats to five significant digits: a picture needs no more, and the file is a third.

    What is no number becomes null: JSON knows no NaN.
    """
    if isinstance(value, Mapping):
        return {name: _rounded(inner) for name, inner in value.items()}
    if hasattr(value, "tolist"):
        return _rounded(value.tolist())
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value


ENTRIES: dict[str, Callable[[], None]] = {
    "pairs": build_bundled_pairs,
    "quartets": build_bundled_quartets,
    "loop": build_loop,
    **build_attention.ENTRIES,
    **build_before_after.ENTRIES,
    **build_block.ENTRIES,
    **build_embeddings.ENTRIES,
    **build_experiments.ENTRIES,
    **build_live_head.ENTRIES,
    **build_loss_surface.ENTRIES,
    **build_ppo.ENTRIES,
    **build_recurrence.ENTRIES,
    **build_reward.ENTRIES,
}

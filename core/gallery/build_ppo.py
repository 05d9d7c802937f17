"""What healthy PPO curves look like here: default PPO from several seeds on the gallery loop's reward model."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.alignment.configs import LoopConfig, PPOConfig
from core.alignment.loop import run_loop
from core.alignment.ppo_reading.curve_bands import band_of
from core.alignment.ppo_reading.reading_curves import CURVES
from core.alignment.runs import run_ppo

WATCH_EVERY = 2  # oftener than usual: these answers are read by everybody who opens the page
SEEDS = (1, 2, 3)  # not the gallery loop's, which the band can then be held against
MEASURED = (*(curve.key for curve in CURVES), "objective/kl", "val/explained_variance", "val/num_eos_tokens")
_NEVER_NEGATIVE = {
    "objective/kl_exact",
    "policy/entropy_avg",
    "policy/clipfrac_avg",
    "loss/value_avg",
    "response_length",
    "val/num_eos_tokens",
}


def build() -> None:
    """Write the entry."""
    from core.gallery.build import write_view  # it lists the entries of this module

    loop, ppo = LoopConfig(), PPOConfig()
    key = {
        "annotator": loop.annotator,
        "pairs": loop.pairs,
        "reward_seed": loop.seed,
        "seeds": list(SEEDS),
        "updates": ppo.updates,
        "kl_coef": ppo.kl_coef,
        "learning_rate": ppo.learning_rate,
    }
    write_view("ppo_bands", key, measure(loop, ppo))


def measure(loop: LoopConfig, ppo: PPOConfig) -> dict[str, Any]:
    """`curves`: metric -> [seeds, updates]; `bands`: metric -> {low, high} at each update; `watched`: the answers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for record in tqdm(run_loop(loop, folder), desc="the loop's reward model", disable=None):
            if record.stage == "ppo":
                break
        runs = []
        watched: list[dict[str, Any]] = []
        for seed in tqdm(SEEDS, desc="PPO", unit="run", disable=None):
            config = ppo.model_copy(update={"seed": seed, "weights_every": 0, "watch_every": WATCH_EVERY})
            judge = str(folder / "reward_model")
            rows = list(run_ppo(loop.model, judge, "", config, loop.annotator, folder / f"seed-{seed}"))
            runs.append([record.metrics for record in rows])
            watched = watched or [one for record in rows for one in record.samples if "kind" in one]
    curves = {name: [[row[name] for row in run] for run in runs] for name in MEASURED}
    bands = {
        name: asdict(band_of(of_runs, 0.0 if name in _NEVER_NEGATIVE else None)) for name, of_runs in curves.items()
    }
    return {"curves": curves, "bands": bands, "watched": watched}


ENTRIES: dict[str, Callable[[], None]] = {"ppo_bands": build}

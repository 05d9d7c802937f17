"""What the Label page shows beside a reader's own learning curve: those of simulated people, measured."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from core.alignment.live.frozen_features import frozen_features
from core.alignment.live.live_curves import CHOICES, MEASURED_AT, learn, taste
from core.alignment.preferences import ResponsePair, write_pairs
from core.feedback.annotators import annotators
from core.feedback.prompts import load_prompts
from core.feedback.sources import bundled_pairs
from core.language.configs import SamplingConfig
from core.language.registry import load_policy

SEEDS = 10
FRESH_PAIRS = 2000
FRESH_SEED = 2024


def build() -> None:
    """Write the entry."""
    from core.gallery.build import write_view  # it lists the entries of this module

    key = {"seeds": SEEDS, "fresh_pairs": FRESH_PAIRS, "fresh_seed": FRESH_SEED, "measured_at": list(MEASURED_AT)}
    write_view("live_head", key, measure())


def read_gaps(policy: Any, tokenizer: Any, pairs: Sequence[ResponsePair]) -> np.ndarray:
    """Feature gaps of pairs: [N, views, width]."""
    prompts = [pair.prompt for pair in pairs for _ in range(2)]
    features = frozen_features(policy, tokenizer, prompts, [text for p in pairs for text in (p.left, p.right)])
    return features[::2] - features[1::2]


def measure() -> dict[str, Any]:
    """Every simulated annotator votes 64 times on the bundled pairs, ten times over, in both orders.

    For each annotator and order: `skill` [seeds, measured_at] on 2,000 fresh pairs of held-out prompts, and `bets`, the
    mean over the seeds of the share of bets that were right so far, after the 2nd, 3rd, … 64th vote.
    """
    policy, tokenizer = load_policy("storyteller")
    pool = [ResponsePair(pair.prompt, pair.response_a, pair.response_b) for pair in bundled_pairs()]
    sampling = SamplingConfig(max_new_tokens=48, temperature=1.0, seed=FRESH_SEED)
    *_, written = write_pairs(policy, tokenizer, load_prompts("stories").heldout, FRESH_PAIRS, sampling)
    pool_gaps, fresh_gaps = (read_gaps(policy, tokenizer, pairs) for pairs in (pool, written.pairs))
    found: dict[str, Any] = {}
    for place, (name, annotator) in enumerate(
        tqdm(annotators().items(), desc="sittings", unit="annotator", disable=None)
    ):
        known = taste(annotator, pool, written.pairs, FRESH_SEED)
        found[name] = {}
        for choice in CHOICES:
            curves = [learn(known, pool_gaps, fresh_gaps, choice, 100 * place + seed) for seed in range(SEEDS)]
            found[name][choice] = {
                "skill": [curve.skill for curve in curves],
                "bets": np.mean([curve.bets for curve in curves], axis=0),
            }
    return {"curves": found, "pool": len(pool)}


ENTRIES: dict[str, Callable[[], None]] = {"live_head": build}

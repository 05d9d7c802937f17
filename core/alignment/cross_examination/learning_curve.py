"""How much better a reward model gets with more votes: training again and again on 32, 64, 128, … of them."""

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.configs import RewardConfig
from core.alignment.cross_examination.retraining import retrained
from core.alignment.cross_examination.vote_counts import by_votes, epochs_for, sizes_up_to
from core.alignment.pair_report import evaluate_pairs
from core.alignment.reward_training import split_by_prompt, untrained
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.record import Controls, Record, no_controls


def train_curve(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[PreferencePair],
    config: RewardConfig,
    seeds: int,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
) -> Iterator[Record]:
    """A record a finished training: `votes`, `seed`, held-out accuracy and log-loss in nats.

    All trainings are measured on the same held-out pairs, those of a single model with `config`. A seed shuffles the
    training pairs once and takes the first 32, 64, … of them, so that each set holds the smaller ones. The last
    record's `result` has all rows and, by number of votes, mean and standard deviation over the seeds. A stopped curve
    goes on with the first training that had not finished. Raises PlaygroundError when nothing is held out.
    """
    train, heldout = split_by_prompt(pairs, config.heldout_share, config.seed)
    if not heldout:
        raise PlaygroundError("a learning curve needs held-out votes: set heldout_share above 0")
    sizes = sizes_up_to(len(train))
    wanted = [(size, seed) for size in sizes for seed in range(seeds)]
    rows: list[dict[str, float]] = [dict(row) for row in state["rows"]] if state else []
    for size, seed in wanted[len(rows) :]:
        order = np.random.default_rng((config.seed, seed)).permutation(len(train))
        chosen = [train[i] for i in order[:size]]
        own = config.model_copy(
            update={"seed": config.seed + seed, "heldout_share": 0.0, "epochs": epochs_for(size, config)}
        )
        model = untrained(policy, tokenizer, own)
        loss = math.nan
        for record in retrained(model, tokenizer, chosen, own, None, controls):
            loss = record.metrics["loss"]
        report = evaluate_pairs(model, tokenizer, heldout)
        rows.append(
            {
                "votes": float(size),
                "seed": float(seed),
                "epochs": float(own.epochs),
                "loss": loss,
                "heldout/accuracy": report.accuracy,
                "heldout/log_loss": report.log_loss,
            }
        )
        done = [dict(row) for row in rows]
        last = len(rows) == len(wanted)
        result = {"rows": done, "points": by_votes(done), "pairs_heldout": len(heldout)} if last else None
        yield Record(len(rows), rows[-1], "curve", total=len(wanted), state=partial(dict, rows=done), result=result)

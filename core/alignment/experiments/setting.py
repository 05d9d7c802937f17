"""What every experiment stands on: a policy, somebody's taste, the reference's own texts, and their scale."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from core.alignment.best_of_n import best_of_table
from core.alignment.configs import measuring_seed
from core.alignment.experiments.cells import Cell
from core.alignment.experiments.reference_texts import (
    Scale,
    many_of,
    pool_of,
    scale_of,
    write_many,
    write_pool,
)
from core.alignment.preferences import ResponsePair
from core.alignment.reward_folders import load_reward_model
from core.feedback.annotators import get_annotator
from core.feedback.prompts import load_prompts
from core.language.configs import SamplingConfig
from core.language.registry import load_policy, policy_info
from core.record import Controls, Record


class Setting:
    """The reference policy and its texts in `folder`, and the annotator whose true utility is the gold."""

    def __init__(self, model: str, annotator: str, seed: int, folder: Path, controls: Controls) -> None:
        self.model, self.seed, self.folder, self.controls = model, seed, folder, controls
        self.policy, self.tokenizer = load_policy(model)
        self.annotator = get_annotator(annotator)
        self.prompts = load_prompts(policy_info(model).default_prompts)
        self._pool_file, self._many_file = folder / "pool.jsonl", folder / "best_of_n.json"

    def pool_cell(self, count: int) -> Cell:
        """`count` pairs of the reference's responses to the training prompts."""

        def records(state: dict[str, Any] | None) -> Iterator[Record]:
            sampling = SamplingConfig(seed=self.seed)
            prompts = self.prompts.train
            return write_pool(self.policy, self.tokenizer, prompts, count, sampling, self._pool_file, state)

        return Cell("pool", records)

    def responses_cell(self, prompts: int, each: int) -> Cell:
        """Many responses to a few held-out prompts, for best of n."""

        def records(state: dict[str, Any] | None) -> Iterator[Record]:
            asked = list(islice(self.prompts.heldout, prompts))
            sampling = SamplingConfig(seed=measuring_seed(self.seed), batch_size=128)
            return write_many(self.policy, self.tokenizer, asked, each, sampling, self._many_file, state)

        return Cell("responses", records)

    def best_of_cell(self, name: str, reward_folder: Path, about: dict[str, Any]) -> Cell:
        """Best of n by the reward model in a folder, over the responses that `responses_cell` wrote."""
        table: list[dict[str, float]] = []

        def records(state: dict[str, Any] | None) -> Iterator[Record]:
            judge, scale = load_reward_model(reward_folder), self.scale()
            scores, golds = [], []
            for prompt, texts in many_of(self._many_file):
                scores.append(judge.rate([prompt] * len(texts), texts)[1].tolist())
                golds.append([scale.of(self.annotator.utility(prompt, text)) for text in texts])
            table[:] = best_of_table(scores, golds)
            yield Record(1, {"objective/scores": float(np.mean(scores))}, "best_of_n", total=1)

        return Cell(name, records, lambda rows: {"kind": "best_of_n", **about, "table": list(table)})

    def pool(self) -> list[ResponsePair]:
        """The pairs that `pool_cell` wrote."""
        return pool_of(self._pool_file)

    def scale(self) -> Scale:
        """Of the true utility over the pool."""
        return scale_of(self.pool(), self.annotator)

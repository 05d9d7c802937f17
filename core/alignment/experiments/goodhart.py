"""When does the proxy rise while the gold falls? PPO against reward models of few and many votes, one or an ensemble.

Every curve is of real runs: the reward model's score (proxy) and the annotator's true utility (gold, never trained on)
of each update's fresh responses, both in standard deviations of the reference's own, beside the exact KL.
Source: Gao, Schulman and Hilton, "Scaling laws for reward model overoptimization" (2023), which this repeats in small.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.best_of_n import best_of_table
from core.alignment.experiments.cells import Cell, Rows, kept, run_cells
from core.alignment.experiments.configs import GoodhartConfig
from core.alignment.experiments.reference_texts import (
    Scale,
    many_of,
    pool_of,
    scale_of,
    votes_on,
    write_many,
    write_pool,
)
from core.alignment.pooled_reward import PooledReward, Pooling
from core.alignment.ppo import train_ppo
from core.alignment.retraining import fresh, retrained
from core.alignment.reward_ensemble import bootstrap, member_config
from core.alignment.reward_model import (
    Normalisation,
    Rater,
    load_reward_model,
    save_reward_model,
    score_statistics,
)
from core.alignment.reward_training import evaluate_pairs
from core.alignment.stages import ready_to_tune
from core.errors import PlaygroundError
from core.feedback.annotators import get_annotator
from core.feedback.pairs import PreferencePair
from core.feedback.prompts import load_prompts
from core.language.configs import SamplingConfig
from core.language.registry import load_policy, policy_info
from core.record import Controls, Record, no_controls


def run_goodhart(
    config: GoodhartConfig, folder: Path, state: dict[str, Any] | None = None, controls: Controls = no_controls
) -> Iterator[Record]:
    """All the runs of `config`, reward models in `folder`; `result["findings"]` has a curve a run.

    Raises PlaygroundError when the ensemble's votes are not one of the numbers of votes.
    """
    if config.members and config.ensemble_votes not in config.votes:
        raise PlaygroundError(f"ensemble_votes: one of {', '.join(map(str, config.votes))}")
    policy, tokenizer = load_policy(config.model)
    yield from run_cells(_Goodhart(config, folder, policy, tokenizer, controls).cells(), state)


class _Goodhart:
    def __init__(
        self,
        config: GoodhartConfig,
        folder: Path,
        policy: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        controls: Controls,
    ) -> None:
        self.config, self.folder = config, folder
        self.policy, self.tokenizer, self.controls = policy, tokenizer, controls
        self.annotator = get_annotator(config.annotator)
        self.prompts = load_prompts(policy_info(config.model).default_prompts)
        self.pool_file, self.many_file = folder / "pool.jsonl", folder / "best_of_n.json"

    def cells(self) -> list[Cell]:
        """Texts first, then for each number of votes its reward models and everything that is paid by them."""
        config = self.config
        cells = [Cell("pool", self.write_pool)]
        if config.best_of:
            cells.append(Cell("responses", self.write_responses))
        for seed in range(config.seed, config.seed + config.seeds):
            for votes in config.votes:
                cells.append(self.reward_cell(votes, seed, 0))
                if config.best_of:
                    cells.append(self.best_of_cell(votes, seed))
                cells += [self.ppo_cell(votes, seed, beta, None) for beta in config.betas]
            if config.members:
                votes = config.ensemble_votes
                cells += [self.reward_cell(votes, seed, member) for member in range(1, config.members + 1)]
                cells += [self.ppo_cell(votes, seed, config.betas[0], pooling) for pooling in ("mean", "min")]
        return cells

    def write_pool(self, state: dict[str, Any] | None) -> Iterator[Record]:
        count, sampling = max(self.config.votes) + self.config.measured_on, SamplingConfig(seed=self.config.seed)
        return write_pool(self.policy, self.tokenizer, self.prompts.train, count, sampling, self.pool_file, state)

    def write_responses(self, state: dict[str, Any] | None) -> Iterator[Record]:
        prompts = list(islice(self.prompts.heldout, self.config.best_of_prompts))
        sampling = SamplingConfig(seed=self.config.seed + 1, batch_size=128)
        return write_many(self.policy, self.tokenizer, prompts, self.config.best_of, sampling, self.many_file, state)

    def scale(self) -> Scale:
        return scale_of(pool_of(self.pool_file), self.annotator)

    def taught_with(self, votes: int, seed: int, member: int) -> list[PreferencePair]:
        """The votes of one reward model; members of an ensemble (1, 2, …) see resamples of the same ones."""
        pool = pool_of(self.pool_file)[: -self.config.measured_on]
        pairs = votes_on(pool, self.annotator, votes, self.scale(), seed)
        return bootstrap(pairs, (seed, member - 1)) if member else pairs

    def unseen(self, seed: int) -> list[PreferencePair]:
        """Votes on the end of the pool, which no reward model is taught with."""
        pool = pool_of(self.pool_file)[-self.config.measured_on :]
        return votes_on(pool, self.annotator, len(pool), self.scale(), seed)

    def reward_folder(self, votes: int, seed: int, member: int) -> Path:
        return self.folder / f"reward-{votes}-{seed}-{member}"

    def reward_cell(self, votes: int, seed: int, member: int) -> Cell:
        """A reward model; what it predicts of votes that none is taught with."""
        config = self.config.reward.model_copy(update={"seed": seed})
        if member:
            config = member_config(config, member - 1)

        def records(state: dict[str, Any] | None) -> Iterator[Record]:
            model = fresh(self.policy, self.tokenizer, config)
            yield from retrained(model, self.tokenizer, self.taught_with(votes, seed, member), config, state)
            unseen = self.unseen(seed)
            normalisation = Normalisation(*score_statistics(model, self.tokenizer, unseen), self.config.model)
            save_reward_model(model, self.tokenizer, normalisation, self.reward_folder(votes, seed, member))
            report = evaluate_pairs(model, self.tokenizer, unseen)
            measured = {"unseen/accuracy": report.accuracy, "unseen/log_loss": report.log_loss}
            yield Record(0, measured, "reward")  # keeps no state: from an earlier checkpoint it is measured again

        def finding(rows: Rows) -> dict[str, Any]:
            about = {"kind": "reward", "votes": votes, "seed": seed, "member": member}
            return about | {name.split("/")[1]: rows[-1][name] for name in ("unseen/accuracy", "unseen/log_loss")}

        return Cell(f"reward-{votes}-{seed}-{member}", records, finding)

    def best_of_cell(self, votes: int, seed: int) -> Cell:
        """Best of n by one reward model, over the same responses as by every other."""
        table: list[dict[str, float]] = []

        def records(state: dict[str, Any] | None) -> Iterator[Record]:
            judge, scale = load_reward_model(self.reward_folder(votes, seed, 0)), self.scale()
            scores, golds = [], []
            for prompt, texts in many_of(self.many_file):
                scores.append(judge.rate([prompt] * len(texts), texts)[1].tolist())
                golds.append([scale.of(self.annotator.utility(prompt, text)) for text in texts])
            table[:] = best_of_table(scores, golds)
            yield Record(1, {"objective/scores": float(np.mean(scores))}, "best_of_n", total=1)

        def finding(rows: Rows) -> dict[str, Any]:
            return {"kind": "best_of_n", "votes": votes, "seed": seed, "table": list(table)}

        return Cell(f"best-of-n-{votes}-{seed}", records, finding)

    def ppo_cell(self, votes: int, seed: int, beta: float, pooling: Pooling | None) -> Cell:
        """PPO paid by one reward model, or by the ensemble pooled."""
        config = self.config.ppo.model_copy(update={"seed": seed, "kl_coef": beta})

        def records(state: dict[str, Any] | None) -> Iterator[Record]:
            tuned, reference = ready_to_tune(self.policy, config.lora_rank)
            return train_ppo(
                tuned,
                reference,
                self.paid_by(votes, seed, pooling),
                self.prompts.train,
                config,
                self.tokenizer,
                state,
                self.controls,
                self.annotator,
            )

        def finding(rows: Rows) -> dict[str, Any]:
            curve = kept(
                rows,
                {
                    "kl": "objective/kl_exact",
                    "proxy": "objective/scores",
                    "gold": "objective/gold",
                    "length": "response_length",
                },
            )
            scale = self.scale()
            curve["gold"] = [scale.of(utility) for utility in curve["gold"]]
            about = {"kind": "ppo", "votes": votes, "seed": seed, "beta": beta, "judge": pooling or "single"}
            return about | curve

        return Cell(f"ppo-{votes}-{seed}-{beta:g}-{pooling or 'single'}", records, finding)

    def paid_by(self, votes: int, seed: int, pooling: Pooling | None) -> Rater:
        if pooling is None:
            return load_reward_model(self.reward_folder(votes, seed, 0))
        members = range(1, self.config.members + 1)
        return PooledReward([load_reward_model(self.reward_folder(votes, seed, m)) for m in members], pooling)

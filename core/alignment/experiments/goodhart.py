"""When does the proxy rise while the gold falls? PPO against reward models of few and many votes, one or an ensemble.

Every curve is of real runs: the reward model's score (proxy) and the annotator's true utility (gold, never trained on)
of each update's fresh responses, both in standard deviations of the reference's own, beside the exact KL.
Source: Gao, Schulman and Hilton, "Scaling laws for reward model overoptimization" (2023), which this repeats in small.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.alignment.configs import RewardConfig
from core.alignment.cross_examination.retraining import retrained
from core.alignment.cross_examination.reward_ensemble import bootstrap, member_config
from core.alignment.experiments.cells import Cell, Rows, kept, run_cells
from core.alignment.experiments.configs import GoodhartConfig
from core.alignment.experiments.reference_texts import votes_on
from core.alignment.experiments.setting import Setting
from core.alignment.pair_report import evaluate_pairs
from core.alignment.pooled_reward import PooledReward, Pooling
from core.alignment.ppo import train_ppo
from core.alignment.reward_folders import load_reward_model, save_reward_model
from core.alignment.reward_model import Normalisation, Rater, score_statistics
from core.alignment.reward_training import untrained
from core.alignment.stages import ready_to_tune
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.record import Controls, Record, no_controls


def run_goodhart(
    config: GoodhartConfig, folder: Path, state: dict[str, Any] | None = None, controls: Controls = no_controls
) -> Iterator[Record]:
    """All the runs of `config`, reward models in `folder`; `result["findings"]` has a curve a run.

    Raises PlaygroundError when the ensemble's votes are not one of the numbers of votes.
    """
    if config.members and config.ensemble_votes not in config.votes:
        raise PlaygroundError(f"ensemble_votes: one of {', '.join(map(str, config.votes))}")
    setting = Setting(config.model, config.annotator, config.seed, folder, controls)
    yield from run_cells(_Goodhart(config, setting).cells(), state)


class _Goodhart:
    def __init__(self, config: GoodhartConfig, setting: Setting) -> None:
        self.config, self.setting = config, setting

    def cells(self) -> list[Cell]:
        """Texts first, then for each number of votes its reward models and everything that is paid by them."""
        config, setting = self.config, self.setting
        cells = [setting.pool_cell(max(config.votes) + config.measured_on)]
        if config.best_of:
            cells.append(setting.responses_cell(config.best_of_prompts, config.best_of))
        for seed in range(config.seed, config.seed + config.seeds):
            for votes in config.votes:
                cells.append(self.reward_cell(votes, seed, 0))
                if config.best_of:
                    judge = self.reward_folder(votes, seed, 0)
                    cells.append(
                        setting.best_of_cell(f"best-of-n-{votes}-{seed}", judge, {"votes": votes, "seed": seed})
                    )
                cells += [self.ppo_cell(votes, seed, beta, None) for beta in config.betas]
            if config.members:
                votes = config.ensemble_votes
                cells += [self.reward_cell(votes, seed, member) for member in range(1, config.members + 1)]
                cells += [self.ppo_cell(votes, seed, config.betas[0], pooling) for pooling in ("mean", "min")]
        return cells

    def taught_with(self, votes: int, seed: int, member: int) -> list[PreferencePair]:
        """The votes of one reward model; members of an ensemble (1, 2, …) see resamples of the same ones."""
        pool = self.setting.pool()[: -self.config.measured_on]
        pairs = votes_on(pool, self.setting.annotator, votes, self.setting.scale(), seed)
        return bootstrap(pairs, (seed, member - 1)) if member else pairs

    def unseen(self, seed: int) -> list[PreferencePair]:
        """Votes on the end of the pool, which no reward model is taught with."""
        pool = self.setting.pool()[-self.config.measured_on :]
        return votes_on(pool, self.setting.annotator, len(pool), self.setting.scale(), seed)

    def reward_folder(self, votes: int, seed: int, member: int) -> Path:
        return self.setting.folder / f"reward-{votes}-{seed}-{member}"

    def reward_cell(self, votes: int, seed: int, member: int) -> Cell:
        """A reward model; what it predicts of votes that none is taught with."""
        config: RewardConfig = self.config.reward.model_copy(update={"seed": seed})
        if member:
            config = member_config(config, member - 1)

        def records(state: dict[str, Any] | None) -> Iterator[Record]:
            model = untrained(self.setting.policy, self.setting.tokenizer, config)
            yield from retrained(model, self.setting.tokenizer, self.taught_with(votes, seed, member), config, state)
            unseen = self.unseen(seed)
            normalisation = Normalisation(*score_statistics(model, self.setting.tokenizer, unseen), self.config.model)
            save_reward_model(model, self.setting.tokenizer, normalisation, self.reward_folder(votes, seed, member))
            report = evaluate_pairs(model, self.setting.tokenizer, unseen)
            measured = {"unseen/accuracy": report.accuracy, "unseen/log_loss": report.log_loss}
            yield Record(0, measured, "reward")  # keeps no state: from an earlier checkpoint it is measured again

        def finding(rows: Rows) -> dict[str, Any]:
            about = {"kind": "reward", "votes": votes, "seed": seed, "member": member}
            return about | {name.split("/")[1]: rows[-1][name] for name in ("unseen/accuracy", "unseen/log_loss")}

        return Cell(f"reward-{votes}-{seed}-{member}", records, finding)

    def ppo_cell(self, votes: int, seed: int, beta: float, pooling: Pooling | None) -> Cell:
        """PPO paid by one reward model, or by the ensemble pooled."""
        config = self.config.ppo.model_copy(update={"seed": seed, "kl_coef": beta})

        def records(state: dict[str, Any] | None) -> Iterator[Record]:
            tuned, reference = ready_to_tune(self.setting.policy, config.lora_rank, config.seed)
            return train_ppo(
                tuned,
                reference,
                self.paid_by(votes, seed, pooling),
                self.setting.prompts.train,
                config,
                self.setting.tokenizer,
                state,
                self.setting.controls,
                self.setting.annotator,
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
            scale = self.setting.scale()
            curve["gold"] = [scale.of(utility) for utility in curve["gold"]]
            about = {"kind": "ppo", "votes": votes, "seed": seed, "beta": beta, "judge": pooling or "single"}
            return about | curve

        return Cell(f"ppo-{votes}-{seed}-{beta:g}-{pooling or 'single'}", records, finding)

    def paid_by(self, votes: int, seed: int, pooling: Pooling | None) -> Rater:
        if pooling is None:
            return load_reward_model(self.reward_folder(votes, seed, 0))
        members = range(1, self.config.members + 1)
        return PooledReward([load_reward_model(self.reward_folder(votes, seed, m)) for m in members], pooling)

"""Two people who want the opposite, and one number for both: votes of one with ever more of the other's among them.

The second person's utility is exactly minus the first's. Each reward model is measured against either's own votes on
pairs it never saw; a policy is tuned with it, and both people's true utility is told.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from core.alignment.configs import PPOConfig
from core.alignment.cross_examination.retraining import retrained
from core.alignment.experiments.cells import Cell, Rows, kept, run_cells
from core.alignment.experiments.configs import TastesConfig, TaughtConfig
from core.alignment.experiments.reference_texts import votes_on
from core.alignment.experiments.setting import Setting
from core.alignment.pair_report import evaluate_pairs
from core.alignment.ppo import train_ppo
from core.alignment.reward_folders import load_reward_model, save_reward_model
from core.alignment.reward_model import Normalisation, score_statistics
from core.alignment.reward_training import untrained
from core.alignment.stages import ready_to_tune
from core.feedback.pairs import PreferencePair
from core.record import Controls, Record, no_controls


def run_tastes(
    config: TastesConfig, folder: Path, state: dict[str, Any] | None = None, controls: Controls = no_controls
) -> Iterator[Record]:
    """A reward model and a policy for every share of `config`; `result["findings"]` has both of each."""
    setting = Setting(config.model, config.annotator, config.seed, folder, controls)
    tastes = _Tastes(config, setting)
    cells = [setting.pool_cell(config.votes + config.measured_on)]
    for share in config.shares:
        cells += [tastes.reward_cell(share), tastes.ppo_cell(share)]
    yield from run_cells(cells, state)


def swapped(pair: PreferencePair) -> PreferencePair:
    """The vote that somebody with the opposite taste and the same noise would have given."""
    return PreferencePair(pair.prompt, pair.rejected, pair.chosen, pair.margin, "opposite")


class _Tastes:
    def __init__(self, config: TastesConfig, setting: Setting) -> None:
        self.config, self.setting = config, setting

    def reward_folder(self, share: float) -> Path:
        return self.setting.folder / f"reward-{share:g}"

    def votes(self, share: float) -> list[PreferencePair]:
        """`share` of them the second person's, which ones by the seed."""
        setting, config = self.setting, self.config
        pool = setting.pool()[: -config.measured_on]
        votes = votes_on(pool, setting.annotator, config.votes, setting.scale(), config.seed)
        theirs = set(np.random.default_rng((config.seed, 3)).permutation(len(votes))[: round(share * len(votes))])
        return [swapped(vote) if place in theirs else vote for place, vote in enumerate(votes)]

    def reward_cell(self, share: float) -> Cell:
        """One scalar for both; how much of either's votes it predicts."""
        setting, config = self.setting, TaughtConfig(seed=self.config.seed)

        def records(state: dict[str, Any] | None) -> Iterator[Record]:
            model = untrained(setting.policy, setting.tokenizer, config)
            yield from retrained(model, setting.tokenizer, self.votes(share), config, state)
            pool = setting.pool()[-self.config.measured_on :]
            unseen = votes_on(pool, setting.annotator, len(pool), setting.scale(), config.seed)
            normalisation = Normalisation(*score_statistics(model, setting.tokenizer, unseen), setting.model)
            save_reward_model(model, setting.tokenizer, normalisation, self.reward_folder(share))
            first = evaluate_pairs(model, setting.tokenizer, unseen)
            second = evaluate_pairs(model, setting.tokenizer, [swapped(vote) for vote in unseen])
            yield Record(0, {"first/accuracy": first.accuracy, "second/accuracy": second.accuracy}, "reward")

        def finding(rows: Rows) -> dict[str, Any]:
            return {
                "kind": "reward",
                "share": share,
                "first": rows[-1]["first/accuracy"],
                "second": rows[-1]["second/accuracy"],
            }

        return Cell(f"reward-{share:g}", records, finding)

    def ppo_cell(self, share: float) -> Cell:
        """What a policy becomes that is paid by it. The second person's gold is minus the first's."""
        setting = self.setting
        config = PPOConfig(
            updates=self.config.updates,
            rollout_batch=self.config.rollout_batch,
            seed=self.config.seed,
            weights_every=0,
            watch_prompts=0,
        )

        def records(state: dict[str, Any] | None) -> Iterator[Record]:
            tuned, reference = ready_to_tune(setting.policy, config.lora_rank, config.seed)
            judge, prompts, tokenizer = (
                load_reward_model(self.reward_folder(share)),
                setting.prompts.train,
                setting.tokenizer,
            )
            return train_ppo(
                tuned, reference, judge, prompts, config, tokenizer, state, setting.controls, setting.annotator
            )

        def finding(rows: Rows) -> dict[str, Any]:
            names = {"kl": "objective/kl_exact", "proxy": "objective/scores", "gold": "objective/gold"}
            curve = kept(rows, names)
            curve["gold"] = [setting.scale().of(utility) for utility in curve["gold"]]
            return {"kind": "ppo", "share": share, **curve}

        return Cell(f"ppo-{share:g}", records, finding)

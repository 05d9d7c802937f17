"""How much reward for how much KL? Every method on the same votes, the same prompts, the same number of responses.

The votes teach one reward model; PPO (critic on the policy's trunk, or of its own), RLOO and GRPO are paid by it, best
of n is chosen by it, and DPO learns from the votes themselves. Each trained policy is measured on held-out prompts:
the annotator's true utility (gold) and the reward model's score (proxy), in standard deviations of the reference's own
responses, and the exact KL. All of it again from other seeds says what chance does: other votes are drawn from the same
pairs, another reward model is taught, every policy starts anew.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn
from transformers import PreTrainedModel

from core.alignment.configs import DPOConfig, GroupConfig, PPOConfig, RewardConfig, measuring_seed
from core.alignment.dpo import train_dpo
from core.alignment.evaluation import compare_on_heldout, summarise_heldout
from core.alignment.experiments.cells import Cell, Rows, kept, run_cells
from core.alignment.experiments.configs import FrontierConfig
from core.alignment.experiments.reference_texts import votes_on
from core.alignment.experiments.setting import Setting
from core.alignment.ppo import train_ppo
from core.alignment.reward_folders import load_reward_model
from core.alignment.rloo_grpo import train_grouped
from core.alignment.stages import ready_to_tune, reward_stage
from core.feedback.pairs import PreferencePair
from core.feedback.words import word_count
from core.language.adapters import bare
from core.language.configs import SamplingConfig
from core.record import Controls, Record, no_controls

_CURVE = {"kl": "objective/kl_exact", "proxy": "objective/scores", "gold": "objective/gold"}

Reference = PreTrainedModel | None
State = dict[str, Any] | None
Trainer = Callable[[nn.Module, Reference, State], Iterator[Record]]


def run_frontier(
    config: FrontierConfig, folder: Path, state: dict[str, Any] | None = None, controls: Controls = no_controls
) -> Iterator[Record]:
    """All the methods of `config`; `result["findings"]` has one finding a trained policy, and best of n's table."""
    setting = Setting(config.model, config.annotator, config.seed, folder, controls)
    yield from run_cells(_Frontier(config, setting).cells(), state)


class _Frontier:
    def __init__(self, config: FrontierConfig, setting: Setting) -> None:
        self.config, self.setting = config, setting

    def cells(self) -> list[Cell]:
        config, setting = self.config, self.setting
        cells = [setting.pool_cell(config.votes)]
        if config.best_of:
            cells.append(setting.responses_cell(config.best_of_prompts, config.best_of))
        for seed in range(config.seed, config.seed + config.seeds):
            cells += self.of_seed(seed)
        return cells

    def of_seed(self, seed: int) -> list[Cell]:
        """The votes' reward model and everything that is paid by it, or by the votes."""
        config, setting = self.config, self.setting
        cells = [Cell(f"reward-{seed}", partial(self.teach, seed))]
        if config.best_of:
            cells.append(setting.best_of_cell(f"best-of-n-{seed}", self.reward_folder(seed), {"seed": seed}))
        for beta in config.betas:
            for value_model in ("shared", "separate"):
                ppo = PPOConfig.checked(**self.common(beta, seed), value_model=value_model, watch_prompts=0)
                cells.append(self.trained_cell(f"ppo_{value_model}", beta, seed, partial(self.ppo, ppo)))
            for algorithm in ("rloo", "grpo"):
                grouped = GroupConfig.checked(**self.common(beta, seed), algorithm=algorithm)
                cells.append(self.trained_cell(algorithm, beta, seed, partial(self.grouped, grouped)))
        for beta in config.dpo_betas:
            dpo = DPOConfig(beta=beta, seed=seed)
            cells.append(self.trained_cell("dpo", beta, seed, partial(self.dpo, dpo)))
        return cells

    def common(self, beta: float, seed: int) -> dict[str, Any]:
        """What all methods share that write as they learn."""
        return {
            "updates": self.config.updates,
            "rollout_batch": self.config.rollout_batch,
            "kl_coef": beta,
            "seed": seed,
            "weights_every": 0,
        }

    def reward_folder(self, seed: int) -> Path:
        return self.setting.folder / f"reward-{seed}"

    def votes(self, seed: int) -> list[PreferencePair]:
        """The annotator's, on the whole pool."""
        setting = self.setting
        return votes_on(setting.pool(), setting.annotator, self.config.votes, setting.scale(), seed)

    def teach(self, seed: int, state: dict[str, Any] | None) -> Iterator[Record]:
        """The one reward model that the others of its seed are paid by."""
        setting, config = self.setting, RewardConfig(seed=seed, weights_kept=0)
        folder, controls, votes = self.reward_folder(seed), setting.controls, self.votes(seed)
        return reward_stage(setting.policy, setting.tokenizer, votes, config, setting.model, folder, state, controls)

    def ppo(self, config: PPOConfig, model: nn.Module, reference: Reference, state: State) -> Iterator[Record]:
        setting, judge = self.setting, load_reward_model(self.reward_folder(config.seed))
        prompts, tokenizer = setting.prompts.train, setting.tokenizer
        return train_ppo(
            model, reference, judge, prompts, config, tokenizer, state, setting.controls, setting.annotator
        )

    def grouped(self, config: GroupConfig, model: nn.Module, reference: Reference, state: State) -> Iterator[Record]:
        setting, judge = self.setting, load_reward_model(self.reward_folder(config.seed))
        prompts, tokenizer = setting.prompts.train, setting.tokenizer
        return train_grouped(
            model, reference, judge, prompts, config, tokenizer, state, setting.controls, setting.annotator
        )

    def dpo(self, config: DPOConfig, model: nn.Module, reference: Reference, state: State) -> Iterator[Record]:
        setting = self.setting
        return train_dpo(model, reference, self.votes(config.seed), config, setting.tokenizer, state, setting.controls)

    def trained_cell(self, method: str, beta: float, seed: int, trainer: Trainer) -> Cell:
        """A policy trained by one method, and where it stands on the plane."""

        def records(state: dict[str, Any] | None) -> Iterator[Record]:
            tuned, reference = ready_to_tune(self.setting.policy, PPOConfig().lora_rank, seed)
            yield from trainer(tuned, reference, state)
            yield Record(0, self.measured(bare(tuned).eval(), seed), "evaluation")

        def finding(rows: Rows) -> dict[str, Any]:
            where = {name.split("/")[1]: value for name, value in rows[-1].items() if name.startswith("heldout/")}
            curve = kept(rows[:-1], _CURVE)
            curve["gold"] = [self.setting.scale().of(utility) for utility in curve["gold"]]
            return {"kind": "policy", "method": method, "beta": beta, "seed": seed, **where, "curve": curve}

        return Cell(f"{method}-{beta:g}-{seed}", records, finding)

    def measured(self, tuned: PreTrainedModel, seed: int) -> dict[str, float]:
        """Gold, proxy, win rate and KL on held-out prompts."""
        config, setting = self.config, self.setting
        sampling = SamplingConfig(seed=measuring_seed(seed))
        prompts = list(islice(cycle(setting.prompts.heldout), config.evaluation_prompts))
        rows = compare_on_heldout(tuned, setting.policy, setting.tokenizer, prompts, setting.annotator, sampling)
        judge, scale = load_reward_model(self.reward_folder(seed)), setting.scale()
        _, scores = judge.rate([row.prompt for row in rows], [row.tuned_response for row in rows])
        said = summarise_heldout(rows)
        golds = [scale.of(row.gold_tuned) for row in rows]
        return {
            "heldout/gold": float(np.mean(golds)),
            "heldout/gold_se": float(np.std(golds) / len(golds) ** 0.5),
            "heldout/proxy": scores.mean().item(),
            "heldout/win_rate": said["gold_win_rate"],
            "heldout/kl": said["kl"],
            "heldout/words": float(np.mean([word_count(row.tuned_response) for row in rows])),
        }

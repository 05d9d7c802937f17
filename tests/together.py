"""What each of several processes does in test_processes: trains every trainer a little, and writes down what it saw.

As a script: `python together.py FOLDER FAMILY`, once for each rank.
"""

import json
import sys
from pathlib import Path

import torch

from core import processes
from core.alignment.configs import DPOConfig, GroupConfig, PPOConfig, RewardConfig
from core.alignment.dpo import train_dpo
from core.alignment.ppo import train_ppo
from core.alignment.reward_model import Normalisation, RewardModel, new_reward_model
from core.alignment.reward_training import train_reward_model
from core.alignment.rloo_grpo import train_grouped
from core.feedback.pairs import PreferencePair
from tests import tiny

ON_POLICY = {"updates": 2, "rollout_batch": 7, "minibatches": 3, "epochs": 2, "max_new_tokens": 10, "seed": 1}
PAIRS = [PreferencePair(f"Day {i}:", " a happy day" + " and on" * (i % 4), f" a sad day {i}", i % 3) for i in range(21)]


def judge(family):
    model = new_reward_model(tiny.FAMILIES[family](seed=5), tiny.tokenizer())
    torch.nn.init.normal_(model.score.weight, generator=torch.Generator().manual_seed(0))
    return RewardModel(model, tiny.tokenizer(), Normalisation(0.2, 1.5, "tiny"))


def trainers(family):
    """Name -> the records of that trainer; minibatches of 7 rows in 3 parts are shared unevenly, or not at all."""
    make, tokenizer = tiny.FAMILIES[family], tiny.tokenizer()
    ppo = PPOConfig(**ON_POLICY, learning_rate=3e-4, whiten_rewards=True, entropy_coef=0.01, micro_batch=2)
    rloo = GroupConfig(**ON_POLICY | {"rollout_batch": 8}, learning_rate=3e-4, group_size=4)
    reward = RewardConfig(epochs=1, batch_pairs=7, heldout_share=0.2, patience=9, evaluate_every=1)
    dpo = DPOConfig(batch_pairs=9)
    return {
        "ppo": train_ppo(make(), make(), judge(family), tiny.PROMPTS, ppo, tokenizer),
        "rloo": train_grouped(make(), make(), judge(family), tiny.PROMPTS, rloo, tokenizer),
        "reward": train_reward_model(new_reward_model(make(), tokenizer), tokenizer, PAIRS, reward),
        "dpo": train_dpo(make(), make(), PAIRS, dpo, tokenizer, heldout=PAIRS[:5]),
    }


def curves_and_rollout(family):
    """Every trainer's metrics, step after step, and the rollout behind PPO's last update."""
    curves, rollout = {}, {}
    for name, records in trainers(family).items():
        curves[name] = []
        for record in records:
            kept = {k: v for k, v in record.metrics.items() if not k.startswith("time/") and k != "eps"}
            curves[name].append(kept)
            rollout = record.rollout if name == "ppo" else rollout
    return curves, rollout


if __name__ == "__main__":
    folder, family = Path(sys.argv[1]), sys.argv[2]
    with processes.together():
        curves, rollout = curves_and_rollout(family)
        said = {"world": processes.world(), "curves": curves}
        torch.save(rollout, folder / f"{processes.rank()}.pt")
        (folder / f"{processes.rank()}.json").write_text(json.dumps(said))

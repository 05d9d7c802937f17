"""The default PPO run on the storyteller, whole: `python benchmarks/ppo.py`. Run with nothing else on the machine.

Medians over the updates, the first left out. An update beside the peer's, and SmolLM2's: `beside_peer.py`.
"""

import resource
import statistics
import time

import torch

from core.alignment.configs import PPOConfig
from core.alignment.ppo import train_ppo
from core.alignment.reward_model import RewardModel, new_reward_model
from core.alignment.stages import ready_to_tune
from core.feedback.prompts import load_prompts
from core.language.registry import load_policy

PHASES = ("update", "time/sampling", "time/scoring", "time/optimisation")


def main() -> None:
    """One run, its row printed. The reward model has a random head: as slow as any, all scores differ."""
    policy, tokenizer = load_policy("storyteller")
    reward = new_reward_model(policy, tokenizer)
    torch.nn.init.normal_(reward.score.weight, generator=torch.Generator().manual_seed(0))
    tuned, reference = ready_to_tune(policy, PPOConfig().lora_rank)
    prompts = load_prompts("stories").train
    parts: list[dict[str, float]] = []
    began = last = time.perf_counter()
    for record in train_ppo(tuned, reference, RewardModel(reward, tokenizer), prompts, PPOConfig(), tokenizer):
        now = time.perf_counter()
        parts.append({"update": now - last} | {k: v for k, v in record.metrics.items() if k.startswith("time/")})
        last = now
    medians = [statistics.median(one[part] for one in parts[1:]) for part in PHASES]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = " | ".join(f"{seconds:.2f}" for seconds in (*medians, last - began))
    print("| update s | sampling | scoring | optimisation | whole run s | peak MB |")
    print("|---|---|---|---|---|---|")
    print(f"| {figures} | {peak:.0f} |")
    print("bar: whole run ≤ 45 s")


if __name__ == "__main__":
    main()

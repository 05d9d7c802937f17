"""The default PPO run on the storyteller, whole. Run with nothing else on the machine.

    python benchmarks/ppo.py              what it costs: medians over the updates, the first left out
    python benchmarks/ppo.py --seeds 3    what it gains: the true utility, on prompts never trained on

An update beside the peer's, and SmolLM2's: `beside_peer.py`.
"""

import argparse
import resource
import statistics
import tempfile
import time
from pathlib import Path

import torch

from core.alignment.configs import PPOConfig, RewardConfig, measuring_seed, usual_ppo
from core.alignment.evaluation import compare_on_heldout, summarise_heldout
from core.alignment.ppo import train_ppo
from core.alignment.reward_folders import load_reward_model
from core.alignment.reward_model import RewardModel, new_reward_model
from core.alignment.stages import ppo_stage, preferences_stage, ready_to_tune, reward_stage, voted_pairs
from core.feedback.annotators import get_annotator
from core.feedback.prompts import load_prompts
from core.language.configs import SamplingConfig
from core.language.registry import load_policy
from core.record import no_controls

PHASES = ("update", "time/sampling", "time/scoring", "time/optimisation")
VOTES = 1536


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=0, help="seeds to measure the gain with (0: the cost)")
    arguments = parser.parse_args()
    if arguments.seeds:
        gain(arguments.seeds)
    else:
        cost()


def gain(seeds: int) -> None:
    """Sunny's votes, a reward model and the default run, a row a seed: measured like the loop, on its prompts."""
    policy, tokenizer = load_policy("storyteller")
    prompts, annotator = load_prompts("stories"), get_annotator("sunny")
    print("| seed | gold win rate | KL, nats per response | gold before | gold after | PPO s |")
    print("|---|---|---|---|---|---|")
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            votes, judge, sampling = folder / "votes.jsonl", folder / "judge", SamplingConfig(seed=seed)
            for _ in preferences_stage(policy, tokenizer, prompts.train, annotator, VOTES, sampling, votes, None):
                pass
            config, pairs = RewardConfig(seed=seed, weights_kept=0), voted_pairs(votes)[0]
            for _ in reward_stage(policy, tokenizer, pairs, config, "storyteller", judge, None, no_controls):
                pass
            rater, began = load_reward_model(judge), time.perf_counter()
            ppo, tuned = usual_ppo("storyteller").model_copy(update={"seed": seed}), folder / "policy"
            for _ in ppo_stage(policy, tokenizer, rater, prompts.train, ppo, tuned, None, no_controls):
                pass
            seconds = time.perf_counter() - began
            measuring = sampling.model_copy(update={"seed": measuring_seed(seed)})
            after, _ = load_policy(str(tuned))
            rows = compare_on_heldout(after, policy, tokenizer, prompts.heldout[:256], annotator, measuring)
        found = summarise_heldout(rows)
        figures = (found[name] for name in ("gold_win_rate", "kl", "gold_before", "gold_after"))
        print(f"| {seed} | " + " | ".join(f"{figure:.3f}" for figure in figures) + f" | {seconds:.1f} |", flush=True)
    print("bars: gold win rate ≥ 0.90 at KL ≤ 10")


def cost() -> None:
    """One run, its row printed. The reward model has a random head: as slow as any, all scores differ."""
    policy, tokenizer = load_policy("storyteller")
    reward = new_reward_model(policy, tokenizer)
    torch.nn.init.normal_(reward.score.weight, generator=torch.Generator().manual_seed(0))
    tuned, reference = ready_to_tune(policy, PPOConfig().lora_rank, seed=0)
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

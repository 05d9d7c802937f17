"""PPO beside its bars. Run with nothing else on the machine; medians over the updates, the first left out.

python benchmarks/ppo.py default     the default run on the storyteller, whole
python benchmarks/ppo.py small       64 prompts of 16 tokens, 32 new, 4 epochs × 4 minibatches, as the peers' case:
                                     with a separate value model (the same maths) and with the shared trunk
python benchmarks/ppo.py smollm2     SmolLM2-135M with LoRA: 8 prompts, 24 new tokens, 2 optimiser steps
"""

import argparse
import resource
import statistics
import time
from collections.abc import Sequence

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.configs import PPOConfig
from core.alignment.ppo import train_ppo
from core.alignment.reward_model import RewardModel, new_reward_model
from core.alignment.stages import ready_to_tune
from core.feedback.prompts import load_prompts
from core.language.registry import load_policy

BARS = {
    "default": "whole run ≤ 45 s",
    "small": "separate ≤ 2.5 s an update (tuned peer 5.02), shared ≤ 1.5 s, peak ≤ 900 MB (peer 1225)",
    "smollm2": "≤ 4.5 s an update (tuned peer 7.09)",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=tuple(BARS))
    parser.add_argument("--updates", type=int, default=8)
    arguments = parser.parse_args()
    print("| case | update s | sampling | scoring | optimisation | whole run s | peak MB |")
    print("|---|---|---|---|---|---|---|")
    if arguments.case == "default":
        measure("default", "storyteller", PPOConfig(), load_prompts("stories").train)
    elif arguments.case == "small":
        _, tokenizer = load_policy("storyteller")
        for value_model in ("separate", "shared"):
            config = PPOConfig(
                updates=arguments.updates,
                epochs=4,
                minibatches=4,
                learning_rate=1e-5,
                value_model=value_model,
                watch_prompts=0,
                weights_every=0,
            )
            measure(value_model, "storyteller", config, of_length(tokenizer, load_prompts("stories").train, 16))
    else:
        config = PPOConfig(
            updates=arguments.updates,
            rollout_batch=8,
            max_new_tokens=24,
            epochs=2,
            minibatches=1,
            watch_prompts=0,
            weights_every=0,
        )
        measure("smollm2", "smollm2-135m", config, load_prompts("chat").train)
    print(f"bars: {BARS[arguments.case]}")


def of_length(tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str], tokens: int) -> list[str]:
    """The prompts one behind the other, cut into pieces of so many tokens."""
    ids = [token for prompt in prompts for token in tokenizer(" " + prompt)["input_ids"]]
    return [str(tokenizer.decode(ids[first : first + tokens])) for first in range(0, len(ids) - tokens, tokens)]


def measure(name: str, model: str, config: PPOConfig, prompts: Sequence[str]) -> None:
    """One run, its row printed. The reward model is an untrained one on the policy's trunk: as slow as any."""
    policy, tokenizer = load_policy(model)
    judge = RewardModel(untrained(policy, tokenizer), tokenizer)
    tuned, reference = ready_to_tune(policy, config.lora_rank)
    parts: list[dict[str, float]] = []
    began = last = time.perf_counter()
    for record in train_ppo(tuned, reference, judge, prompts, config, tokenizer):
        now = time.perf_counter()
        parts.append({"update": now - last} | {k: v for k, v in record.metrics.items() if k.startswith("time/")})
        last = now
    medians = [
        statistics.median(one[part] for one in parts[1:])
        for part in ("update", "time/sampling", "time/scoring", "time/optimisation")
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = " | ".join(f"{seconds:.2f}" for seconds in (*medians, last - began))
    print(f"| {name} | {figures} | {peak:.0f} |", flush=True)


def untrained(policy: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """A reward model whose head is random: all scores differ, none means anything."""
    import torch

    model = new_reward_model(policy, tokenizer)
    torch.nn.init.normal_(model.score.weight, generator=torch.Generator().manual_seed(0))
    return model


if __name__ == "__main__":
    main()

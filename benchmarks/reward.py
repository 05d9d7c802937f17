"""What a reward model learns, beside its bars: `python benchmarks/reward.py`. Run with nothing else on the machine.

2,048 of Sunny's votes, measured on 4,096 fresh pairs; a row a seed, in float32 and, where this processor gains, in
bfloat16: training may be faster, never worse. How fast it learns: `beside_peer.py reward`.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

SKILL_BAR, CALIBRATION_BAR = 0.70, 0.05


def precisions() -> list[str]:
    from core.language.bfloat16 import bf16_pays

    return ["float32", *(["bfloat16"] if bf16_pays() else [])]


def skill(seeds: int, pairs: int, fresh_pairs: int) -> None:
    """The votes and the measurement are those of the loop, in other numbers."""
    from core.alignment.configs import RewardConfig, measuring_seed
    from core.alignment.evaluation import reward_skill
    from core.alignment.reward_folders import load_reward_model
    from core.alignment.stages import preferences_stage, reward_stage, voted_pairs
    from core.feedback.annotators import get_annotator
    from core.feedback.prompts import load_prompts
    from core.language.configs import SamplingConfig
    from core.language.registry import load_policy
    from core.record import no_controls

    policy, tokenizer = load_policy("storyteller")
    prompts, annotator = load_prompts("stories"), get_annotator("sunny")
    measured = precisions()  # before the environment decides it
    print("| seed | precision | accuracy | ceiling | skill | calibration error | seconds |")
    print("|---|---|---|---|---|---|---|")
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            sampling = SamplingConfig(max_new_tokens=32, seed=seed)
            file = folder / "preferences.jsonl"
            for _ in preferences_stage(policy, tokenizer, prompts.train, annotator, pairs, sampling, file, None):
                pass
            votes, sd = voted_pairs(file)
            for precision in measured:
                os.environ["RLHF_PLAYGROUND_PRECISION"] = precision
                config = RewardConfig(seed=seed, weights_kept=0)
                began = time.perf_counter()
                for _ in reward_stage(
                    policy, tokenizer, votes, config, "storyteller", folder / precision, None, no_controls
                ):
                    pass
                seconds = time.perf_counter() - began
                os.environ["RLHF_PLAYGROUND_PRECISION"] = "float32"
                measuring = sampling.model_copy(update={"seed": measuring_seed(seed)})
                found = reward_skill(
                    load_reward_model(folder / precision),
                    policy,
                    tokenizer,
                    prompts.heldout,
                    annotator,
                    sd,
                    fresh_pairs,
                    measuring,
                )
                figures = " | ".join(
                    f"{found[name]:.3f}"
                    for name in (
                        "reward_accuracy",
                        "reward_accuracy_ceiling",
                        "reward_skill",
                        "reward_calibration_error",
                    )
                )
                print(f"| {seed} | {precision} | {figures} | {seconds:.1f} |", flush=True)
    print(f"bars: skill ≥ {SKILL_BAR}, calibration error ≤ {CALIBRATION_BAR}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=2048)
    parser.add_argument("--fresh", type=int, default=4096)
    arguments = parser.parse_args()
    skill(arguments.seeds, arguments.pairs, arguments.fresh)


if __name__ == "__main__":
    main()

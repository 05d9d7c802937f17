"""The whole loop with its defaults, beside its bars: `python benchmarks/loop.py --seeds 3 [--model smollm2-135m]`.

Each seed is one `python -m core loop` in a process and data folder of its own. Run it with nothing else on the machine.
Prints a row a seed, and how fast this machine multiplies matrices, without which the seconds mean little. Does
bfloat16 learn as well? `RLHF_PLAYGROUND_PRECISION=float32 python benchmarks/loop.py --seeds 5`, then bfloat16: what
is learnt does not depend on what else is running.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import torch

from core.language.bfloat16 import bf16_pays

BARS = {"gold_win_rate": "≥ 0.90", "kl": "≤ 10", "reward_skill": "≥ 0.65", "total": "≤ 90 s"}


def gigaflops() -> float:
    """Float32 matrix products of the storyteller's size, 10⁹ operations a second, the best of twenty."""
    left, right = torch.ones(3072, 256), torch.ones(256, 1024)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        torch.mm(left, right)
        times.append(time.perf_counter() - began)
    return 2 * 3072 * 256 * 1024 / min(times) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--model", default="storyteller")
    parser.add_argument("--annotator", default="sunny")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, {gigaflops():.0f} GFLOP/s in float32, bfloat16 pays: {bf16_pays()}")
    print("| seed | win rate | gold | KL | skill | preferences | reward | ppo | total s | evaluation s | peak MB |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for seed in range(arguments.seeds):
        with tempfile.TemporaryDirectory() as home:
            command = [sys.executable, "-m", "core", "loop", "--model", arguments.model]
            command += ["--annotator", arguments.annotator, "--seed", str(seed), "--out", f"{home}/out", "--json"]
            environment = os.environ | {"RLHF_PLAYGROUND_HOME": f"{home}/data"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        result = json.loads(done.stdout.splitlines()[-1])
        seconds = result["seconds"]
        stages = " | ".join(f"{seconds[name]:.1f}" for name in ("preferences", "reward", "ppo", "total", "evaluation"))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        learnt = (f"{result[name]:.3f}" for name in ("gold_win_rate", "gold_after", "kl", "reward_skill"))
        print(f"| {seed} | {' | '.join(learnt)} | {stages} | {peak:.0f} |", flush=True)
    print("bars: " + ", ".join(f"{name} {bar}" for name, bar in BARS.items()))


if __name__ == "__main__":
    main()

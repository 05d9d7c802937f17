"""Our speed beside TRL's on the same models and tokens, in alternation, in one sitting. Nothing else may be running.

    pip install --no-deps --target DIR/trl112 trl==1.12.0     the last release with PPO
    pip install --no-deps --target DIR/trl trl==1.16.0        for reward models
    python benchmarks/beside_peer.py ppo --peer DIR           an update of 64 × (16 + 32) tokens, 16 optimiser steps
    python benchmarks/beside_peer.py reward --peer DIR        a reward model: 512 pairs of 44 to 52 tokens a side
    python benchmarks/beside_peer.py lora --peer DIR          SmolLM2-135M with LoRA: 8 × (16 + 24) tokens, 2 steps

Without --peer our side alone is measured. The peer is tuned: eager attention, bfloat16 where this processor gains by
it. Medians over the updates or steps of each round, the first left out; then over the rounds. The cases are in
`peer/cases.json`.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from peer.material import CASES, make, ppo_settings, preference_ids, queries, text_of

HERE = Path(__file__).parent

Numbers = dict[str, float]
BARS = {
    "ppo": "an update 2.0× as fast with the same maths (aim 3×); sampling 2.4×; peak memory ≤ 0.73 of the peer's",
    "reward": "2.0× the pairs per second (aim 3.2×), the same accuracy",
    "lora": "an update 1.6× as fast (aim 2.4×)",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=tuple(BARS))
    parser.add_argument("--peer", type=Path, help="folder with trl112/ and trl/ (none: our side alone)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ours", nargs=2, metavar=("WHAT", "MATERIAL"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ours:
        print(json.dumps(OURS[arguments.ours[0]](Path(arguments.ours[1]))))
        return
    if arguments.peer and not (arguments.peer / "trl").exists():
        parser.error("--peer: a folder with TRL in it; the lines that make it are in --help")
    with tempfile.TemporaryDirectory() as temporary:
        material = Path(temporary)
        make(material)
        sides = sides_of(arguments.case, material, arguments.peer)
        found: dict[str, list[Numbers]] = {name: [] for name in sides}
        for number in range(arguments.rounds):
            for name, run in sides.items():
                found[name].append(run())
                print(f"round {number + 1}, {name}: {shown(found[name][-1])}", file=sys.stderr, flush=True)
    table(found)
    print(f"bars: {BARS[arguments.case]}")


def sides_of(case: str, material: Path, peer: Path | None) -> dict[str, Callable[[], Numbers]]:
    """The runs of one round, in order; each is a process of its own."""

    def ours(what: str) -> Callable[[], Numbers]:
        return lambda: asked([str(HERE / "beside_peer.py"), case, "--ours", what, str(material)], {})

    own = {"ours": ours(case)}
    if case in ("ppo", "lora"):
        own = {"ours, same maths": ours(f"{case} separate"), "ours, shared trunk": ours(f"{case} shared")}
    return ({"peer": peers(case, material, peer)} if peer else {}) | own


def peers(case: str, material: Path, peer: Path) -> Callable[[], Numbers]:
    """The peer's run of a case."""
    from core.language.bfloat16 import bf16_pays

    bf16 = bf16_pays()

    def theirs(script: str, package: str, *more: str) -> Callable[[], Numbers]:
        surroundings = {"PYTHONPATH": str(peer / package), "TRL_EXPERIMENTAL_SILENCE": "1"}
        if bf16 and script == "trl_ppo.py":
            surroundings["ACCELERATE_MIXED_PRECISION"] = "bf16"
        return lambda: asked([str(HERE / "peer" / script), *more], surroundings)

    if case == "reward":
        return theirs("trl_reward.py", "trl", str(material), *(["--bf16"] if bf16 else []))
    model: list[str] = []
    if case == "lora":
        from core.language.registry import load_tokenizer, policy_folder

        load_tokenizer("smollm2-135m")  # unpacks it where it is not yet: the peer wants a folder
        model = ["--model", str(policy_folder("smollm2-135m"))]
    return theirs("trl_ppo.py", "trl112", case, str(material), *model)


def asked(command: list[str], more: dict[str, str]) -> Numbers:
    """The JSON object in the last line of what a run prints."""
    quiet = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONWARNINGS": "ignore"}
    run = subprocess.run([sys.executable, *command], env=os.environ | quiet | more, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{Path(command[0]).name} failed:\n{run.stderr[-2000:]}")
    found = json.loads(run.stdout.strip().splitlines()[-1])
    return {name: value for name, value in found.items() if not isinstance(value, list)}


def shown(numbers: Numbers) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in numbers.items())


def table(found: dict[str, list[Numbers]]) -> None:
    """Medians over the rounds, and each of our medians as a ratio to the peer's."""
    medians = {
        side: {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
        for side, rounds in found.items()
    }
    names = list(next(iter(medians.values())))
    print("| side |", " | ".join(names), "|")
    print("|---|" + "---|" * len(names))
    for side, values in medians.items():
        cells = [
            f"{values[name]:.3g}"
            + (f" ({values[name] / medians['peer'][name]:.2f}×)" if side != "peer" and "peer" in medians else "")
            for name in names
        ]
        print(f"| {side} |", " | ".join(cells), "|")


def our_ppo(case: str, value_model: str, material: Path) -> Numbers:
    import torch

    from core.alignment.configs import PPOConfig
    from core.alignment.ppo import train_ppo
    from core.alignment.reward_model import RewardModel, new_reward_model
    from core.alignment.stages import ready_to_tune
    from core.language.registry import load_policy

    torch.set_num_threads(CASES["threads"])
    settings = CASES[case]
    policy, tokenizer = load_policy("smollm2-135m" if case == "lora" else str(material / "policy"))
    tokenizer.chat_template = None  # the peer continues the bare tokens
    reward = new_reward_model(policy, tokenizer)
    torch.nn.init.normal_(reward.score.weight, generator=torch.Generator().manual_seed(CASES["seed"]))
    tuned, reference = ready_to_tune(policy, settings.get("rank", 8), seed=0)
    again = value_model == "shared"  # as a default run does; the peer reads nothing after an update
    config = PPOConfig(**ppo_settings(settings, value_model=value_model, look_again=again))
    tokens = [id % len(tokenizer) for id in torch.load(material / "tokens.pt").tolist()]
    rows = queries(tokens, config.rollout_batch * config.updates, settings["prompt_tokens"])
    prompts = [text_of(tokenizer, ids) for ids in rows]
    kept: list[Numbers] = []
    last = time.perf_counter()
    for record in train_ppo(tuned, reference, RewardModel(reward, tokenizer), prompts, config, tokenizer):
        now = time.perf_counter()
        phases = {name: record.metrics[f"time/{name}"] for name in ("sampling", "scoring", "optimisation")}
        kept.append({"update": now - last} | phases)
        last = now
    found = {name: statistics.median(one[name] for one in kept[1:]) for name in kept[0]}
    return found | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def our_reward(material: Path) -> Numbers:
    import torch

    from core.alignment.configs import RewardConfig
    from core.alignment.reward_training import train_reward_model, untrained
    from core.feedback.pairs import PreferencePair
    from core.language.registry import load_policy

    torch.set_num_threads(CASES["threads"])
    case = CASES["reward"]
    policy, tokenizer = load_policy(str(material / "policy"))
    pairs = [
        PreferencePair(str(i), text_of(tokenizer, chosen), text_of(tokenizer, rejected))
        for i, (chosen, rejected) in enumerate(preference_ids(torch.load(material / "tokens.pt").tolist()))
    ]
    config = RewardConfig(
        epochs=case["epochs"],
        batch_pairs=case["batch_pairs"],
        learning_rate=case["learning_rate"],
        heldout_share=0.0,
        weights_kept=0,
        evaluate_every=10**6,
    )
    model = untrained(policy, tokenizer, config)
    seconds, accuracies, last = [], [], time.perf_counter()
    for record in train_reward_model(model, tokenizer, pairs, config):
        now = time.perf_counter()
        seconds.append(now - last)
        accuracies.append(record.metrics["accuracy"])
        last = now
    pairs_per_second = case["batch_pairs"] / statistics.median(seconds[2:])
    return {"pairs_per_second": pairs_per_second, "accuracy": statistics.mean(accuracies[-6:])}


OURS: dict[str, Callable[[Path], Numbers]] = {
    "ppo separate": lambda material: our_ppo("ppo", "separate", material),
    "ppo shared": lambda material: our_ppo("ppo", "shared", material),
    "lora separate": lambda material: our_ppo("lora", "separate", material),
    "lora shared": lambda material: our_ppo("lora", "shared", material),
    "reward": our_reward,
}


if __name__ == "__main__":
    main()

"""Do we learn as TRL's PPO does? The same policy, reward model, prompts and settings on both sides, several seeds each.

    python benchmarks/learning_beside_peer.py --peer DIR      DIR as for beside_peer.py

Prints the mean score of each update's fresh responses on either side, and how far apart the two means end in standard
errors. Both sides in float32, with a critic that starts from the reward model; the end token is made impossible, since
the two treat what comes behind it differently.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from peer.material import CASES, make, ppo_settings, queries, text_of

HERE = Path(__file__).parent
CASE = CASES["learning"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=Path, required=True, help="folder with trl112/")
    parser.add_argument("--seeds", type=int, default=CASE["seeds"])
    arguments = parser.parse_args()
    os.environ["RLHF_PLAYGROUND_PRECISION"] = "float32"
    with tempfile.TemporaryDirectory() as temporary:
        material = Path(temporary)
        make(material)
        taught(material)
        theirs, ours = [], []
        for seed in range(arguments.seeds):
            theirs.append(their_scores(material, arguments.peer, seed))
            ours.append(our_scores(material, seed))
            print(f"seed {seed}: peer ends at {theirs[-1][-1]:.3f}, we at {ours[-1][-1]:.3f}", file=sys.stderr)
    print("| update | peer: mean, sd over seeds | ours |")
    print("|---|---|---|")
    for update, (one, other) in enumerate(zip(zip(*theirs, strict=True), zip(*ours, strict=True), strict=True), 1):
        print(f"| {update} | {spread(one)} | {spread(other)} |")
    ends = [[statistics.mean(scores[-3:]) for scores in side] for side in (theirs, ours)]
    error = (sum(statistics.variance(side) / len(side) for side in ends)) ** 0.5
    apart = (statistics.mean(ends[1]) - statistics.mean(ends[0])) / error
    print(f"last three updates: ours − peer = {apart:+.2f} standard errors of {error:.3f}")


def spread(values: tuple[float, ...]) -> str:
    return f"{statistics.mean(values):.3f}, {statistics.stdev(values):.3f}"


def taught(material: Path) -> None:
    """The storyteller, which can no longer end, and a reward model of a simulated annotator's votes, in `material`."""
    import torch

    from core.alignment.configs import RewardConfig
    from core.alignment.stages import preferences_stage, reward_stage, voted_pairs
    from core.feedback.annotators import get_annotator
    from core.feedback.prompts import load_prompts
    from core.language.configs import SamplingConfig
    from core.language.registry import load_policy
    from core.record import no_controls

    policy, tokenizer = load_policy("storyteller")
    votes = material / "votes.jsonl"
    sampling = SamplingConfig(max_new_tokens=CASE["response_tokens"], seed=0)
    prompts, annotator = load_prompts("stories").train, get_annotator("sunny")
    for _ in preferences_stage(policy, tokenizer, prompts, annotator, CASE["votes"], sampling, votes, None):
        pass
    config = RewardConfig(weights_kept=0)
    pairs, _ = voted_pairs(votes)
    for _ in reward_stage(policy, tokenizer, pairs, config, "storyteller", material / "judge", None, no_controls):
        pass
    with torch.no_grad():
        policy.get_output_embeddings().weight[tokenizer.eos_token_id] = (
            0.0  # tied: its logit is 0, others' are far above
        )
    policy.save_pretrained(material / "writer")
    tokenizer.save_pretrained(material / "writer")


def their_scores(material: Path, peer: Path, seed: int) -> list[float]:
    quiet = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONWARNINGS": "ignore"}
    surroundings = quiet | {"PYTHONPATH": str(peer / "trl112"), "TRL_EXPERIMENTAL_SILENCE": "1"}
    script = [str(HERE / "peer" / "trl_ppo.py"), "learning", str(material), "--seed", str(seed)]
    run = subprocess.run([sys.executable, *script], env=os.environ | surroundings, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"the peer failed:\n{run.stderr[-2000:]}")
    return list(json.loads(run.stdout.strip().splitlines()[-1])["scores"])


def our_scores(material: Path, seed: int) -> list[float]:
    import torch

    from core.alignment.configs import PPOConfig
    from core.alignment.ppo import train_ppo
    from core.alignment.reward_folders import load_reward_model
    from core.alignment.reward_model import RewardModel
    from core.alignment.stages import ready_to_tune
    from core.language.registry import load_policy

    policy, tokenizer = load_policy(str(material / "writer"))
    judge = load_reward_model(material / "judge")
    tuned, reference = ready_to_tune(policy, 8, seed=0)
    config = PPOConfig(**ppo_settings(CASE, value_model="separate", seed=seed, grad_clip=1e9))  # the peer clips none
    rows = queries(torch.load(material / "tokens.pt").tolist(), 64 * config.updates, CASE["prompt_tokens"])
    prompts = [text_of(tokenizer, ids) for ids in rows]
    unscaled = RewardModel(judge.model, judge.tokenizer)  # paid in raw scores, as the peer pays
    records = train_ppo(tuned, reference, unscaled, prompts, config, tokenizer)
    return [record.metrics["objective/scores"] for record in records]


if __name__ == "__main__":
    main()

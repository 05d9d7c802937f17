"""What the first screen says before anything has run here: the words and numbers of a real loop, computed earlier."""

from dataclasses import dataclass
from typing import Any

from pages._parts.state import Pipeline
from pages._parts.voters import voter_title

TITLE = "A language model learns what somebody likes"


def claim(result: dict[str, Any], voter: str, votes: int) -> str:
    """The sentence under the title: what was measured, whichever way it went."""
    rate, kl = result["gold_win_rate"], result["kl"]
    words = f"Reinforcement learning from human feedback (RLHF), on real models. {voter}, a simulated voter, compared "
    words += f"{votes:,} pairs of responses; after the tuning {voter} likes the policy's words better than before on "
    words += f"{rate:.0%} of prompts it never saw, at {kl:.1f} nats of KL"
    return words + ("." if rate > 0.55 else ": no better than a coin. This loop did not work.")


@dataclass(frozen=True)
class Screen:
    """The words under the title, and what the picture is drawn from."""

    voter: str
    claim: str
    pipeline: Pipeline
    win_rate: float


def screen(entry: dict[str, Any]) -> Screen:
    """Of the gallery's `entry` for the loop."""
    voter, config, result = voter_title(entry["annotator"]), entry["config"], entry["result"]
    scores = [row["objective/scores"] for rows in entry["curves"].values() for row in rows if "objective/scores" in row]
    pipeline = Pipeline(
        policy=entry["model"],
        votes=config["pairs"],
        accuracy=result["reward_accuracy"],
        kl=result["kl"],
        score=scores[-1] if scores else None,
        gold_before=result["gold_before"],
        gold_after=result["gold_after"],
    )
    return Screen(voter, claim(result, voter, config["pairs"]), pipeline, result["gold_win_rate"])

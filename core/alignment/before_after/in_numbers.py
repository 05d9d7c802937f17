"""The reference's texts beside the tuned policy's, in numbers with intervals. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.alignment.before_after.diversity import distinct_n, self_bleu
from core.alignment.before_after.estimates import Compared, Estimate, mean_of, ratio_of
from core.feedback.blind import BlindVote
from core.feedback.words import word_count
from core.share import Share

Row = Mapping[str, Any]


def texts_of(rows: Sequence[Row]) -> list[str]:
    """The responses alone."""
    return [str(row["response"]) for row in rows]


def course(rows: Sequence[Row]) -> dict[str, Estimate]:
    """What is followed from checkpoint to checkpoint, of the responses to one set of prompts.

    gold, score, kl (nats per response), length (words), ended (share of responses), perplexity (under the reference),
    distinct_2. What was not measured is left out.
    """
    texts = texts_of(rows)
    found = {"length": mean_of([word_count(text) for text in texts]), "distinct_2": distinct_n(texts, 2)}
    for name in ("gold", "score", "kl", "kl_first"):
        if all(name in row for row in rows):
            found[name] = mean_of([row[name] for row in rows])
    if all("ended" in row for row in rows):
        share = Share(sum(row["ended"] for row in rows), len(rows))
        found["ended"] = Estimate(share.value, *share.interval)
    if all("nll" in row for row in rows):
        log_perplexity = ratio_of([row["nll"] for row in rows], [row["tokens"] for row in rows])
        found["perplexity"] = Estimate(*(float(np.exp(part)) for part in log_perplexity))
    return found


def compared(before: Sequence[Row], after: Sequence[Row]) -> dict[str, Compared]:
    """`course` of both sides, and distinct_1, distinct_3 and self_bleu; what both sides have."""
    sides = []
    for rows in (before, after):
        texts = texts_of(rows)
        more = {"distinct_1": distinct_n(texts, 1), "distinct_3": distinct_n(texts, 3), "self_bleu": self_bleu(texts)}
        sides.append(course(rows) | more)
    return {name: Compared(sides[0][name], sides[1][name]) for name in sides[1] if name in sides[0]}


def win_rate(before: Sequence[Row], after: Sequence[Row], judge: str) -> Share | None:
    """On how many prompts `judge` ("gold" or "score") puts the tuned response first, ties half; None when unknown."""
    if not all(judge in row for row in (*before, *after)):
        return None
    wins = sum(_win(one[judge], other[judge]) for one, other in zip(before, after, strict=True))
    return Share(wins, len(before))


@dataclass(frozen=True)
class BlindTally:
    """A reader's blind votes, beside what the reward model and the annotator's true taste say of the same pairs."""

    reader: Share  # pairs in which the tuned response was preferred; without ties
    ties: int
    score: Share | None  # the reward model's verdict on those pairs, ties half
    gold: Share | None
    with_score: Share | None  # pairs on which the reader and the reward model name the same winner
    with_gold: Share | None


def blind_tally(votes: Sequence[BlindVote], before: Sequence[Row], after: Sequence[Row]) -> BlindTally:
    """Count the votes for one side; the other judges on exactly the pairs that the reader decided."""
    of_pair = {
        (one["prompt"], one["response"], other["response"]): (one, other)
        for one, other in zip(before, after, strict=True)
    }
    decided = [vote for vote in votes if vote.verdict != "tie"]
    tuned_first = [vote.verdict == "tuned" for vote in decided]
    rows = [of_pair.get((vote.pair.prompt, vote.pair.reference, vote.pair.tuned)) for vote in decided]

    def judged(judge: str) -> tuple[Share | None, Share | None]:
        known = [
            (mine, _win(found[0][judge], found[1][judge]))
            for mine, found in zip(tuned_first, rows, strict=True)
            if found and judge in found[0] and judge in found[1]
        ]
        if not known:
            return None, None
        alike = sum(win if mine else 1 - win for mine, win in known)
        return Share(sum(win for _, win in known), len(known)), Share(alike, len(known))

    (score, with_score), (gold, with_gold) = judged("score"), judged("gold")
    return BlindTally(
        Share(sum(tuned_first), len(decided)), len(votes) - len(decided), score, gold, with_score, with_gold
    )


def _win(before: float, after: float) -> float:
    return (after > before) + 0.5 * (after == before)

"""What a person's own votes lean to, whatever the texts say: the side, the length, the pace."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from core.feedback.store import Vote
from core.feedback.words import word_count
from core.share import Share

_PACE_WINDOW = 10  # votes: long enough to be steady, short enough to follow a change
_RECENT = 40  # votes: as many as a small line can show
_BREAK_SECONDS = 120.0  # a longer gap is a pause, not slow reading


@dataclass(frozen=True)
class Habits:
    """What can be said of votes without reading them."""

    decided: int  # votes for left or right
    undecided: int  # ties and skips
    left: Share  # the left text chosen
    longer: Share  # the text with more words chosen; pairs of equal length are not counted
    seconds: float | None  # median response time of the measured votes on two texts
    pace: float | None  # answers per minute over the last ten, breaks left out; None before the second
    recent: tuple[float, ...] = ()  # response times of the newest of those votes, in their order


def habits(votes: Sequence[Vote]) -> Habits:
    """The habits in `votes` (any order, one annotator).

    Undone votes and hidden repeats are left out; a ranking's comparisons have no sides, but they do have lengths.
    """
    kept = sorted((v for v in votes if not v.undone and v.repeat_of is None), key=lambda vote: vote.created)
    decided = [vote for vote in kept if vote.choice in ("left", "right")]
    sided = judged_by_side(kept)
    single = [vote.response_seconds for vote in kept if vote.ranking is None]
    measured = [seconds for seconds in single if seconds is not None]
    acts = {vote.ranking or vote.id: vote.created for vote in kept}  # a ranking is one answer, however many comparisons
    return Habits(
        decided=len(decided),
        undecided=len(kept) - len(decided),
        left=Share(sum(vote.choice == "left" for vote in sided), len(sided)),
        longer=share_longer(decided, [vote.choice == "left" for vote in decided]),
        seconds=median(measured) if measured else None,
        pace=_pace(list(acts.values())),
        recent=tuple(measured[-_RECENT:]),
    )


def judged_by_side(votes: Sequence[Vote]) -> list[Vote]:
    """Standing votes for left or right on two texts side by side: no repeats, nothing out of a ranking."""
    return [
        vote
        for vote in votes
        if vote.choice in ("left", "right") and not vote.undone and vote.repeat_of is None and vote.ranking is None
    ]


def share_longer(votes: Sequence[Vote], left: Sequence[bool]) -> Share:
    """Of the pairs of unequal length, those of which the longer text is preferred; `left`: whether the left one is."""
    acts: dict[str | int, tuple[int, int]] = {}
    for vote, prefers_left in zip(votes, left, strict=True):
        longer = word_count(vote.left) - word_count(vote.right)
        if longer:
            act = vote.ranking or vote.id
            hits, total = acts.get(act, (0, 0))
            acts[act] = hits + (prefers_left == (longer > 0)), total + 1
    return Share.of_acts(list(acts.values()))


def _pace(times: Sequence[float]) -> float | None:
    """Votes a minute over the last few votes of one sitting."""
    recent = times[-_PACE_WINDOW:]
    gaps = [later - earlier for earlier, later in pairwise(recent)]
    gaps = [gap for gap in gaps if gap <= _BREAK_SECONDS]
    return 60 * len(gaps) / sum(gaps) if gaps and sum(gaps) > 0 else None

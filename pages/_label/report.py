"""What a reader's votes say about the model that learns them, and about the reader."""

import streamlit as st

from core.errors import PlaygroundError
from core.feedback.habits import habits
from core.feedback.leanings import Push, side_and_length
from core.feedback.store import FeedbackStore, Vote
from core.share import Share
from pages._label.agreeing import agreement
from pages._label.curves import bets_curve, choosing_curves
from pages._label.lengths import lengths
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.text import escaped

BETS, NEXT, MINE = "Its bets", "Which pair next", "My report"


def report(store: FeedbackStore, annotator: str) -> None:
    """One of three parts, chosen in the URL."""
    st.subheader("What your votes say", anchor=False)
    part = st.segmented_control(
        "Look at",
        [BETS, NEXT, MINE],
        default=BETS,
        required=True,
        key="report",
        bind="query-params",
        label_visibility="collapsed",
    )
    votes = store.votes(annotator)
    policy = _policy_of(votes)
    try:
        if part == BETS:
            bets_curve(store, annotator, policy)
        elif part == NEXT:
            choosing_curves()
        else:
            _mine(store, annotator, votes, policy)
    except PlaygroundError as error:
        st.error(escaped(str(error)))


def _policy_of(votes: list[Vote]) -> str:
    """Whose pairs are looked at: the policy in the field; where it wrote none of these votes, the newest one's."""
    chosen = str(st.session_state.get("policy") or "storyteller")
    wrote = [vote.policy for vote in votes if vote.ranking is None]
    return chosen if chosen in wrote or not wrote else wrote[0]


def _mine(store: FeedbackStore, annotator: str, votes: list[Vote], policy: str) -> None:
    st.markdown("**What did you favour?**")
    _leanings(votes)
    st.markdown("**Are you consistent?**")
    _consistency(store.repeats(annotator))
    st.markdown("**Who agrees with you?**")
    agreement(store, annotator, votes)
    st.markdown("**Who else likes it long?**")
    lengths(store, annotator, policy)
    badge("live", note="from your stored votes; 95 % intervals: Wilson's for shares, 2,000 draws for κ and α")
    show_code(
        "core.feedback.leanings:side_and_length",
        "core.feedback.agreement:cohen_kappa",
        "core.feedback.agreement:krippendorff_alpha",
        "core.alignment.live.length_bias:length_bias",
    )


def _leanings(votes: list[Vote]) -> None:
    mine = habits(votes)
    pushes = side_and_length(votes)
    if not mine.decided:
        st.markdown(
            "After your first votes, this says whether you lean to a side or to the longer text: habits a reward "
            "model learns too."
        )
        return
    st.markdown(_lean("the left text", mine.left))
    st.markdown(_lean("the longer text", mine.longer))
    if pushes:
        st.markdown(_pushed(*pushes))
    st.caption(
        "In brackets: where the true share lies with 95 % confidence (Wilson; a ranking is one act). A lean is named "
        "only when ½ is outside."
    )


def _lean(what: str, share: Share) -> str:
    """One sentence that follows the measured share and its interval."""
    if not share.total:
        return f"- You have not yet had to choose for or against **{what}**."
    low, high = share.interval
    times = "time" if share.total == 1 else "times"
    measured = (
        f"- You chose **{what}** {share.hits} of {share.total} {times}: {share.value:.0%} ({low:.0%} to {high:.0%})."
    )
    if not share.leans:
        return measured + " Chance alone could do that."
    return measured + (" That is a lean towards it." if share.value > 0.5 else " That is a lean away from it.")


def _pushed(side: Push, length: Push) -> str:
    """Both habits at once: what ten words more did, at equal sides."""
    factor, low, high = length.odds
    sentence = (
        f"- **Ten words more** on one side changed its odds by a factor of {factor:.2f} ({low:.2f} to {high:.2f})"
    )
    sentence += ", the side held still." if length.real else ", the side held still: 1 is inside, so maybe not at all."
    if side.real:
        sentence += f" And at equal length, left had odds of {side.odds[0]:.2f} to 1."
    return sentence


def _consistency(repeats: list[tuple[Vote, Vote]]) -> None:
    """Hidden repeats: the same pair again, sides swapped."""
    if not repeats:
        st.markdown("Now and then a pair comes a second time, unannounced, with its sides swapped. None has yet.")
        return
    decided = [(a, b) for a, b in repeats if a.chosen is not None and b.chosen is not None]
    same = Share(sum(a.chosen == b.chosen for a, b in decided), len(decided))
    left_out = len(repeats) - len(decided)
    rest = f" {left_out} more with a tie or a skip are not counted." if left_out else ""
    if not decided:
        st.markdown(f"No pair was decided both times.{rest}")
        return
    low, high = same.interval
    sentence = f"You chose the same text {same.hits} of {same.total} times: {same.value:.0%} ({low:.0%} to {high:.0%})."
    if low > 0.5:
        meaning = (
            "Your taste is steadier than a coin. Who agrees with themselves so often gives their usual answer at most "
            f"{same.usual:.0%} of the time: that is what the best of models could reach with you."
        )
    elif high < 0.5:
        meaning = "You chose the other text more often than not: perhaps the side decides more than the text."
    else:
        meaning = "Too few to tell a steady taste from a coin."
    st.markdown(f"{sentence} {meaning}{rest}")

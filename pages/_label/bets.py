"""The model bets first: a guess sealed before the vote, opened after it, and how often it has been right."""

import streamlit as st

from core.alignment.live.bets import Bet, bet, hits, running_shares
from core.feedback.candidates import candidates
from core.feedback.store import FeedbackStore, ShownPair, Vote
from core.figures.palette import CONCEPTS
from core.hosting.ownership import full_name
from pages._label.live import Live, live, read, seal, sealed, shelf
from pages._parts.text import escaped
from pages._parts.told import fragment

_AHEAD = 16  # pairs read ahead, so that a bet is ready when its pair comes
_CHECK = 0.5  # seconds between looks while texts are being read


def bet_area(store: FeedbackStore, shown: ShownPair, last: Vote | None) -> None:
    """Two lines beneath the pair: the bet just opened, and the one sealed now."""
    annotator = full_name((st.session_state.get("annotator") or "me").strip() or "me")
    found = [_make_bet(store, shown, annotator)]
    ready = found[0][1]

    @fragment(run_every=None if ready else _CHECK)
    def view() -> None:
        state, made = found.pop() if found else _make_bet(store, shown, annotator)
        if made and not ready:
            st.rerun()
        with st.container(border=True, key="bet"):
            if last is not None and last.policy == shown.policy:
                _opened(state, last, annotator)
            _waiting(state, made)

    view()


def _make_bet(store: FeedbackStore, shown: ShownPair, annotator: str) -> tuple[Live, bool]:
    """Bet on the pair that is shown and seal it; False while that has to wait for its texts."""
    state = live(store, annotator, shown.policy)
    ahead = candidates(store.engine, annotator, shown.policy, shown.prompt_set, _AHEAD)
    texts = [(shown.prompt, shown.left), (shown.prompt, shown.right)]
    error = read(shown.policy, [*texts, *((one.prompt, text) for one in ahead for text in (one.a, one.b))])
    if error or (not state.votes and not state.reading):
        return state, True  # nothing to wait for
    gap = shelf(shown.policy).gap(shown.prompt, shown.left, shown.right)
    if state.head is None or gap is None:
        return state, False
    seal(annotator, shown, bet(state.head, gap))
    return state, True


def _opened(state: Live, last: Vote, annotator: str) -> None:
    """What it had bet on the vote just given."""
    if last.repeat_of is not None:
        st.caption(
            "That pair was one you had answered before, its sides swapped: kept for your report, counted nowhere."
        )
    made = sealed(annotator, last)
    if made is None:
        after = next((one for vote, one in state.scored if vote.id == last.id and one.side != "none"), None)
        if state.reading:
            st.markdown("You were faster than its reading.")
        elif after is None:
            st.markdown("No bet on your last pair: there was nothing to go by.")
        else:
            st.markdown(
                f"You were faster than its reading. From your earlier votes alone it would have bet on {_said(after)}."
            )
        return
    if last.choice in ("tie", "skip"):
        verdict = "you saw no winner" if last.choice == "tie" else "you passed"
        st.markdown(f"It had bet on {_said(made)}; {verdict}, so this bet does not count.")
    elif made.side == "none":
        st.markdown("It saw no difference between the two, and made no bet.")
    else:
        right = made.side == last.choice
        mark = CONCEPTS["chosen" if right else "rejected"].mark
        counted = f"{mark} " if last.repeat_of is None else ""
        st.markdown(
            f"**{counted}It had bet on {_said(made)}.** You chose {last.choice.upper()}: "
            + ("the bet was correct." if right else "the bet was wrong.")
        )


def _said(made: Bet) -> str:
    return f"{made.side.upper()}, {made.confidence:.0%} sure"


def _waiting(state: Live, ready: bool) -> None:
    """The sealed bet, and the score so far."""
    mark = CONCEPTS["reward"].mark
    if state.error:
        st.caption(f"{mark} No bets: {escaped(state.error)}")
        return
    if not state.votes and not state.reading:
        st.caption(
            f"{mark} **The model bets first.** It has nothing to go by yet: its first bet follows your first vote."
        )
        return
    if not ready:
        st.caption(f"{mark} The model is reading; its bet comes in a moment. Vote whenever you like.")
        return
    shares = running_shares(hits([one for _, one in state.scored], [v.choice == "left" for v, _ in state.scored]))
    sealed_now = f"{mark} **Its bet on this pair is made and sealed**: your vote opens it."
    if not shares:
        st.caption(sealed_now)
        return
    low, high = shares[-1].interval
    st.caption(
        f"{sealed_now} So far {shares[-1].hits} of {shares[-1].total} right: {shares[-1].value:.0%} "
        f"({low:.0%} to {high:.0%}); guessing gets 50%."
    )

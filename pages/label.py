"""Label: two responses, one vote. What a person says here is all the reward model will ever know of them."""

import time

import streamlit as st

from core.errors import PlaygroundError
from core.feedback.habits import Habits, Share, habits
from core.feedback.prompts import prompt_sets
from core.feedback.sources import fill_pool
from core.feedback.store import Choice, FeedbackStore, ShownPair
from core.paths import database_url
from pages._parts import site
from pages._parts.badge import badge
from pages._parts.header import page_header
from pages._parts.pair_pool import keep_filled
from pages._parts.pickers import model_picker
from pages._parts.questions import closing
from pages._parts.text import escaped, plain
from pages._reward_model.sources import MY_VOTES

FIRST_GOAL = 20  # decided votes: a first reward model can be tried; mixing in simulated votes makes up for the rest
_STRENGTHS = {"slightly": 1.0, "clearly": 2.0, "by far": 3.0}
_KEYS = "Keys: ← left, → right, T tie, S skip, U undo."
_CHOICES: dict[Choice, tuple[str, str, str]] = {
    # choice: (label, shortcut, what the page says when it is saved)
    "left": ("Left is better", "Left", "left"),
    "tie": ("Tie", "T", "a tie"),
    "right": ("Right is better", "Right", "right"),
    "skip": ("Skip", "S", "skipped"),
}


def main() -> None:
    page_header(
        "label",
        "Label",
        "Two responses to one prompt, written by the same model. Pick the one you prefer: nothing else will tell it "
        "what you like.",
    )
    store = FeedbackStore()
    pair_side, you_side = st.columns([3, 1], gap="large")
    with you_side:
        annotator, policy, prompts = _who_and_what()
    try:
        _bundled_pairs_put_up(database_url())
    except PlaygroundError as error:  # voting goes on: the policy writes others
        st.warning(escaped(str(error)))
    with pair_side:
        shown = store.next_pair(annotator, policy, prompts)
        if shown:
            _ask(store, shown, annotator)
        else:
            st.info(
                "Every pair that is ready has your vote. New ones are being written; the first appears here by itself."
            )
        plain(st.session_state.pop("label_said", _KEYS))
        badge("live", model=policy, note="sides drawn at random, the same for you after a refresh")
    with you_side:
        mine = habits(store.votes(annotator))
        _progress(mine)
        _call_to_train(mine, annotator)
        keep_filled(store, annotator, policy, prompts, wanted=shown is None)
    _habits(mine)
    _one_vote()
    _closing()


@st.cache_resource(show_spinner=False)
def _bundled_pairs_put_up(url: str) -> int:
    """Once a server and database: the pairs that came with the program, so that the first vote does not wait."""
    return fill_pool(FeedbackStore())


def _who_and_what() -> tuple[str, str, str]:
    annotator = st.text_input(
        "Your name",
        "me",
        max_chars=80,
        key="annotator",
        bind="query-params",
        help="Votes are kept under this name, on this machine. After typing it, press Escape or click the page: "
        "then the keys vote again.",
    )
    sets = {prompt_set.name: prompt_set for prompt_set in prompt_sets()}
    policy = model_picker("policy")
    prompts = st.selectbox(
        "Prompts",
        list(sets),
        format_func=lambda name: sets[name].title,
        key="prompts",
        bind="query-params",
        help="What the policy is asked to continue or answer.",
    )
    return (annotator or "me").strip(), policy, prompts


def _ask(store: FeedbackStore, shown: ShownPair, annotator: str) -> None:
    """The pair and its buttons. The clock starts when the pair first stands on the page."""
    seen = st.session_state.setdefault("label_seen", {})
    began = seen.setdefault((annotator, shown.pair_id), time.monotonic())
    with st.container(key="pair_prompt"):
        st.caption("Prompt")
        plain(shown.prompt, "said")
    for column, side, text in zip(st.columns(2), ("Left", "Right"), (shown.left, shown.right), strict=True):
        with column.container(border=True, height="stretch", key=f"pair_{side.lower()}"):
            st.caption(side)
            plain(text.strip() or "(nothing at all)", "said")
    strength = st.session_state.get("strength")
    buttons = st.columns([3, 2, 3])
    for column, choice in zip(buttons, ("left", "tie", "right"), strict=True):
        with column:
            _vote_button(store, shown, annotator, choice, began, strength)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _vote_button(store, shown, annotator, "skip", began, strength, width="content")
        st.button(
            "Undo",
            key="undo",
            shortcut="U",
            icon=":material/undo:",
            on_click=_undo,
            args=(store, annotator),
            disabled=not store.votes(annotator, limit=1),
            help="Takes back your newest vote, as often as you like.",
        )
        st.segmented_control(
            "How much better? (optional)",
            list(_STRENGTHS),
            key="strength",
            help="Kept with this one vote, as the margin of the pair: the loss then asks for that much more "
            "difference in score.",
        )


def _vote_button(
    store: FeedbackStore,
    shown: ShownPair,
    annotator: str,
    choice: Choice,
    began: float,
    strength: str | None,
    width: str = "stretch",
) -> None:
    label, key, _ = _CHOICES[choice]
    st.button(
        label,
        key=f"vote_{choice}",
        shortcut=key,
        width=width,
        type="primary" if choice in ("left", "right") else "secondary",
        on_click=_vote,
        args=(store, shown, annotator, choice, began, strength),
    )


def _vote(
    store: FeedbackStore, shown: ShownPair, annotator: str, choice: Choice, began: float, strength: str | None
) -> None:
    """Save first; only what the store has confirmed is said on the page."""
    decided = choice in ("left", "right")
    try:
        vote = store.vote(
            shown,
            annotator,
            choice,
            response_seconds=round(time.monotonic() - began, 3),
            strength=_STRENGTHS[strength] if strength and decided else None,
        )
    except PlaygroundError as error:
        st.session_state["label_said"] = f"Not saved: {error}"
        return
    st.session_state["label_said"] = f"Saved: {_CHOICES[vote.choice][2]}."
    st.session_state["strength"] = None


def _undo(store: FeedbackStore, annotator: str) -> None:
    vote = store.undo(annotator)
    if vote is None:
        st.session_state["label_said"] = "Nothing left to take back."
        return
    st.session_state["label_said"] = f"Taken back: {_CHOICES[vote.choice][2]}. The pair is here again."
    st.session_state["label_seen"] = {}  # its clock starts anew


def _progress(mine: Habits) -> None:
    votes = mine.decided + mine.undecided
    st.progress(min(1.0, mine.decided / FIRST_GOAL), text=f"{mine.decided} of {FIRST_GOAL} decided votes")
    words = [f"{mine.undecided} ties and skips"]
    if mine.pace is not None:
        words.append(f"{mine.pace:.0f} votes a minute")
    if mine.seconds is not None:
        words.append(f"half of them within {mine.seconds:.1f} s")
    if votes:
        st.caption(" · ".join(words))


def _call_to_train(mine: Habits, annotator: str) -> None:
    """Leads on once there is something to train on; never in the way of the next vote."""
    if mine.decided >= FIRST_GOAL:
        st.page_link(
            site.page("reward_model"),
            label=f"**Train a reward model** on your {mine.decided} votes",
            icon=":material/arrow_forward:",
            query_params={"reward_sources": MY_VOTES, "reward_votes": annotator},
        )


def _habits(mine: Habits) -> None:
    st.subheader("What did you favour?", anchor=False)
    if not mine.decided:
        st.markdown(
            "After your first votes, this says whether you lean to a side or to the longer text: habits a reward "
            "model learns too."
        )
        return
    st.markdown(_lean("the left text", mine.left))
    st.markdown(_lean("the longer text", mine.longer))
    st.caption(
        "In brackets: where the true share lies with 95 % confidence (Wilson). A lean is named only when ½ is outside."
    )


def _lean(what: str, share: Share) -> str:
    """One sentence that follows the measured share and its interval."""
    if not share.total:
        return f"- You have not yet had to choose for or against **{what}**."
    low, high = share.interval
    measured = (
        f"- You chose **{what}** {share.hits} times of {share.total}: {share.value:.0%} ({low:.0%} to {high:.0%})."
    )
    if not share.leans:
        return measured + " Chance alone could do that."
    return measured + (" That is a lean towards it." if share.value > 0.5 else " That is a lean away from it.")


def _one_vote() -> None:
    st.subheader("What one vote says", anchor=False)
    st.latex(r"P(\text{left preferred}) = \sigma\big(r_\theta(x, y_\text{left}) - r_\theta(x, y_\text{right})\big)")
    st.markdown(
        "Bradley and Terry (1952): each response has a score $r$, and the wider the gap, the surer the vote. "
        "A vote does not say how good a text is, only which of two is better, and even that with some noise. "
        "Many votes together pin the differences down."
    )


def _closing() -> None:
    closing(
        [
            (
                "What does one comparison say, and what does it not say?",
                "Which of these two you prefer, this time. Not how good either is, nor how much better, unless you "
                "add a strength.",
            ),
            (
                "Why are the sides drawn at random?",
                "People lean to one side, often without knowing. At random, that lean is noise that averages out; "
                "always on the same side, the reward model would learn it as taste.",
            ),
            (
                "What becomes of ties and skips?",
                "They are kept and can be exported, but a pair without a winner puts no term into the pairwise loss, "
                "so training leaves them out.",
            ),
        ],
        "reward_model",
        "train a reward model on these votes, and see how many of the ones it has not seen it predicts.",
    )


main()

"""Part three: the reader judges blindly, and is then held against the reward model and the true taste."""

import time

import streamlit as st

from core.alignment.before_after.in_numbers import BlindTally, blind_tally
from core.errors import PlaygroundError
from core.feedback.blind import BlindPair, BlindTrial
from core.feedback.comparison import Choice, ShownPair
from core.feedback.store import FeedbackStore
from core.figures.interval_rows import interval_rows
from core.hosting.ownership import full_name
from core.share import Share
from pages._before_after.subject import Subject
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.text import escaped, plain
from pages._parts.told import told

ENOUGH = 8  # votes after which the result is shown unasked: sooner, it would lead the eye
_CHOICES: dict[Choice, tuple[str, str]] = {
    "left": ("Left is better", "Left"),
    "tie": ("No difference", "T"),
    "right": ("Right is better", "Right"),
}


def show(subject: Subject) -> str:
    """Draw it; returns the claim."""
    if len(subject.checkpoints) < 2:
        return "Reference or tuned? Judge without knowing which is which."
    before, last = subject.checkpoints[0]["rows"], subject.checkpoints[-1]
    left, right = st.columns([3, 1], gap="large")
    with right:
        name = st.text_input("Your name", "me", max_chars=80, key="annotator", bind="query-params")
    try:
        trial = BlindTrial(
            FeedbackStore(), full_name((name or "me").strip() or "me"), f"{subject.id}@{last['update']}", "held-out"
        )
        _put_up(trial, subject)
    except PlaygroundError as error:
        st.error(escaped(str(error)))
        return "Reference or tuned? Judge without knowing which is which."
    votes = trial.votes()
    tally = blind_tally(votes, before, last["rows"])
    with left:
        shown = trial.next()
        if shown:
            _ask(trial, shown)
        else:
            st.success("You have judged every pair there is.")
    reveal = len(votes) >= ENOUGH or st.query_params.get("reveal") == "1"
    with right:
        _standing(trial, len(votes), reveal)
    if reveal and votes:
        _result(subject, tally)
    subject.badge("sides drawn at random, the same for you after a refresh")
    st.subheader("The equation", anchor=False)
    st.latex(
        r"\hat p = \frac{\text{votes for tuned}}{\text{votes}}, \qquad "
        r"\frac{\hat p + \frac{z^2}{2n} \pm z\sqrt{\frac{\hat p(1-\hat p)}{n} + \frac{z^2}{4n^2}}}{1 + \frac{z^2}{n}}"
    )
    if reveal and tally.reader.total:
        low, high = tally.reader.interval
        st.markdown(
            f"Wilson's interval with z = 1.96: {tally.reader.hits:g} of n = {tally.reader.total} votes give "
            f"**{tally.reader.value:.0%}**, and anything from **{low:.0%} to {high:.0%}** would not be surprising."
        )
    show_code("core.feedback.blind:BlindTrial", "core.alignment.before_after.in_numbers:blind_tally", Share)
    return _claim(subject, tally, reveal)


def _put_up(trial: BlindTrial, subject: Subject) -> None:
    """Once a session: put up again, they are all known, but it takes a moment."""
    done: set[str] = st.session_state.setdefault("blind_put_up", set())
    if trial.policy in done:
        return
    rows = zip(subject.checkpoints[0]["rows"], subject.checkpoints[-1]["rows"], strict=True)
    pairs = [BlindPair(one["prompt"], one["response"], other["response"]) for one, other in rows]
    middle = len(pairs) // 2  # the first ones stand named side by side on other views
    trial.put_up(pairs[middle:] + pairs[:middle])
    done.add(trial.policy)


def _ask(trial: BlindTrial, shown: ShownPair) -> None:
    began: dict[int, float] = st.session_state.setdefault("blind_began", {})
    began.setdefault(shown.pair_id, time.monotonic())
    with st.container(key="blind_prompt"):
        st.caption("Prompt")
        plain(shown.prompt, "said")
    for column, side, text in zip(st.columns(2), ("Left", "Right"), (shown.left, shown.right), strict=True):
        with column.container(border=True, height="stretch", key=f"blind_{side.lower()}"):
            st.caption(side)
            plain(text.strip(), "said")
    for column, (choice, (label, key)) in zip(st.columns([3, 2, 3]), _CHOICES.items(), strict=True):
        column.button(
            label,
            key=f"blind_vote_{choice}",
            shortcut=key,
            width="stretch",
            type="secondary" if choice == "tie" else "primary",
            on_click=_vote,
            args=(trial, shown, choice, began[shown.pair_id]),
        )
    plain(
        st.session_state.pop("blind_said", "Keys: ← left, → right, T no difference. One of the two is the reference.")
    )


def _vote(trial: BlindTrial, shown: ShownPair, choice: Choice, began: float) -> None:
    try:
        trial.vote(shown, choice, round(time.monotonic() - began, 3))
    except PlaygroundError as error:
        st.session_state["blind_said"] = f"Not saved: {error}"
        return
    st.session_state["blind_said"] = "Saved. It measures, and trains nothing."


def _standing(trial: BlindTrial, votes: int, reveal: bool) -> None:
    st.metric("Blind votes", votes, help="Kept on this machine under your name. No training ever sees them.")
    st.caption(f"{trial.waiting()} pairs wait")
    if votes:
        st.button("Undo", icon=":material/undo:", key="blind_undo", on_click=told(trial.undo))
    if votes and not reveal:
        st.caption(f"The result shows itself after {ENOUGH} votes.")
        if st.button("Show it now", key="blind_reveal"):
            st.query_params["reveal"] = "1"
            st.rerun()


def _result(subject: Subject, tally: BlindTally) -> None:
    judges = {"You": ("policy", tally.reader)}
    if tally.score:
        judges["Reward model"] = ("reward", tally.score)
    if tally.gold:
        judges[f"{subject.voter}'s true taste"] = ("chosen", tally.gold)
    st.subheader("Who prefers the tuned text, on these very pairs", anchor=False)
    names = list(judges)
    shares = [share for _, share in judges.values()]
    st.vega_lite_chart(
        {
            "label": names,
            "side": names,
            "value": [share.value for share in shares],
            "low": [share.interval[0] for share in shares],
            "high": [share.interval[1] for share in shares],
        },
        interval_rows(
            {name: concept for name, (concept, _) in judges.items()},
            len(names),
            theme.dark(),
            "share of pairs in which the tuned text is preferred",
            level=0.5,
            share=True,
        ),
        key="blind_shares",
        width="stretch",
        alt="; ".join(f"{name} {share.value:.0%}" for name, (_, share) in judges.items()),
    )
    table = [["judge", "share", "low", "high", "pairs"]]
    downloads(
        "blind_shares", "blind-vote", table + [[n, s.value, *s.interval, s.total] for n, (_, s) in judges.items()]
    )
    words = [f"You named no winner in {tally.ties}." if tally.ties else ""]
    for who, share in (("the reward model", tally.with_score), (f"{subject.voter}'s true taste", tally.with_gold)):
        if share:
            words.append(f"You and {who} name the same winner in {share.value:.0%} of {share.total}.")
    st.caption(" ".join(filter(None, words)))


def _claim(subject: Subject, tally: BlindTally, reveal: bool) -> str:
    if not reveal or not tally.reader.total:
        return "Reference or tuned? Judge without knowing which is which, and then see who agrees with you."
    share, (low, high) = tally.reader, tally.reader.interval
    if low > 0.5:
        return f"Blindly, you preferred the tuned text in {share.value:.0%} of {share.total} pairs: more than chance."
    if high < 0.5:
        return f"Blindly, you preferred the reference: the tuned text won {share.value:.0%} of {share.total} pairs."
    return (
        f"The tuned text won {share.value:.0%} of your {share.total} votes; that many cannot tell it from a coin "
        f"({low:.0%} to {high:.0%})."
    )

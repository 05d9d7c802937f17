"""How fast the live model learns: the reader's own curve beside simulated people's, and both orders of asking."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.alignment.live.bets import Bet, hits, running_shares
from core.feedback.annotators import get_annotator
from core.feedback.store import FeedbackStore
from core.figures.banded_lines import banded_lines
from core.figures.named_lines import NamedLine
from core.figures.palette import CONCEPTS
from core.gallery import load_entry
from core.quantiles import mean_and_reach
from core.share import Share
from pages._label.live import live
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.text import minus
from pages._parts.told import fragment

_MINE, _THEIRS = "its bets on your votes", "on simulated people's"
_ALL = "all of them"


def entry() -> Mapping[str, Any] | None:
    """What simulated sittings gave, computed earlier."""
    return load_entry("live_head")


def bets_curve(store: FeedbackStore, annotator: str, policy: str) -> None:
    """The honest learning curve: of each bet, whether it was right, before the head had seen that vote."""
    state = live(store, annotator, policy)
    shares = running_shares(hits([bet for _, bet in state.scored], [vote.choice == "left" for vote, _ in state.scored]))
    if state.reading:
        _look_again(store, annotator, policy)
    measured = entry()
    picture, words = st.columns([3, 1], gap="large")
    with words:
        beside = _whose(measured, "beside")
        st.markdown(_what_it_says(shares, state.reading))
    rows = [
        {"x": share.total, "y": share.value, "low": share.interval[0], "high": share.interval[1], "line": _MINE}
        for share in shares
    ]
    if measured:
        rows += _simulated(measured, beside)
    with picture:
        lines = [
            NamedLine(_MINE, CONCEPTS["reward"], 2.5),
            NamedLine(_THEIRS, CONCEPTS["reference"]),
        ]
        st.vega_lite_chart(
            _columns(rows),
            banded_lines(lines, theme.dark(), "bets made", "share that was right", level=0.5, share=True),
            key="bets_curve",
            alt="Share of the live model's bets that were right against the number of bets, with its 95 % band; "
            "dashed: guessing",
        )
        downloads("bets_curve", "live-model-bets", _table(rows))
        _badges(policy if shares else "", measured)
    _equation(state.scored[-1][1] if state.scored else None)


@fragment(run_every=1.0)
def _look_again(store: FeedbackStore, annotator: str, policy: str) -> None:
    """Draws the page anew once the texts behind the curve have been read."""
    if not live(store, annotator, policy).reading:
        st.rerun()


def choosing_curves() -> None:
    """Did asking where it is least sure help? Skill on fresh pairs against votes, for both orders."""
    measured = entry()
    if not measured:
        st.info("Not measured yet: `python -m core gallery --only live_head` takes a few minutes.")
        return
    picture, words = st.columns([3, 1], gap="large")
    with words:
        whose = _whose(measured, "taste")
        st.markdown(_did_it_help(measured, whose))
    votes = measured["key"]["measured_at"]
    rows = []
    for choice in ("random", "least sure"):
        sittings = _sittings(measured, whose, choice)
        for place, count in enumerate(votes):
            mean, reach = mean_and_reach([skill[place] for skill in sittings])
            rows.append({"x": count, "y": mean, "low": mean - reach, "high": mean + reach, "line": choice})
    with picture:
        lines = [NamedLine("random", CONCEPTS["reference"]), NamedLine("least sure", CONCEPTS["policy"])]
        st.vega_lite_chart(
            _columns(rows),
            banded_lines(lines, theme.dark(), "votes", "skill on fresh pairs", level=0.0),
            key="choosing_curves",
            alt="Skill of the live model on fresh pairs against the number of votes, asked at random and where it is "
            "least sure, with 95 % bands over ten sittings",
        )
        downloads("choosing_curves", "which-pair-next", _table(rows))
        badge(
            "simulated",
            model=measured["model"],
            note=f"{measured['key']['seeds']} sittings each · {measured['command']}",
        )
    st.caption(
        "Skill: how far from guessing (0) to the best that the voter's own noise allows (1), on "
        f"{measured['key']['fresh_pairs']:,} fresh pairs. Do not compare bets between the two orders: least sure asks "
        "the hard questions, so its bets miss more, however much it learns."
    )
    st.latex(
        r"I = H\big(\mathbb{E}[\sigma(\Delta)]\big) - \mathbb{E}\big[H(\sigma(\Delta))\big], \qquad "
        r"\Delta \sim \mathcal{N}(\text{mean}, \text{variance})"
    )
    st.markdown(
        "How open the answer is, less what would stay open even if its weights were known. A pair you find equally "
        "good is a toss-up for ever and teaches nothing; a pair it has not understood yet does."
    )
    show_code("core.alignment.live.next_pair:expected_information", "core.alignment.live.live_curves:learn")


def _whose(measured: Mapping[str, Any] | None, key: str) -> str:
    """Which simulated person's curves are drawn."""
    names = {_ALL: _ALL} | {
        name: get_annotator(name).title for name in (measured["data"]["curves"] if measured else ())
    }
    return st.selectbox(
        "Simulated people",
        list(names),
        format_func=lambda name: names[name],
        key=key,
        bind="query-params",
        help="Each has a known taste (the Overview says which) and votes with noise, as people do.",
    )


def _simulated(measured: Mapping[str, Any], whose: str) -> list[dict[str, Any]]:
    """Their share of right bets in random order, mean over people and sittings."""
    curves = measured["data"]["curves"]
    chosen = [curves[name]["random"]["bets"] for name in ([whose] if whose != _ALL else curves)]
    return [
        {"x": place, "y": statistics.fmean(values), "low": None, "high": None, "line": _THEIRS}
        for place, values in enumerate(zip(*chosen, strict=True), 1)
    ]


def _sittings(measured: Mapping[str, Any], whose: str, choice: str) -> list[list[float]]:
    """Skill of every sitting at every number of votes; for all people, the mean over them of each seed."""
    curves = measured["data"]["curves"]
    if whose != _ALL:
        return curves[whose][choice]["skill"]
    seeds = zip(*(curves[name][choice]["skill"] for name in curves), strict=True)
    return [[statistics.fmean(at) for at in zip(*people, strict=True)] for people in seeds]


def _what_it_says(shares: Sequence[Share], reading: bool) -> str:
    """One paragraph that follows the reader's own score and its interval."""
    if reading:
        return "The model is reading your pairs; your curve is back in a moment."
    if not shares:
        return (
            "Dashed: the live model's bets on simulated people's votes. **Vote, and your own curve grows here**: each "
            "point counts only bets made before your vote was known."
        )
    now = shares[-1]
    low, high = now.interval
    score = (
        f"**{now.hits} of {now.total}** bets right: {now.value:.0%}, and 95 % sure between {low:.0%} and {high:.0%}. "
    )
    if low > 0.5:
        return score + "**It has caught something of your taste**: guessing would rarely do as well."
    if high < 0.5:
        return (
            score
            + "**Worse than guessing**: your taste may have changed on the way, or it latched on to the wrong thing."
        )
    return score + "Guessing could do that too: **too few votes to tell**, or a taste that its features cannot express."


def _did_it_help(measured: Mapping[str, Any], whose: str) -> str:
    """What the paired difference says at 16 and 64 votes: same seed, same person, two orders."""
    votes = measured["key"]["measured_at"]
    at_random, least_sure = (_sittings(measured, whose, choice) for choice in ("random", "least sure"))
    sentences = []
    for count in (16, 64):
        place = votes.index(count)
        gap, reach = mean_and_reach([b[place] - a[place] for a, b in zip(at_random, least_sure, strict=True)])
        verdict = (
            "**asking where it is least sure was better**"
            if gap - reach > 0
            else "**asking where it is least sure was worse**"
            if gap + reach < 0
            else "**no difference that ten sittings could show**"
        )
        sentences.append(f"After {count} votes {verdict}: {gap:+.2f} of skill (± {reach:.2f}).")
    return minus("\n\n".join(sentences))


def _equation(last: Bet | None) -> None:
    st.subheader("The equation", anchor=False)
    st.latex(r"\Delta = w^\top\big(\phi(x, y_\text{left}) - \phi(x, y_\text{right})\big)")
    st.latex(
        r"P(\text{left}) = \int \sigma(\Delta)\, \mathcal{N}(\Delta; m, v)\, d\Delta \approx "
        r"\sigma\!\left(\frac{m}{\sqrt{1 + \pi v / 8}}\right)"
    )
    if last is not None and last.side != "none":
        st.markdown(
            f"Its newest opened bet: m = {last.mean:+.2f}, v = {last.variance:.2f} after {last.votes} "
            f"vote{'' if last.votes == 1 else 's'}, so "
            f"P(left) = **{last.left:.0%}**. The more it doubts (v), the closer to one half it bets."
        )
    st.markdown(
        "φ: the policy's own hidden states, averaged over the response: its tokens as they enter, and what they have "
        "become two thirds of the way up. Nothing in φ was made by hand, and the policy is not trained. Only the "
        "weights w are: fitted anew after every vote, under a prior that keeps them small."
    )
    show_code(
        "core.alignment.live.live_head:fit_live_head",
        "core.alignment.live.live_head:chance_left",
        "core.alignment.live.bets:bet",
        "core.alignment.live.frozen_features:frozen_features",
    )


def _badges(policy: str, measured: Mapping[str, Any] | None) -> None:
    if policy:
        badge("live", model=policy, note="yours: recomputed from your stored votes")
    if measured:
        sittings = f"{measured['key']['seeds']} sittings each"
        badge("simulated", model=measured["model"], note=f"dashed: {sittings} · {measured['command']}")


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in ("line", "x", "y", "low", "high")}


def _table(rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    header = ["line", "x", "y", "low", "high"]
    return [header, *([row[name] for name in header] for row in rows)]

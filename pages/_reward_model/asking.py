"""Any two texts: which would people prefer, how sure is that, and what one vote on them does in the loss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.alignment.cross_examination.verdict import Verdict, ensemble_verdict, laplace_verdict
from core.alignment.pair_term import pair_term
from core.feedback.sources import bundled_pairs
from core.figures.preference import preference
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.text import minus, said
from pages._parts.token_strip import token_strip
from pages._parts.typed import typed
from pages._reward_model.again import finished
from pages._reward_model.subject import Subject
from pages._reward_model.views import head_doubt, member_differences, opened, scored, spaced, words_of

_CLOSE = 0.02  # of ½: nobody would say that it had made up its mind

_LONGEST = 1000  # characters of a text that is asked about


@dataclass(frozen=True)
class _Asked:
    """Two texts and what was said of them."""

    prompt: str
    texts: tuple[str, str]
    scores: tuple[float, float]
    unit: tuple[float, float]  # mean, sd of the policy's own scores
    verdict: Verdict
    members: Sequence[float]  # Δ of each; empty where there is one model alone
    doubt: str  # where the interval comes from, in words
    running: Mapping[str, Sequence[Sequence[Any]]]


def show(subject: Subject) -> str:
    """Two texts, the predicted preference with its interval, and the loss of a vote on them. Returns the claim."""
    asked = _typed(subject) if subject.folder else _example(subject)
    if asked is None:
        st.info("Any two texts can be compared here as soon as a reward model is trained: under *How good*.")
        return "Two texts, two scores; only their difference means anything."
    _probability(asked)
    subject.badge("reward_words", asked.doubt)
    _strip(asked)
    _equation(*asked.scores)
    show_code(
        "core.alignment.cross_examination.verdict:ensemble_verdict",
        "core.alignment.cross_examination.verdict:laplace_verdict",
        "core.alignment.cross_examination.head_posterior:head_posterior",
    )
    return _claim(asked)


def _claim(asked: _Asked) -> str:
    verdict, term = asked.verdict, pair_term(*asked.scores)
    if term.difference == 0:
        return "It gives both texts the same score: it has no preference between them."
    favourite = "A" if term.difference > 0 else "B"
    sure = max(term.probability, 1 - term.probability)
    if not verdict.decided and sure < 0.5 + _CLOSE:
        return (
            f"It can hardly tell them apart: it gives {favourite} {sure:.1%}, and its interval for A reaches from "
            f"{verdict.low:.0%} to {verdict.high:.0%}."
        )
    if verdict.decided:
        return f"It gives {favourite} {sure:.0%}, and even the far end of its interval stays on that side."
    return (
        f"It gives {favourite} {sure:.0%}, but its interval for A reaches from {verdict.low:.0%} to "
        f"{verdict.high:.0%}: the votes do not settle this pair."
    )


def _typed(subject: Subject) -> _Asked | None:
    example = bundled_pairs()[0]
    linked: dict[str, Any] = {"bind": "query-params", "longest": _LONGEST}  # an address has to hold them
    prompt = typed(st, "text_area", "Prompt", example.prompt, key="try_prompt", height="content", **linked)
    left, right = st.columns(2)
    a = typed(left, "text_area", "Response A", example.response_a, key="try_a", height=110, **linked)
    b = typed(right, "text_area", "Response B", example.response_b, key="try_b", height=110, **linked)
    a, b = spaced(prompt, a), spaced(prompt, b)
    folder = str(subject.folder)
    unit = opened(folder).normalisation
    score_a, score_b = scored(folder, prompt, (a, b))
    verdict, members, doubt = _doubt(subject, prompt, a, b, score_a - score_b)
    asked = _Asked(
        prompt,
        (a, b),
        (score_a, score_b),
        (unit.mean, unit.sd),
        verdict,
        members,
        doubt,
        {"A": words_of(folder, prompt, a)["running"], "B": words_of(folder, prompt, b)["running"]},
    )
    _scores(asked, left, right)
    return asked


def _doubt(subject: Subject, prompt: str, a: str, b: str, difference: float) -> tuple[Verdict, Sequence[float], str]:
    """The ensemble's interval where there is one; else that of the model's own last layer."""
    run = finished(subject, "ensemble")
    if run:
        members = member_differences(str(run.folder / "ensemble"), prompt, a, b)
        return ensemble_verdict(members), members, f"interval: an ensemble of {len(members)}, run {run.id}"
    run_id = subject.run.id if subject.run else ""
    doubt = head_doubt(run_id)
    note = f"interval: last-layer Laplace over {doubt.votes:,} votes, λ = {doubt.prior_precision:g}"
    return laplace_verdict(difference, doubt.sd(prompt, a, b)), (), note


def _example(subject: Subject) -> _Asked | None:
    """Before anything has run: the first bundled pairs, asked earlier."""
    data = subject.entry("reward_words")
    if not data:
        return None
    number = st.pagination(len(data["examples"]), key="try_example", bind="query-params")
    one = data["examples"][number - 1]
    left, right = st.columns(2, gap="medium")
    for column, name, text in zip((left, right), "AB", one["texts"], strict=True):
        with column:
            st.markdown(f"**Response {name}**")
            said(one["prompt"], text)
    scores = (one["read"][0]["score"], one["read"][1]["score"])
    asked = _Asked(
        one["prompt"],
        tuple(one["texts"]),
        scores,
        tuple(data["unit"]),
        ensemble_verdict(one["members"]),
        one["members"],
        f"interval: an ensemble of {len(one['members'])}",
        {name: read["running"] for name, read in zip("AB", one["read"], strict=True)},
    )
    _scores(asked, left, right)
    st.caption("The first bundled pairs, unpicked. Train a reward model, and any two texts can be typed here.")
    return asked


def _scores(asked: _Asked, left: Any, right: Any) -> None:
    mean, sd = asked.unit
    for column, name, raw in zip((left, right), "AB", asked.scores, strict=True):
        column.metric(
            f"Score of {name}",
            f"{raw:+.3f}",
            f"{(raw - mean) / sd:+.2f} sd",
            delta_color="off",
            delta_arrow="off",
            help="The raw logit; below it, in standard deviations from the mean of what the policy wrote before "
            "tuning.",
        )


def _probability(asked: _Asked) -> None:
    score_a, score_b = asked.scores
    term, verdict = pair_term(score_a, score_b), asked.verdict
    picture, words = st.columns([3, 2], gap="large", vertical_alignment="center")
    with picture:
        st.plotly_chart(
            preference(term.difference, theme.dark(), (verdict.low, verdict.high), asked.members),
            config={"displayModeBar": False},
            key="preference",
            alt=f"Logistic curve; this pair stands at a difference of {term.difference:.2f} and a probability of "
            f"{term.probability:.0%}, interval {verdict.low:.0%} to {verdict.high:.0%}",
        )
        downloads(
            "preference",
            "predicted-preference",
            [["delta", "probability", "low", "high"], [term.difference, term.probability, verdict.low, verdict.high]],
        )
    favourite = "A" if term.difference > 0 else "B" if term.difference < 0 else "neither"
    unsure = verdict.low < 0.5 < verdict.high
    opinion = f"It leans to **{favourite}**, no more" if unsure else f"It prefers **{favourite}**"
    if favourite == "neither":
        opinion = "It has no preference"
    elif unsure and abs(term.probability - 0.5) < _CLOSE:
        opinion = "It has no preference to speak of"
    whose = (
        f"Small bars are the {len(asked.members)} members of an ensemble, each taught on another resample of the same "
        "votes; the thick stretch of the curve is where one more would land"
        if asked.members
        else "The interval, the thick stretch of the curve, is how far the score head could change and still fit its "
        "votes nearly as well; what the trunk could have learned otherwise is left out. An ensemble, under *How sure*, "
        "asks the whole model"
    )
    difference = minus(f"{term.difference:+.3f}")
    words.markdown(
        f"{opinion}: A wins with probability **{term.probability:.1%}**, 95% interval "
        f"**{verdict.low:.0%} to {verdict.high:.0%}**. {whose}.\n\nAll of it hangs on the difference Δ = "
        f"{difference} alone. A single score has no zero and no unit of its own: add 10 to every text, and nothing "
        "changes."
    )
    shift = words.slider("Add this to both scores", -10.0, 10.0, 0.0, 0.5, key="try_shift")
    moved = pair_term(score_a + shift, score_b + shift)
    words.markdown(
        minus(f"Scores {score_a + shift:+.2f} and {score_b + shift:+.2f}: probability **{moved.probability:.1%}**.")
    )


def _strip(asked: _Asked) -> None:
    mean, sd = asked.unit
    st.markdown(
        "**Running score** · the score the text would have if it ended after each token, in sd of the policy's own "
        "texts"
    )
    which = st.segmented_control(
        "Text", ["A", "B"], default="A", required=True, key="try_strip", label_visibility="collapsed"
    )
    token_strip(
        [(text, (value - mean) / sd) for text, value in asked.running[which]],
        key=f"strip_{which}",
        label="running score (sd)",
        alt=f"Prompt and response {which} as tokens, tinted by the running score, from blue (high) to orange (low)",
    )
    st.caption(
        "Look for the words where it turns. What each word is worth by itself is under *What it likes*: every value "
        "here depends on all that came before."
    )


def _equation(score_a: float, score_b: float) -> None:
    st.subheader("The loss, with this pair's numbers", anchor=False)
    vote = st.segmented_control("Suppose the vote goes to", ["A", "B"], default="A", required=True, key="try_vote")
    chosen, rejected = (score_a, score_b) if vote == "A" else (score_b, score_a)
    term = pair_term(chosen, rejected)
    st.latex(r"\mathcal{L}(\theta) = -\,\mathbb{E}\big[\log \sigma\big(r_\theta(x, y_w) - r_\theta(x, y_l)\big)\big]")
    st.latex(
        rf"-\log\sigma\big({{{chosen:.3f}}} - {_in_formula(rejected)}\big) = -\log\sigma({term.difference:.3f}) "
        rf"= -\log {term.probability:.4f} = {term.loss:.3f}"
    )
    st.markdown(
        minus(f"Its gradient in the chosen score is σ(Δ) − 1 = **{term.pull:.3f}**, the opposite in the rejected one: ")
        + (
            "the model is close to ½, so this vote pulls about as one it is unsure of."
            if abs(term.probability - 0.5) < _CLOSE
            else "the model already agrees, so this vote pulls less than one it is unsure of."
            if term.probability > 0.5
            else "the model disagrees, so this vote pulls harder than one it is unsure of."
        )
    )


def _in_formula(value: float) -> str:
    """A number behind a minus sign."""
    return f"{value:.3f}" if value >= 0 else f"({value:.3f})"

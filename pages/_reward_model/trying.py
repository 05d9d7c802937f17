"""Two texts, two scores: what a difference means, token by token, and in the loss."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core.alignment.pair_term import pair_term
from core.alignment.traits import measured_traits
from core.errors import PlaygroundError
from core.feedback.sources import bundled_pairs
from core.figures.preference import preference
from core.figures.traits import traits
from pages._parts import theme
from pages._parts.text import escaped
from pages._parts.token_strip import token_strip

if TYPE_CHECKING:
    from core.alignment.reward_model import RewardModel

_PLAIN = {"displayModeBar": False}


@st.cache_resource(max_entries=2, show_spinner="Opening the reward model…")
def opened(folder: str) -> "RewardModel":
    """A finished run's reward model: its weights no longer change."""
    from core.alignment.reward_model import load_reward_model

    return load_reward_model(folder)


@st.cache_data(max_entries=256, show_spinner=False)
def _scored(folder: str, prompt: str, responses: tuple[str, ...]) -> list[float]:
    from core.alignment.reward_model import score

    reward_model = opened(folder)
    return score(reward_model.model, reward_model.tokenizer, [prompt] * len(responses), responses).tolist()


@st.cache_data(max_entries=64, show_spinner=False)
def _running(folder: str, prompt: str, response: str) -> list[tuple[str, float]]:
    from core.alignment.reward_model import running_scores

    reward_model = opened(folder)
    return running_scores(reward_model.model, reward_model.tokenizer, prompt, response)


@st.cache_data(max_entries=16, show_spinner="Scoring the bundled responses…")
def _latched(folder: str) -> tuple[list[str], list[str], list[float], list[float], int]:
    from core.alignment.reward_model import score

    reward_model, pairs = opened(folder), bundled_pairs()
    prompts = [pair.prompt for pair in pairs for _ in range(2)]
    responses = [text for pair in pairs for text in (pair.response_a, pair.response_b)]
    scores = score(reward_model.model, reward_model.tokenizer, prompts, responses).tolist()
    found = measured_traits(prompts, responses, scores)
    return (
        [trait.name for trait in found],
        [trait.meaning for trait in found],
        [trait.correlation for trait in found],
        [trait.reach for trait in found],
        len(responses),
    )


def try_it(folder: Path) -> None:
    """Type any text: its score, the preferred probability of two, the running score, and the pair's part in the "
    "loss."""
    st.subheader("Try any text", anchor=False)
    try:
        example = bundled_pairs()[0]
    except PlaygroundError as error:
        st.error(escaped(str(error)))
        return
    prompt = st.text_area("Prompt", example.prompt, key="try_prompt", height="content")
    left, right = st.columns(2)
    a = left.text_area("Response A", example.response_a, key="try_a", height=110)
    b = right.text_area("Response B", example.response_b, key="try_b", height=110)
    try:
        unit = opened(str(folder)).normalisation
        score_a, score_b = _scored(str(folder), prompt, (a, b))
        tokens = {"A": _running(str(folder), prompt, a), "B": _running(str(folder), prompt, b)}
    except PlaygroundError as error:
        st.error(escaped(str(error)))
        return
    for column, name, raw in ((left, "A", score_a), (right, "B", score_b)):
        column.metric(
            f"Score of {name}",
            f"{raw:+.3f}",
            f"{(raw - unit.mean) / unit.sd:+.2f} sd",
            delta_color="off",
            delta_arrow="off",
            help="The raw logit; below it, in standard deviations from the mean of what the policy wrote before "
            "tuning.",
        )
    _probability(score_a, score_b)
    _strip(tokens, unit.mean, unit.sd)
    _equation(score_a, score_b)


def _probability(score_a: float, score_b: float) -> None:
    term = pair_term(score_a, score_b)
    picture, words = st.columns([3, 2], gap="large", vertical_alignment="center")
    picture.plotly_chart(
        preference(term.difference, theme.dark()),
        config=_PLAIN,
        key="preference",
        alt=f"Logistic curve; this pair stands at a difference of {term.difference:.2f} and a probability of "
        f"{term.probability:.0%}",
    )
    favourite = "A" if term.difference > 0 else "B" if term.difference < 0 else "neither"
    words.markdown(
        f"It prefers **{favourite}**: A wins with probability **{term.probability:.1%}**, from the difference Δ = "
        f"{term.difference:+.3f} "
        "alone. A single score has no zero and no unit of its own: add 10 to every text, and nothing changes."
    )
    shift = words.slider("Add this to both scores", -10.0, 10.0, 0.0, 0.5, key="try_shift")
    moved = pair_term(score_a + shift, score_b + shift)
    words.markdown(
        f"Scores {score_a + shift:+.2f} and {score_b + shift:+.2f}: probability **{moved.probability:.1%}**."
    )


def _strip(tokens: dict[str, list[tuple[str, float]]], mean: float, sd: float) -> None:
    st.markdown(
        "**Running score** · the score the text would have if it ended after each token, in sd of the policy's own "
        "texts"
    )
    which = st.segmented_control(
        "Text", ["A", "B"], default="A", required=True, key="try_strip", label_visibility="collapsed"
    )
    scaled = [(text, (value - mean) / sd) for text, value in tokens[which]]
    token_strip(
        scaled,
        key=f"strip_{which}",
        label="running score (sd)",
        alt=f"Prompt and response {which} as tokens, tinted by the running score, from blue (high) to orange (low)",
    )
    st.caption(
        "Look for the words where it turns. It does not show what a word is worth elsewhere: every value depends on "
        "all that came before, "
        "and the model was only ever asked about whole texts."
    )


def _equation(score_a: float, score_b: float) -> None:
    st.subheader("The loss, with this pair's numbers", anchor=False)
    vote = st.segmented_control("Suppose the vote goes to", ["A", "B"], default="A", required=True, key="try_vote")
    chosen, rejected = (score_a, score_b) if vote == "A" else (score_b, score_a)
    term = pair_term(chosen, rejected)
    st.latex(r"\mathcal{L}(\theta) = -\,\mathbb{E}\big[\log \sigma\big(r_\theta(x, y_w) - r_\theta(x, y_l)\big)\big]")
    st.latex(
        rf"-\log\sigma\big({{{chosen:.3f}}} - {_in_formula(rejected)}\big) = -\log\sigma({term.difference:.3f}) "
        rf"= -\log {term.probability:.3f} = {term.loss:.3f}"
    )
    st.markdown(
        f"Its gradient in the chosen score is σ(Δ) − 1 = **{term.pull:.3f}**, and the opposite in the rejected one: "
        + (
            "the model already agrees, so this vote pulls less than one it is unsure of."
            if term.probability > 0.5
            else "the model disagrees, so this vote pulls harder than one it is unsure of."
        )
    )


def _in_formula(value: float) -> str:
    """A number behind a minus sign."""
    return f"{value:.3f}" if value >= 0 else f"({value:.3f})"


def latched_on(folder: Path) -> None:
    """Correlations of the score with traits that plain code can read off a text."""
    st.subheader("What did it latch on to?", anchor=False)
    if not st.toggle("Score the bundled responses and compare", key="reward_traits", bind="query-params"):
        st.markdown(
            "A reward model learns whatever tells the chosen texts from the rejected: the taste, but also length, or "
            "a lucky word."
        )
        return
    names, meanings, correlations, reach, texts = _latched(str(folder))
    picture, words = st.columns([3, 2], gap="large", vertical_alignment="center")
    picture.plotly_chart(
        traits(names, correlations, reach, theme.dark()),
        config=_PLAIN,
        key="traits",
        alt="Rank correlation of the score with each trait: "
        + ", ".join(f"{name} {value:+.2f}" for name, value in zip(names, correlations, strict=True)),
    )
    strongest, clear = names[0], abs(correlations[0]) > reach[0]
    words.markdown(
        (
            f"Its scores go along most with **{strongest}** ({correlations[0]:+.2f})"
            if clear
            else "Its scores go along with none of these clearly"
        )
        + f", on {texts} responses of the storyteller. The thin lines are 95% intervals. A correlation does not say "
        "that the trait is the cause."
    )
    with words.expander("What the names mean"):
        for name, meaning in zip(names, meanings, strict=True):
            st.text(f"{name}: {meaning}")

"""What it latched on to: traits of the text that move with its score, and each word's worth in any text."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.feedback.sources import bundled_pairs
from core.figures.traits import KINDS, traits
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.token_strip import token_strip
from pages._reward_model.subject import Subject
from pages._reward_model.views import opened, spaced, traits_of, words_of


def show(subject: Subject) -> str:
    """Traits first, then any text word by word. Returns the claim."""
    view = traits_of(subject)
    if view is None:
        st.info("What a reward model latched on to can be seen as soon as one is trained: under *How good*.")
        return "A reward model learns whatever tells the chosen texts from the rejected: the taste, or a lucky word."
    _traits(subject, view)
    _words(subject)
    show_code(
        "core.alignment.cross_examination.trait_coefficients:standardised_fit",
        "core.alignment.cross_examination.word_deletion:word_deletions",
        "core.alignment.reward_model:running_scores",
    )
    return _claim(view["traits"])


def _clear(row: Mapping[str, Any]) -> bool:
    return abs(row["value"]) > row["reach"]


def _claim(rows: Sequence[Mapping[str, Any]]) -> str:
    strongest = rows[0]
    length = next((row for row in rows if row["name"] == "Length"), None)
    if not _clear(strongest):
        return "Its scores move clearly with none of the traits that plain code can read off a text."
    words = (
        f"Its scores move most with {strongest['name'].lower()}: {strongest['value']:+.2f} sd of score a sd, all other "
        "traits held still"
    )
    if length is None or length is strongest:
        return f"{words}."
    if _clear(length):
        return f"{words}; length counts too, with {length['value']:+.2f}."
    return f"{words}; length, the others held still, makes no clear difference."


def _traits(subject: Subject, view: Mapping[str, Any]) -> None:
    rows = view["traits"]
    names = [row["name"] for row in rows]
    data = [
        {"trait": row["name"], "kind": kind, "value": value, "low": value - reach, "high": value + reach}
        for row in rows
        for kind, value, reach in (
            (KINDS[0], row["correlation"], row["correlation_reach"]),
            (KINDS[1], row["value"], row["reach"]),
        )
    ]
    picture, words = st.columns([3, 2], gap="large", vertical_alignment="center")
    with picture:
        st.vega_lite_chart(
            {name: [row[name] for row in data] for name in data[0]},
            traits(names, theme.dark()),
            key="traits",
            alt="Each trait's correlation and coefficient with the score: "
            + ", ".join(f"{row['name']} {row['correlation']:+.2f} and {row['value']:+.2f}" for row in rows),
        )
        downloads("traits", "traits", [list(data[0]), *(list(row.values()) for row in data)])
        subject.badge("reward_traits", f"{view['texts']} responses of the storyteller")
    apart = max(rows, key=lambda row: abs(row["correlation"] - row["value"]))
    words.markdown(
        "**Alone** is the rank correlation of the score with one trait. **Others held still** is the coefficient of a "
        "regression on all of them, in standard deviations of score a standard deviation of the trait. Lines are 95% "
        f"intervals.\n\nThe two differ most for **{apart['name'].lower()}** ({apart['correlation']:+.2f} and "
        f"{apart['value']:+.2f}): what goes along with other traits shares their credit. Together they explain "
        f"**{view['explained']:.0%}** of the score's variance; the rest is in the words. Neither says that the trait "
        "is the cause."
    )
    with words.expander("What the names mean"):
        for row in rows:
            st.text(f"{row['name']}: {row['meaning']}")


def _words(subject: Subject) -> None:
    st.subheader("Word by word", anchor=False)
    read, unit, prompt, response = _any_text(subject) if subject.folder else _examples(subject)
    if read is None:
        return
    mean, sd = unit
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Each word deleted** · what the score loses without it, in sd")
        token_strip(
            [(text, effect / sd) for text, effect in read["words"]],
            key="strip_words",
            label="deleting it takes away (sd)",
            alt=f"The response {response.strip()!r} in words, blue where a word earns score, orange where it costs",
            scale=1.0,
            running=False,
        )
    with right:
        st.markdown("**Running score** · the score if the text ended here, in sd")
        token_strip(
            [(text, (value - mean) / sd) for text, value in read["running"]],
            key="strip_running",
            label="running score (sd)",
            alt=f"Prompt {prompt.strip()!r} and response as tokens, tinted by the running score",
        )
    gap = (read["score"] - read["prompt_score"]) / sd
    summed = read["summed"] / sd
    st.markdown(
        f"All effects sum to **{summed:+.2f} sd**, while the whole response is worth **{gap:+.2f} sd** against the "
        "bare prompt: "
        + (
            "close here, by chance or because the words act alone."
            if abs(summed - gap) < 0.25 * max(abs(gap), 0.4)
            else "words act together, so single deletions do not add up."
        )
    )
    st.caption(
        "Look for words both pictures point at. Deleting a word also leaves a text nobody would write, and the score "
        "reacts to that too; a running score at one word depends on all that came before it."
    )
    subject.badge("reward_words", "one batch of texts, each with one word missing")


def _any_text(subject: Subject) -> tuple[dict[str, Any] | None, tuple[float, float], str, str]:
    example = bundled_pairs()[0]
    prompt = st.text_area("Prompt", example.prompt, key="words_prompt", height="content")
    response = spaced(prompt, st.text_area("Response", example.response_a, key="words_response", height=90))
    unit = opened(str(subject.folder)).normalisation
    if not response.strip():
        st.info("Write a response to see what its words are worth.")
        return None, (unit.mean, unit.sd), prompt, response
    return words_of(str(subject.folder), prompt, response), (unit.mean, unit.sd), prompt, response


def _examples(subject: Subject) -> tuple[dict[str, Any] | None, tuple[float, float], str, str]:
    """Before anything has run: the first bundled pairs, read earlier."""
    data = subject.entry("reward_words")
    if not data:
        return None, (0.0, 1.0), "", ""
    texts = [
        (example["prompt"], text, read)
        for example in data["examples"]
        for text, read in zip(example["texts"], example["read"], strict=True)
    ]
    number = st.pagination(len(texts), key="words_example", bind="query-params")
    prompt, response, read = texts[number - 1]
    st.caption("The first bundled responses, unpicked. Train a reward model, and any text can be typed here.")
    return read, tuple(data["unit"]), prompt, response  # type: ignore[return-value]

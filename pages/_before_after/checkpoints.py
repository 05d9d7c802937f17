"""Part two: the same prompts at every checkpoint, to be scrubbed through, and what changed on the way."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.alignment.before_after.estimates import Estimate
from core.alignment.before_after.in_numbers import course
from core.alignment.before_after.side_by_side import differing
from core.figures.banded_lines import banded_lines
from core.figures.named_lines import NamedLine
from core.figures.palette import CONCEPTS
from pages._before_after.scrubber import scrubber
from pages._before_after.subject import Checkpoint, Subject
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads

SHOWN = 4  # prompts on the screen at once
Course = Mapping[str, Estimate]
MEASURES = {
    # name: (title, concept, words, how to read it)
    "gold": ("{voter}'s true taste", "chosen", "{:.2f}", "What all of this is for, and what training never saw."),
    "score": ("Reward model's score", "reward", "{:+.2f} sd", "What PPO pushes up, in sd of the reference's texts."),
    "kl": ("KL to the reference", "kl", "{:.1f} nats", "The price: exact, over the full vocabulary, per response."),
    "length": ("Length", "chosen", "{:.1f} words", "A taste for long or short texts shows here first."),
    "distinct_2": ("distinct-2", "chosen", "{:.2f}", "Different word pairs over all: lower is more of the same."),
    "perplexity": (
        "Perplexity",
        "reference",
        "{:.1f}",
        "How strange the reference finds the texts. Lower than at the start: safer words than it would dare itself.",
    ),
}


def show(subject: Subject) -> str:
    """Draw it; returns the claim."""
    if len(subject.checkpoints) < 2:
        return "Every checkpoint that a run keeps answers the same held-out prompts from the same random numbers."
    courses = courses_of(subject)
    set_number = st.pagination(
        max(1, min(len(subject.checkpoints[0]["rows"]), 24) // SHOWN), key="four", bind="query-params"
    )
    first = (set_number - 1) * SHOWN
    rows = [checkpoint["rows"][first : first + SHOWN] for checkpoint in subject.checkpoints]
    scrubber(
        [
            _stop(subject, checkpoint, found, rows[0], mine)
            for checkpoint, found, mine in zip(subject.checkpoints, courses, rows, strict=True)
        ],
        [row["prompt"] for row in rows[0]],
        key="at",
    )
    st.caption("Marked: words that the reference did not write here. Held-out prompts in their order, unpicked.")
    subject.badge(f"{len(subject.checkpoints[0]['rows'])} held-out prompts at each checkpoint")
    _curves(subject, courses)
    show_code("core.alignment.before_after.look_back:look_back", "core.alignment.before_after.in_numbers:course")
    return claim(subject, courses)


def courses_of(subject: Subject) -> list[Course]:
    """`course` of every checkpoint, kept as long as the texts are the same."""
    return [
        _course(subject.looked.id if subject.looked else subject.id, int(one["update"]), one["rows"])
        for one in subject.checkpoints
    ]


@st.cache_data(max_entries=64, show_spinner=False)
def _course(source: str, update: int, _rows: Sequence[Mapping[str, Any]]) -> dict[str, Estimate]:
    return course(_rows)


def _stop(
    subject: Subject,
    checkpoint: Checkpoint,
    found: Course,
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    update = checkpoint["update"]
    return {
        "title": f"after update {update}" if update else "reference",
        "facts": [
            [title.format(voter=subject.voter), words.format(found[name].value)]
            for name, (title, _, words, _) in MEASURES.items()
            if name in found
        ],
        "answers": [
            [[one.text, one.differs] for one in differing(old["response"], new["response"])[1]]
            for old, new in zip(before, after, strict=True)
        ],
    }


def _curves(subject: Subject, courses: Sequence[Course]) -> None:
    updates = [int(one["update"]) for one in subject.checkpoints]
    shown = [name for name in MEASURES if all(name in found for found in courses)]
    for start in range(0, len(shown), 3):
        for column, name in zip(st.columns(3, gap="medium"), shown[start : start + 3], strict=False):
            title, concept, words, note = MEASURES[name]
            title = title.format(voter=subject.voter)
            found = [one[name] for one in courses]
            with column:
                st.markdown(f"**{title}** &nbsp; {words.format(found[0].value)} → {words.format(found[-1].value)}")
                st.vega_lite_chart(
                    {
                        "x": updates,
                        "y": [one.value for one in found],
                        "low": [one.low for one in found],
                        "high": [one.high for one in found],
                        "line": [title] * len(found),
                    },
                    banded_lines([NamedLine(title, CONCEPTS[concept])], theme.dark(), "update", "", height=140),
                    key=f"course_{name}",
                    width="stretch",
                    alt=f"{title} after each kept update, with 95 % intervals",
                )
                st.caption(note)
                table = [
                    ["update", "value", "low", "high"],
                    *([u, *one] for u, one in zip(updates, found, strict=True)),
                ]
                downloads(f"course_{name}", f"checkpoints-{name}", table)


def claim(subject: Subject, courses: Sequence[Course]) -> str:
    """What the way looked like, as measured."""
    first, last = courses[0], courses[-1]
    price = f"at {last['kl'].value:.1f} nats of KL" if "kl" in last else ""
    if "gold" not in last:
        return f"From update to update the same prompts get other answers, {price} in the end."
    best = max(courses, key=lambda one: one["gold"].value)
    voter = subject.voter
    update = subject.checkpoints[list(courses).index(best)]["update"]
    rose = best["gold"].low > first["gold"].high
    if last["gold"].low <= first["gold"].high and not (rose and best["gold"].low > last["gold"].high):
        way = f"{first['gold'].value:.2f} to {last['gold'].value:.2f}, {price}"
        return f"{voter}'s true taste has not risen for certain on the way: {way}."
    if best["gold"].low > last["gold"].high:
        return f"{voter}'s true taste was best after update {update} and has fallen since: the tuning went too far."
    return (
        f"{voter}'s true taste rises from {first['gold'].value:.2f} to {last['gold'].value:.2f} over the updates, "
        f"{price}: watch which words bring it."
    )

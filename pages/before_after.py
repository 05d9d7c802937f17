"""Before and after: what tuning changed, in words, in numbers, in the reader's own eyes; and the loop once more."""

import streamlit as st

from core.runs.store import RunStore
from pages._before_after import again, blind, checkpoints, numbers, same_prompt
from pages._before_after.subject import Subject, choose_subject, looking
from pages._parts.header import page_header
from pages._parts.questions import closing
from pages._parts.state import run_pipeline

PARTS = {
    "Same prompt": same_prompt.show,
    "Checkpoints": checkpoints.show,
    "Blind vote": blind.show,
    "In numbers": numbers.show,
    "Again": again.show,
}


def main() -> None:
    head = st.container()  # the claim is made of what is measured below
    left, right = st.columns([3, 1], gap="medium", vertical_alignment="bottom")
    with left:
        part = st.segmented_control(
            "Part",
            list(PARTS),
            default="Same prompt",
            required=True,
            key="view",
            bind="query-params",
            label_visibility="collapsed",
        )
    with right:
        subject = choose_subject()
    looking(subject)
    claim = PARTS[str(part)](subject)
    with head:
        page_header("before_after", "Before and after", claim, _pipeline(subject))
    _closing()


def _pipeline(subject: Subject):  # type: ignore[no-untyped-def]
    """Of a loop all stations are its own; of other runs the strip shows where the reader's loop stands."""
    return run_pipeline(RunStore(), subject.run) if subject.run and subject.run.kind == "loop" else None


def _closing() -> None:
    closing(
        [
            (
                "Why do both models begin with the same words, and then part?",
                "They draw from the same random numbers. Where both distributions put that number on the same token, "
                "the texts stay one; tuning moved the borders, and the first number to fall between the old and the "
                "new border parts them. After that they read different texts.",
            ),
            (
                "The reward model likes the tuned texts more. Why ask anybody else?",
                "It was the teacher: its score rose because PPO pushed it. Your blind votes, and the true taste where "
                "it is known, judge the same pairs without having been trained on. Where they disagree with the score, "
                "the score was gamed.",
            ),
            (
                "Is a lower perplexity under the reference good news?",
                "Not by itself. It says that the tuned texts keep to words the reference finds likely, which goes "
                "with less variety. Read it beside distinct-n and self-BLEU.",
            ),
        ],
        "runs",
        "see all that has run here, and what each run kept",
    )


main()

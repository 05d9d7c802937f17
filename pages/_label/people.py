"""Who votes, on what which policy writes for which prompts, and how. The choices live in the URL."""

from dataclasses import dataclass

import streamlit as st

from core.feedback.own_prompts import set_of
from core.feedback.prompts import prompt_sets
from core.hosting.ownership import full_name
from pages._parts.pickers import model_picker

OWN_TITLE = "My own prompts"
TWO, FOUR = "Compare two", "Rank four"
_OWN = "own"


@dataclass(frozen=True)
class Sitting:
    """One annotator at one pool of pairs."""

    annotator: str
    policy: str
    prompts: str  # the prompt set's name

    @property
    def own(self) -> bool:
        """Whether the prompts are the annotator's own."""
        return self.prompts == set_of(self.annotator)


def who_and_what() -> Sitting:
    """The three fields; an empty name is "me"."""
    annotator = st.text_input(
        "Your name",
        "me",
        max_chars=80,
        key="annotator",
        bind="query-params",
        help="Votes are kept under this name, on this machine. After typing it, press Escape or click the page: "
        "then the keys vote again.",
    )
    annotator = full_name((annotator or "me").strip() or "me")
    titles = {prompt_set.name: prompt_set.title for prompt_set in prompt_sets()} | {_OWN: OWN_TITLE}
    policy = model_picker("policy")
    prompts = st.selectbox(
        "Prompts",
        list(titles),
        format_func=titles.__getitem__,
        key="prompts",
        bind="query-params",
        help="What the policy is asked to continue or answer.",
    )
    return Sitting(annotator, policy, set_of(annotator) if prompts == _OWN else prompts)


def choose_own_prompts() -> None:
    """Turn to the annotator's own prompts: for a callback."""
    st.session_state["prompts"] = _OWN


def two_or_four() -> bool:
    """How to answer; True for sets of four."""
    chosen = st.segmented_control(
        "How to answer",
        [TWO, FOUR],
        default=TWO,
        required=True,
        key="answer",
        bind="query-params",
        label_visibility="collapsed",
    )
    return chosen == FOUR


def repeats_wanted() -> bool:
    """Whether hidden repeats may come; said openly, so that nobody is deceived."""
    return st.toggle(
        "Ask some twice",
        True,
        key="again",
        bind="query-params",
        help="About one pair in ten comes twice, with its sides swapped; you are told after your answer. "
        "It measures how consistent you are. The second answer trains nothing and does not count as progress.",
    )

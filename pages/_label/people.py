"""Who votes, on what which policy writes for which prompts. All three live in the URL."""

from dataclasses import dataclass

import streamlit as st

from core.feedback.prompts import prompt_sets
from pages._parts.pickers import model_picker


@dataclass(frozen=True)
class Sitting:
    """One annotator at one pool of pairs."""

    annotator: str
    policy: str
    prompts: str  # the prompt set's name


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
    return Sitting((annotator or "me").strip() or "me", policy, prompts)

"""The same prompt, answered before and after the tuning, side by side."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

SHOWN = 6


def before_after(examples: Sequence[Mapping[str, Any]], voter: str, key: str) -> None:
    """Page through the first examples, unpicked. `key` keeps the page's number in the URL."""
    shown = examples[:SHOWN]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**The same prompt, before and after** &nbsp; the first {len(shown)} unseen prompts, unpicked")
        number = st.pagination(len(shown), key=key, bind="query-params")
    example = shown[number - 1]
    before, after = st.columns(2, gap="medium", wrap=False)
    with before:
        _card(
            "reference",
            "○ Before",
            example["prompt"],
            example["reference_response"],
            voter,
            example.get("gold_reference"),
        )
    with after:
        _card("policy", "● After", example["prompt"], example["tuned_response"], voter, example.get("gold_tuned"))


def _card(concept: str, title: str, prompt: str, response: str, voter: str, gold: float | None) -> None:
    taste = f"<span>{html.escape(voter)}'s true taste {gold:+.2f}</span>" if gold is not None else ""
    st.html(
        f'<figure class="card {concept}"><figcaption><b>{title}</b>{taste}</figcaption>'
        f'<p class="said"><span class="prompt">{html.escape(prompt)}</span>{html.escape(response)}</p></figure>'
    )


def written(concept: str, title: str, prompt: str, response: str) -> None:
    """One response on a card, as beside its neighbour above."""
    _card(concept, title, prompt, response, "", None)

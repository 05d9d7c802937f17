"""The same prompt, answered before and after the tuning, side by side."""

import html
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

SHOWN = 6
HEADING = "The same prompt, before and after"


def before_after(examples: Sequence[Mapping[str, Any]], voter: str, key: str) -> None:
    """Page through the first examples, unpicked. `key` keeps the page's number in the URL."""
    opens, which = opening(examples)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{HEADING}** &nbsp; {which}")
        number = st.pagination(min(SHOWN, len(examples)), default=opens + 1, key=key, bind="query-params")
    columns = st.columns(2, gap="medium", wrap=False)
    for column, card in zip(columns, cards(examples[number - 1], voter), strict=True):
        column.html(card)


def opening(examples: Sequence[Mapping[str, Any]]) -> tuple[int, str]:
    """Which example is shown first, and which ones are there to be seen, in words."""
    shown = examples[:SHOWN]
    typical = _typical(shown, examples)
    which = f"the first {len(shown)} unseen prompts, unpicked"
    if typical is None:
        return 0, which
    return typical, which + "; the most typical gain is open"


def cards(example: Mapping[str, Any], voter: str) -> tuple[str, str]:
    """The two responses of an example, before and after, as HTML."""
    prompt = example["prompt"]
    return (
        _card("reference", "○ Before", prompt, example["reference_response"], voter, example.get("gold_reference")),
        _card("policy", "● After", prompt, example["tuned_response"], voter, example.get("gold_tuned")),
    )


def written(concept: str, title: str, prompt: str, response: str, voter: str = "", gold: float | None = None) -> None:
    """One response on a card, as beside its neighbour above; `gold` is what it is worth to `voter`, where known."""
    st.html(_card(concept, title, prompt, response, voter, gold))


def _typical(shown: Sequence[Mapping[str, Any]], examples: Sequence[Mapping[str, Any]]) -> int | None:
    """Which of those shown gained most nearly the median of all `examples`; None where gains are not known."""
    if any(one.get("gold_tuned") is None or one.get("gold_reference") is None for one in examples):
        return None
    gains = [one["gold_tuned"] - one["gold_reference"] for one in examples]
    middle = statistics.median(gains)
    return min(range(len(shown)), key=lambda place: abs(gains[place] - middle))


def _card(concept: str, title: str, prompt: str, response: str, voter: str, gold: float | None) -> str:
    taste = f"<span>{html.escape(voter)}'s true taste {gold:+.2f}</span>" if gold is not None else ""
    return (
        f'<figure class="card {concept}"><figcaption><b>{title}</b>{taste}</figcaption>'
        f'<p class="said"><span class="prompt">{html.escape(prompt)}</span>{html.escape(response)}</p></figure>'
    )

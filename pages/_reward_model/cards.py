"""One comparison on a card: the chosen text, the rejected one, and what the reward model made of them."""

import html

import streamlit as st

from core.alignment.cross_examination.scored_pairs import ScoredPair


def vote_card(one: ScoredPair, note: str = "") -> None:
    """The two texts side by side under a line with the probability, the loss and the voter. `note` is our own words."""
    pair, term = one.taught.pair, one.term
    voter = f" · voted by {html.escape(pair.annotator)}" if pair.annotator else ""
    taste = ""
    if one.taught.gold_gap is not None:
        taste = (
            f" · its true taste says the opposite ({one.taught.gold_gap:+.1f})"
            if one.against_taste
            else f" · as its true taste says ({one.taught.gold_gap:+.1f})"
        )
    more = f" · {html.escape(note)}" if note else ""
    st.html(
        f'<p class="said" style="font-size:0.875rem"><b>{term.probability:.1%}</b> for what was chosen · loss '
        f"{term.loss:.2f}{voter}{taste}{more}</p>"
    )
    left, right = st.columns(2, gap="medium")
    with left:
        _text("chosen", "✓ chosen", pair.prompt, pair.chosen, one.chosen)
    with right:
        _text("rejected", "✗ rejected", pair.prompt, pair.rejected, one.rejected)


def _text(style: str, title: str, prompt: str, response: str, score: float) -> None:
    st.html(
        f'<figure class="card {style}"><figcaption><b>{title}</b><span>score {score:+.2f}</span></figcaption>'
        f'<p class="said"><span class="prompt">{html.escape(prompt)}</span>{html.escape(response)}</p></figure>'
    )

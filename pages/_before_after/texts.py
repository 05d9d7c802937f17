"""Two texts beside each other, the words that only one of them has marked."""

import html
from collections.abc import Sequence

import streamlit as st

from core.alignment.before_after.side_by_side import Segment, differing

_STYLE = """<style>
.card mark { color: inherit; background: color-mix(in srgb, var(--shade) 16%, transparent); padding: 0.1em 0;
  text-decoration: underline; text-decoration-thickness: 2px; text-underline-offset: 3px;
  text-decoration-color: var(--shade); }
.card.policy { --shade: var(--policy); } .card.reference { --shade: var(--reference); }
.card.reference mark { text-decoration-style: dashed; }
</style>"""


def side_by_side(prompt: str, before: str, after: str, notes: tuple[str, str] = ("", ""), when: str = "After") -> None:
    """Reference on the left, tuned on the right. `notes`: our own words, on the right of each card's head."""
    st.html(_STYLE)
    for column, concept, title, segments, note in zip(
        st.columns(2, gap="medium"),
        ("reference", "policy"),
        ("○ Before · reference", f"● {when}"),
        differing(before, after),
        notes,
        strict=True,
    ):
        with column:
            _card(concept, title, prompt, segments, note)


def _card(concept: str, title: str, prompt: str, segments: Sequence[Segment], note: str) -> None:
    said = "".join(
        f"<mark>{html.escape(one.text)}</mark>" if one.differs else html.escape(one.text) for one in segments
    )
    st.html(
        f'<figure class="card {concept}"><figcaption><b>{html.escape(title)}</b><span>{html.escape(note)}</span>'
        f'</figcaption><p class="said"><span class="prompt">{html.escape(prompt)}</span>{said}</p></figure>'
    )

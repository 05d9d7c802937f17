"""Whose votes the two weights learn from, and which two features they weigh."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.alignment.loss_surface.features import features
from core.feedback.annotators import annotators
from core.feedback.pairs import PreferencePair
from core.feedback.sources import load_preferences
from core.feedback.store import FeedbackStore
from pages._parts.text import told_apart

MOST = 2000  # votes: the surface is drawn anew at every change


@dataclass(frozen=True)
class Votes:
    """Votes of one source, and what the badge says of them."""

    pairs: Sequence[PreferencePair]
    simulated: bool
    note: str


def choose_votes() -> Votes:
    """The reader's own votes, an imported data set, or the bundled pairs as a simulated annotator judges them."""
    store = FeedbackStore()
    known = annotators()
    names = {f"bundled:{name}": f"{one.title}, simulated" for name, one in known.items()}
    for voter in store.annotators():
        if _decided(store, voter):
            names[f"votes:{voter}"] = f"votes of {voter}"
    for number, name in told_apart({dataset.id: dataset.name for dataset in store.datasets()}).items():
        names[f"dataset:{number}"] = f"data set {name}"
    source = st.selectbox(
        "Votes",
        list(names),
        index=list(names).index("bundled:sunny"),
        format_func=names.__getitem__,
        key="two_votes",
        bind="query-params",
        help="Your own appear here once you have voted on Label.",
    )
    pairs = load_preferences(source)
    cut = f", the first {MOST:,} of {len(pairs):,}" if len(pairs) > MOST else ""
    return Votes(pairs[:MOST], source.startswith("bundled:"), f"{min(len(pairs), MOST):,} votes: {names[source]}{cut}")


def choose_features() -> tuple[str, str]:
    """Two different features."""
    names = list(features())
    across = st.selectbox("Feature across", names, index=names.index("valence"), key="two_across", bind="query-params")
    others = [name for name in names if name != across]
    up = st.selectbox(
        "Feature up",
        others,
        index=others.index("length") if "length" in others else 0,
        key="two_up",
        bind="query-params",
        help="Each is measured in its own standard deviation over all these responses.",
    )
    return across, up


def _decided(store: FeedbackStore, annotator: str) -> int:
    counts = store.count(annotator)
    return counts.get("left", 0) + counts.get("right", 0)

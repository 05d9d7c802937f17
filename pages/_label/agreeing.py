"""Agreement with others on the same pairs: real people, and simulated tastes."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.feedback.agreement import (
    MISSING,
    Estimate,
    acts_of,
    cohen_kappa,
    judgements,
    krippendorff_alpha,
    rated,
    simulated_judgements,
)
from core.feedback.annotators import annotators
from core.feedback.store import FeedbackStore, Vote

_RELIABLE, _TENTATIVE = 0.8, 0.667  # Krippendorff (2004), "Content Analysis", section 11.4.2
_ENOUGH = 10  # pairs below which an interval says next to nothing
_OTHERS = 12  # annotators compared with, those with the most common pairs


def agreement(store: FeedbackStore, annotator: str, votes: Sequence[Vote]) -> None:
    """κ with each other annotator and each simulated taste; α over all people."""
    mine = judgements(votes)
    if len(mine) < 2:
        st.markdown("From your second vote on: how far you and others choose the same texts, beyond what chance gives.")
        return
    people = _people(store, annotator, set(mine))
    rows = [_row(name, "person", mine, theirs, votes) for name, theirs in people.items()]
    simulated = {one.title: simulated_judgements(votes, one) for one in annotators().values()}
    rows += [_row(name, "simulated", mine, theirs, votes) for name, theirs in simulated.items()]
    rows = [row for row in rows if row]
    if rows:
        st.dataframe(
            pd.DataFrame(rows).drop(columns="estimate"),
            hide_index=True,
            placeholder="–",
            column_config={
                "κ": st.column_config.NumberColumn(
                    format="%.2f", help="Cohen: 1 always alike, 0 as chance would have it, below 0 less than that"
                ),
                "from": st.column_config.NumberColumn(format="%.2f", help="95 % interval; a ranking counts as one act"),
                "to": st.column_config.NumberColumn(format="%.2f"),
                "alike": st.column_config.NumberColumn(format="%.0f%%", help="share of common pairs judged alike"),
                "pairs": st.column_config.NumberColumn(help="pairs that both judged"),
            },
        )
    st.markdown(_closest(rows))
    everybody = [mine, *people.values()]
    alpha = krippendorff_alpha(rated(everybody), acts_of(votes, everybody)) if people else None
    st.markdown(_together(len(everybody), alpha))
    st.caption(
        "Chance-corrected: two people who both toss coins agree half of the time, and get κ = 0. Skips and hidden "
        "repeats are left out, ties are an answer of their own; a simulated taste speaks without noise, and not where "
        "it likes both texts the same."
    )


def _people(store: FeedbackStore, annotator: str, mine: set[int]) -> dict[str, dict[int, int]]:
    """The other annotators' judgements of the pairs I judged, those with the most of them first."""
    found = {}
    for name in store.annotators():
        if name != annotator:
            common = {pair: said for pair, said in judgements(store.votes(name)).items() if pair in mine}
            if common:
                found[name] = common
    return dict(sorted(found.items(), key=lambda item: -len(item[1]))[:_OTHERS])


def _row(
    name: str, kind: str, mine: dict[int, int], theirs: dict[int, int], votes: Sequence[Vote]
) -> dict[str, object]:
    """One line of the table; empty where κ is not defined."""
    table = rated([mine, theirs])
    estimate = cohen_kappa(*table, acts_of(votes, [mine, theirs]))
    if estimate is None:
        return {}
    both = table[:, (table != MISSING).all(0)]
    return {
        "with": name,
        "who": kind,
        "κ": estimate.value,
        "from": estimate.low if estimate.items >= _ENOUGH else None,
        "to": estimate.high if estimate.items >= _ENOUGH else None,
        "alike": 100 * float((both[0] == both[1]).mean()),
        "pairs": estimate.items,
        "estimate": estimate,
    }


def _closest(rows: Sequence[dict[str, object]]) -> str:
    """Which simulated taste comes nearest, if any does beyond chance."""
    tastes = [row for row in rows if row["who"] == "simulated" and int(str(row["pairs"])) >= _ENOUGH]
    if not tastes:
        return (
            f"Which simulated taste is nearest to yours is told once one prefers a text in {_ENOUGH} pairs you judged."
        )
    best = max(tastes, key=lambda row: float(str(row["κ"])))
    estimate = best["estimate"]
    assert isinstance(estimate, Estimate)
    if estimate.beyond_chance_among(len(tastes)):
        rivals = [row for row in tastes if row is not best and float(str(row["to"])) >= estimate.value]
        unsure = f", though {len(rivals)} others may be as close" if len(rivals) > 1 else ""
        return f"Of the simulated tastes you are closest to **{best['with']}** (κ = {estimate.value:.2f}){unsure}."
    return (
        f"The nearest simulated taste is **{best['with']}** (κ = {estimate.value:.2f}), but the nearest of "
        f"the {len(tastes)} with pairs enough can be that near by chance: on so many pairs, that is no agreement yet."
    )


def _together(raters: int, alpha: Estimate | None) -> str:
    """Krippendorff's α over all people who judged these pairs."""
    if raters < 2:
        return (
            "Nobody else has judged your pairs on this machine: **Krippendorff's α** needs a second person (another "
            "name in the field above)."
        )
    if alpha is None:
        return (
            f"**Krippendorff's α** of {raters} people is not defined yet: too few common pairs, or all the same answer."
        )
    if alpha.items < _ENOUGH:
        return (
            f"**Krippendorff's α = {alpha.value:.2f}** over {raters} people and {alpha.items} pairs: too few for an "
            f"interval, which {_ENOUGH} common pairs give."
        )
    measured = (
        f"**Krippendorff's α = {alpha.value:.2f}** ({alpha.low:.2f} to {alpha.high:.2f}) over {raters} people and "
        f"{alpha.items} pairs."
    )
    if not alpha.beyond_chance:
        return measured + " The interval reaches chance: together, these votes may hold no common taste at all."
    if alpha.low >= _RELIABLE:
        return measured + " Even its lower end is above 0.8: votes of one of you stand for the others'."
    if alpha.value >= _TENTATIVE:
        return measured + " Good enough for tentative conclusions; a reward model will learn what you share."
    return (
        measured + " You agree beyond chance, but less than 0.667: a reward model on all these votes learns one taste, "
        "which may be nobody's."
    )

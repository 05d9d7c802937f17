"""How sure it is: several models on resamples of the same votes, and the pairs on which they disagree."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.alignment.cross_examination.scored_pairs import ScoredPair
from core.alignment.cross_examination.spread import Spread, by_split, right_by_agreement, spreads
from core.figures.disagreement import KINDS, disagreement
from core.runs.jobs import EnsembleJob
from core.runs.store import Step
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.state import FEW
from pages._reward_model.again import finished, newest, start_button, watched
from pages._reward_model.cards import vote_card
from pages._reward_model.subject import Subject
from pages._reward_model.views import heldout_pairs, members_on_heldout

_SHOWN, _FEWEST = 3, 20
PLAIN = "One model gives one number; several, taught on resamples of the same votes, say how sure that number is."


def show(subject: Subject) -> str:
    """Train an ensemble, see where it disagrees on held-out votes. Returns the claim."""
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        _start(subject)
    with picture:
        watched(newest(subject, "ensemble"), _progress)
        known = _known(subject)
        if known is None:
            st.info("No ensemble of this model yet.")
            return PLAIN
        pairs, differences, result = known
        found = spreads(differences)
        _picture(subject, pairs, found)
    _figures(result)
    if subject.reward.patience:
        st.caption(
            "The members are taught to the end, without early stopping: they may have learned more by heart than the "
            "model under *How good*."
        )
    st.subheader("Where they disagree most", anchor=False)
    for place in by_split(found)[:_SHOWN]:
        one = found[place]
        vote_card(pairs[place], f"{one.positive} of {one.members} members side with the vote")
    show_code(
        "core.alignment.cross_examination.reward_ensemble:train_ensemble",
        "core.alignment.cross_examination.reward_ensemble:bootstrap",
        "core.alignment.cross_examination.spread:spreads",
        "core.alignment.cross_examination.spread:right_by_agreement",
    )
    return _claim(found)


def _claim(found: Sequence[Spread]) -> str:
    if len(found) < _FEWEST:
        return PLAIN
    unsure, sure = right_by_agreement(found)
    if sure > unsure + 0.02:
        return (
            f"Disagreement is a warning: where the members differ most they are right {unsure:.0%} of the time, "
            f"where they differ least {sure:.0%}."
        )
    return (
        f"Where the members differ most they are right {unsure:.0%} of the time, where least {sure:.0%}: here "
        "disagreement tells little about being wrong."
    )


def _start(subject: Subject) -> None:
    members = st.slider("Members", 3, 5, 4, key="ensemble_members", bind="query-params")

    def make(run_id: str) -> EnsembleJob:
        return EnsembleJob.checked(of=run_id, model=subject.model, reward=subject.reward, members=members)

    start_button(
        subject,
        "Train an ensemble",
        "ensemble_start",
        make,
        f"The same held-out votes; each of the {members} learns from a resample of the others, in another order. Each "
        "is a folder that plain transformers opens.",
    )


def _progress(steps: Sequence[Step]) -> str:
    member = steps[-1].metrics.get("member")
    return f"Member {member:.0f} is learning." if member else "Measuring them on the held-out votes."


def _known(subject: Subject) -> tuple[list[ScoredPair], list[list[float]], Mapping[str, Any]] | None:
    """Held-out votes, every member's Δ on them, and the ensemble's figures."""
    if subject.cached:
        data = subject.entry("reward_ensemble")
        return (heldout_pairs(subject), data["differences"], data["result"]) if data else None
    run = finished(subject, "ensemble")
    pairs = heldout_pairs(subject) if run else []
    if run is None or subject.run is None or len(pairs) < 2:
        return None
    return pairs, members_on_heldout(str(run.folder / "ensemble"), subject.run.id), run.result or {}


def _picture(subject: Subject, pairs: Sequence[ScoredPair], found: Sequence[Spread]) -> None:
    data = {
        "mean": [one.mean for one in found],
        "sd": [one.sd for one in found],
        "kind": [KINDS[0] if one.mean > 0 else KINDS[1] for one in found],
        "text": [pair.taught.pair.chosen.strip() for pair in pairs],
    }
    st.vega_lite_chart(
        data,
        disagreement(theme.dark()),
        key="disagreement",
        alt=f"{len(found)} held-out votes by the mean of the members' score difference and its spread",
    )
    downloads("disagreement", "disagreement", [list(data), *zip(*data.values(), strict=True)])
    subject.badge("reward_ensemble", f"{len(found):,} held-out votes")
    st.caption(
        "Look for orange crosses at the top: wrong, and the members did not agree. Wrong marks at the bottom are "
        "mistakes they all share; an ensemble does not see those."
    )


def _figures(result: Mapping[str, Any]) -> None:
    each, loss = result.get("accuracy_each"), result.get("log_loss_each")
    if not each or not loss:
        return
    cells = st.columns(3)
    cells[0].metric(
        "Accuracy of the mean score",
        f"{result['accuracy_heldout']:.1%}",
        f"members {min(each):.1%} to {max(each):.1%}",
        delta_color="off",
        delta_arrow="off",
    )
    cells[1].metric(
        "Log-loss of the mean score",
        f"{result['log_loss_heldout']:.3f}",
        f"members {min(loss):.3f} to {max(loss):.3f}",
        delta_color="off",
        delta_arrow="off",
    )
    cells[2].metric("Calibration error of the mean score", f"{result['calibration_error_heldout']:.1%}")
    if (votes := int(result["pairs_heldout"])) < FEW:
        st.caption(f"On {votes} held-out votes: too few for any of these three to say much.")

"""Flip one vote and train again from the same seed: everything that changes is that vote's doing."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.alignment.cross_examination.flip_reading import Reach, reach_of
from core.alignment.cross_examination.run_pairs import TaughtPair
from core.alignment.cross_examination.scored_pairs import ScoredPair
from core.alignment.pair_term import pair_term
from core.feedback.pairs import PreferencePair
from core.figures.two_opinions import two_opinions
from core.runs.jobs import FlipJob
from core.runs.store import Run, RunStore, Step
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.predict import predict, revealed
from pages._parts.run_view import is_moving, watch
from pages._reward_model.again import start_button
from pages._reward_model.cards import vote_card
from pages._reward_model.subject import Subject
from pages._reward_model.views import resisted_pairs

_KINDS = ("right both times", "right before alone", "right after alone", "wrong both times")
_FEW = 10  # unseen pairs: fewer say nothing of how far an effect reaches
_GUESSES = ("less than 1 point", "1 to 10 points", "more than 10 points")
PLAIN = "One vote among many: turn it round, train again from the same seed, and see what it had done."


def show(subject: Subject) -> str:
    """Choose a vote, flip it, and see what changed. Returns the claim."""
    result, run = _result(subject)
    votes = resisted_pairs(subject)
    if subject.run and votes:
        _choose(subject, votes)
    elif subject.run:
        st.info("A vote can be flipped as soon as a reward model is trained: under *How good*.")
        return PLAIN
    if run and not result:
        watch(run.id, _progress)
        return PLAIN
    if not result:
        st.info("No vote has been flipped yet.")
        return PLAIN
    return _changes(subject, result, run)


def _result(subject: Subject) -> tuple[Mapping[str, Any] | None, Run | None]:
    """What the newest flip came to, and its run; the gallery's before anything has run."""
    if subject.run is None:
        return subject.entry("reward_flip"), None
    flips = [run for run in RunStore().list("flip") if run.config.get("of") == subject.run.id]
    asked = st.query_params.get("flip")
    run = next((run for run in flips if run.id == asked), flips[0] if flips else None)
    return (run.result, run) if run else (None, None)


def _progress(run: Run, steps: Sequence[Step]) -> None:
    if steps:
        which = "as it was" if steps[-1].stage == "unflipped" else "with the vote turned round"
        st.caption(f"Training {which}: loss {steps[-1].metrics.get('loss', float('nan')):.3f}.")
    elif is_moving(run):
        st.caption("The first step appears here by itself.")


def _choose(subject: Subject, votes: Sequence[ScoredPair]) -> None:
    with st.expander("Choose a vote and flip it", expanded=not subject.cached, icon=":material/swap_horiz:"):
        st.markdown("The votes it learned from and still resists most, worst first:")
        number = st.pagination(len(votes), key="flip_vote", bind="query-params")
        one = votes[number - 1]
        vote_card(one, f"vote {one.place} of this run")

        def make(run_id: str) -> FlipJob:
            st.query_params.pop("flip", None)
            return FlipJob.checked(of=run_id, model=subject.model, reward=subject.reward, place=one.place)

        if unmet := _never_met(subject):
            st.caption(unmet)
        start_button(
            subject,
            "Flip this vote and train again",
            "flip_start",
            make,
            "Trains twice in the background, as it was and flipped: the same seed, the same order, one row different.",
        )


def _never_met(subject: Subject) -> str:
    """Early stopping keeps weights that have not met all votes: one that came later changes nothing in them."""
    result = (subject.run.result if subject.run else None) or {}
    met, of = int(result.get("best_step") or 0) * subject.reward.batch_pairs, int(result.get("pairs_train") or 0)
    if not 0 < met < of:
        return ""
    return (
        f"Early stopping kept the weights of step {result['best_step']}, which had met {met} of the {of:,} votes at "
        "most: a vote that came later changes nothing in them."
    )


def _changes(subject: Subject, result: Mapping[str, Any], run: Run | None) -> str:
    before, after = (pair_term(*result["scores"][name]).probability for name in ("unflipped", "flipped"))
    st.subheader("The vote that was flipped", anchor=False)
    _flipped_vote(result)
    _badge(subject, result, run)
    _control(result)
    guess = predict(
        "flip_guess",
        f"one of {result['pairs_train']:,} votes is turned round. By how much does the probability move that the "
        "model gives to the text once chosen?",
        _GUESSES,
    )
    if guess is None:
        return PLAIN
    moved = after - before
    right = _GUESSES[0 if abs(moved) < 0.01 else 1 if abs(moved) <= 0.1 else 2]
    revealed(guess, right, f"**{before:.1%} → {after:.1%}**, {100 * moved:+.1f} points: {right}.")
    _neighbours(result)
    _heldout(result)
    show_code(
        "core.alignment.cross_examination.vote_flip:flipped", "core.alignment.cross_examination.vote_flip:train_flip"
    )
    held = result.get("heldout")
    if not held:
        return f"One vote of {result['pairs_train']:,} moved its own pair by {100 * moved:+.1f} points."
    return (
        f"One vote of {result['pairs_train']:,} moved its own pair by {100 * moved:+.1f} points and turned "
        f"{held['turned']} of {len(held['differences'][0]):,} unseen pairs."
    )


def _flipped_vote(result: Mapping[str, Any]) -> None:
    pair = PreferencePair(result["prompt"], result["chosen"], result["rejected"], annotator=result.get("voter", ""))
    source = TaughtPair(pair, gold_gap=result.get("gold_gap"))
    vote_card(ScoredPair(result["place"], source, *result["scores"]["unflipped"]), "before it was flipped")


def _badge(subject: Subject, result: Mapping[str, Any], run: Run | None) -> None:
    note = f"vote number {result['place']} flipped, {result['pairs_train']:,} learned from"
    if run is None:
        subject.badge("reward_flip", note)
    else:
        badge("live", model=subject.model, seed=subject.reward.seed, run=run.id, note=note)


def _control(result: Mapping[str, Any]) -> None:
    """Whether the unflipped retraining is the original, which makes every change the vote's doing."""
    gap = result.get("difference_to_original")
    if gap is None:
        st.caption("The original's weights are gone, so the unflipped retraining cannot be held against them.")
    elif gap == 0:
        st.markdown(
            "**The control.** Trained again without the flip it is the original, every weight bit for bit: every "
            "difference below was made by this one vote."
        )
    else:
        st.warning(
            f"Trained again without the flip, weights differ from the original's by up to {gap:.2g}: settings were "
            "changed while it ran, or the machine, its precision or its threads are others. Below, flipped is held "
            "against unflipped, both trained just now: that comparison stands."
        )


def _neighbours(result: Mapping[str, Any]) -> None:
    st.subheader("Its neighbours", anchor=False)
    st.caption(
        "The training responses that look most like the two texts to the score head (cosine of the state it reads), "
        "and how their scores moved. Nearest first."
    )
    for column, name, title in zip(
        st.columns(2, gap="medium"),
        ("chosen", "rejected"),
        ("like the text that lost its vote", "like the text that won it"),
        strict=True,
    ):
        rows = result["neighbours"][name]
        column.dataframe(
            {
                "moved": [row["scores"][1] - row["scores"][0] for row in rows],
                "alike": [row["likeness"] for row in rows],
                title: [row["response"].strip() for row in rows],
            },
            hide_index=True,
            column_config={
                "moved": st.column_config.NumberColumn(format="%+.3f", width=70),
                "alike": st.column_config.NumberColumn(format="%.2f", width=55),
            },
        )


def _how_far(far: Reach, unseen: int) -> str:
    if far.own == far.unseen == 0:
        return "the kept weights had not met this vote."
    if unseen < _FEW:
        return f"of {unseen} unseen pair{'' if unseen == 1 else 's'}, too few to say how far it reaches."
    if far.stays:
        return "its effect stays close to its own texts."
    return (
        "training is a chain of steps, and the first one it changes changes all that follow, so it is felt far from "
        "its own texts."
    )


def _heldout(result: Mapping[str, Any]) -> None:
    held = result.get("heldout")
    far = reach_of(result)
    if not held or not far:
        return
    st.subheader("All unseen pairs, before and after", anchor=False)
    before, after = held["differences"]
    picture, words = st.columns([3, 2], gap="large", vertical_alignment="center")
    data = {
        "x": before,
        "y": after,
        "kind": [_KINDS[0 if a > 0 < b else 1 if a > 0 else 2 if b > 0 else 3] for a, b in zip(before, after,
                 strict=True)],
        "text": [f"held-out pair {place}" for place in range(len(before))],
    }  # fmt: skip
    with picture:
        st.vega_lite_chart(
            data,
            two_opinions("Δ before", "Δ after the flip", theme.dark(), _KINDS),
            key="flip_heldout",
            alt=f"{len(before)} held-out pairs by their score difference before and after the flip",
        )
        downloads("flip_heldout", "flipped-vote", [list(data), *zip(*data.values(), strict=True)])
    accuracy, loss = held["accuracy"], held["log_loss"]
    words.markdown(
        f"Held-out accuracy **{accuracy[0]:.1%} → {accuracy[1]:.1%}** ({100 * (accuracy[1] - accuracy[0]):+.1f} "
        f"points), log-loss **{loss[0]:.4f} → {loss[1]:.4f}**. **{held['turned']}** of {len(before):,} pairs changed "
        "sides.\n\n"
        f"Δ moved by **{far.unseen:.3f}** on the average unseen pair, by **{far.own:.3f}** on its own: "
        + _how_far(far, len(before))
        + " A pair that did not move has the same Δ on both axes."
    )
    words.caption(
        "A small change of accuracy in either direction is what one vote of many can do: it is not evidence that the "
        "vote was right or wrong."
    )

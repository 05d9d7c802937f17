"""How good it is: the curves while it learns, then accuracy, calibration and overlap on unseen votes."""

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.alignment.cross_examination.scored_pairs import accuracy, overlap
from core.errors import PlaygroundError
from core.feedback.sources import in_words
from core.feedback.store import FeedbackStore
from core.figures.heaps import heaps
from core.gallery import load_entry
from core.runs.store import Run, RunStore, Step
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.learnt_pair import learnt_pair
from pages._parts.run_view import MOVING, offer_own, watch
from pages._parts.series import Row, rows_of, values_of
from pages._parts.state import FEW
from pages._parts.text import escaped
from pages._parts.voters import voter_title
from pages._reward_model.outcome import Worth, claim, figures, worth
from pages._reward_model.subject import Subject
from pages._reward_model.training import reward_curves, training_form
from pages._reward_model.views import heldout_of


def show(subject: Subject) -> str:
    """The curves with the controls beside them, then what they came to. Returns the claim."""
    if subject.run:
        rows, result = rows_of(RunStore().steps(subject.run.id), "reward"), subject.run.result
    else:
        entry = load_entry("loop")
        rows, result = (entry["curves"]["reward"], entry["result"]) if entry else ([], None)
    measured = worth(rows, result)
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        training_form(FeedbackStore())
    with picture:
        _picture(subject, rows)
    if not subject.moving and measured:
        figures(measured, result)
        _stopped_early(result, rows)
        _overlap(subject)
    _in_numbers(rows, measured)
    return claim(measured, subject.moving)


def _picture(subject: Subject, rows: Sequence[Row]) -> None:
    if subject.run:
        watch(subject.run.id, _draw)
        badge("live", model=subject.model, seed=subject.reward.seed, run=subject.run.id, note=_taught_by(subject.run))
        return
    entry = load_entry("loop")
    if not entry:
        st.info("Nothing has been trained yet. Press the button: 512 simulated votes take well under a minute.")
        return
    offer_own("reward_model", "reward", "loop")
    reward_curves(rows)
    note = f"{voter_title(entry['annotator'])} voted · {entry['command']}"
    badge("cached", model=entry["model"], seed=entry["seed"], note=note)


def _draw(run: Run, steps: Sequence[Step]) -> None:
    rows = rows_of(steps, "reward")
    if rows:
        reward_curves(rows)
        if run.status in MOVING:
            learnt_pair(RunStore().samples(run.id))
    else:
        st.caption("The first step appears here by itself." if run.status in MOVING else "No step was recorded.")


def _taught_by(run: Run) -> str:
    sources = run.config.get("preferences")
    return ", ".join(map(in_words, sources)) if sources else voter_title(str(run.config["annotator"]))


def _stopped_early(result: Any, rows: Sequence[Row]) -> None:
    """What early stopping kept, where it did."""
    best = (result or {}).get("best_step")
    steps = [row["step"] for row in rows if row["step"] is not None]
    if best and steps and best < max(steps):
        st.markdown(
            f"**Early stopping.** Unseen votes were likeliest after step **{best}** of {max(steps):.0f}: those weights "
            "were kept. They were chosen by the held-out votes, whose figures flatter them a little."
        )


def _overlap(subject: Subject) -> None:
    """The scores of chosen and rejected texts as two heaps, and their overlap in numbers."""
    try:
        view = heldout_of(subject)
    except PlaygroundError as error:
        st.caption(escaped(str(error)))
        return
    if not view or len(view["pairs"]) < 2:
        return
    mean, sd = view["unit"]
    chosen, rejected = ([(row["scores"][which] - mean) / sd for row in view["pairs"]] for which in (0, 1))
    found = overlap(chosen, rejected)
    st.subheader("How far apart are the chosen and the rejected texts?", anchor=False)
    picture, words = st.columns([3, 2], gap="large", vertical_alignment="center")
    with picture:
        st.vega_lite_chart(
            {"score": chosen + rejected, "which": ["chosen"] * len(chosen) + ["rejected"] * len(rejected)},
            heaps(theme.dark(), "score, in sd of the policy's own texts"),
            key="heaps",
            alt=f"Histograms of the scores of chosen and rejected held-out texts; they lie {found.distance:.2f} "
            "standard deviations apart",
        )
        downloads(
            "heaps",
            "held-out-scores",
            [["chosen", "rejected"], *([a, b] for a, b in zip(chosen, rejected, strict=True))],
        )
        subject.badge("reward_heldout", f"{len(chosen):,} held-out votes")
    within = accuracy(chosen, rejected)
    gain = within - found.above
    words.markdown(
        f"A chosen text outscores a rejected one of *any* prompt **{found.above:.0%}** of the time; within its own "
        f"pair, {within:.0%}. "
        + (
            f"**{len(chosen)} held-out votes are too few to say more**: each of these shares could be chance. "
            if len(chosen) < FEW
            else "The difference is what the prompts account for: some make every answer score high. "
            if abs(gain) >= 0.02
            else "Whose prompt it was hardly matters. "
        )
        + f"**{found.rejected_above_median:.0%}** of the rejected texts score above the middle chosen one, and the "
        f"means lie **{found.distance:.2f}** standard deviations apart. Histograms that overlap are no fault "
        "by themselves: the loss only asks which of *two* scores is higher."
    )


def _with_margins(first: float) -> str:
    """What votes of a stated strength add to the first batch's loss."""
    if first < math.log(2) + 0.0005:
        return ""
    return "; a vote that came with a strength m (without one: 0) asks for Δ > m, and costs log(1 + eᵐ)"


def _in_numbers(rows: Sequence[Row], measured: Worth | None) -> None:
    """The equation, and what this run's loss says in it."""
    losses = values_of(rows, "loss")
    st.subheader("The equation", anchor=False)
    margin = " - m" if losses and _with_margins(losses[0]) else ""
    difference = r"r_\theta(x, y_w) - r_\theta(x, y_l)" + margin
    st.latex(rf"\mathcal{{L}}(\theta) = -\,\mathbb{{E}}\big[\log \sigma\big({difference}\big)\big]")
    if losses:
        held = measured.log_loss if measured else None
        end = losses[-1] if held is None else held
        last = f"The last batch costs **{end:.3f}**" if held is None else f"Votes it has not seen cost **{end:.3f}**"
        st.markdown(
            f"The first batch costs **{losses[0]:.3f}**: the score head starts at zero, so every Δ is 0 and σ(0) = ½ "
            f"costs log 2 = {math.log(2):.3f}{_with_margins(losses[0])}. "
            f"{last}: the probability given to what was really chosen is then exp(−{end:.3f}) = "
            f"**{math.exp(-end):.0%}** in the geometric mean."
        )
    show_code(
        "core.alignment.reward_model:pairwise_loss",
        "core.alignment.reward_training:train_reward_model",
        "core.alignment.cross_examination.scored_pairs:overlap",
    )

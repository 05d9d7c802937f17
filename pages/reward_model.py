"""Reward model: a separate transformer learns to predict votes, and is measured on votes it has not seen."""

import math
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.feedback.store import FeedbackStore
from core.gallery import load_entry
from core.runs.store import Run, Step
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.header import page_header
from pages._parts.questions import closing
from pages._parts.run_view import MOVING, run_in_url, watch
from pages._parts.series import Row, rows_of, values_of
from pages._reward_model.outcome import Worth, claim, figures, worth
from pages._reward_model.training import reward_curves, training_form
from pages._reward_model.trying import latched_on, try_it

TITLE = "Reward model"


def main() -> None:
    run = run_in_url("reward", "loop")
    if run:
        _of_run(run)
    else:
        _of_gallery()
    _closing()


def _of_run(run: Run) -> None:
    from core.runs.store import RunStore

    rows = rows_of(RunStore().steps(run.id), "reward")
    measured = worth(rows, run.result)
    page_header("reward_model", TITLE, claim(measured, run.status in MOVING))
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        training_form(FeedbackStore())
    with picture:
        watch(run.id, _draw)
        badge("live", model=str(run.config.get("model", "")), seed=_seed(run), run=run.id, note=_taught_by(run))
    if run.status not in MOVING and measured:
        figures(measured, run.result)
    _in_numbers(rows, measured)
    folder = run.folder / "reward_model"
    if (folder / "config.json").exists():
        try_it(folder)
        latched_on(folder)
    else:
        st.info("The scores of any text can be seen here as soon as this reward model is trained.")


def _of_gallery() -> None:
    """Before anything has run: a real result, computed earlier."""
    entry = load_entry("loop")
    rows: Sequence[Row] = entry["curves"]["reward"] if entry else []
    measured = worth(rows, entry["result"]) if entry else None
    page_header("reward_model", TITLE, claim(measured, moving=False))
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        training_form(FeedbackStore())
    with picture:
        if entry:
            reward_curves(rows)
            badge(
                "cached",
                model=entry["model"],
                seed=entry["seed"],
                note=f"{entry['annotator']} voted · {entry['command']}",
            )
        else:
            st.info("Nothing has been trained yet. Press the button: 512 simulated votes take well under a minute.")
    if entry and measured:
        figures(measured, entry["result"])
    _in_numbers(rows, measured)
    st.info("Train one to score any text you like: its weights are then on this machine.")


def _draw(run: Run, steps: Sequence[Step]) -> None:
    rows = rows_of(steps, "reward")
    if rows:
        reward_curves(rows)
    else:
        st.caption("The first step appears here by itself." if run.status in MOVING else "No step was recorded.")


def _in_numbers(rows: Sequence[Row], measured: Worth | None) -> None:
    """The equation, and what this run's loss says in it."""
    losses = values_of(rows, "loss")
    st.subheader("The equation", anchor=False)
    st.latex(r"\mathcal{L}(\theta) = -\,\mathbb{E}\big[\log \sigma\big(r_\theta(x, y_w) - r_\theta(x, y_l)\big)\big]")
    if losses:
        held = measured.log_loss if measured else None
        end = losses[-1] if held is None else held
        last = f"The last batch costs **{end:.3f}**" if held is None else f"Votes it has not seen cost **{end:.3f}**"
        st.markdown(
            f"The first batch costs **{losses[0]:.3f}**: the score head starts at zero, so every Δ is 0 and σ(0) = ½ "
            f"costs log 2 = {math.log(2):.3f}. "
            f"{last}: the probability given to what was really chosen is then exp(−{end:.3f}) = "
            f"**{math.exp(-end):.0%}** in the geometric mean."
        )
    show_code("core.alignment.reward_model:pairwise_loss")


def _seed(run: Run) -> int | None:
    reward = run.config.get("reward")
    return reward.get("seed") if isinstance(reward, dict) else None


def _taught_by(run: Run) -> str:
    sources = run.config.get("preferences")
    return ", ".join(Path(source).name for source in sources) if sources else str(run.config.get("annotator", ""))


def _closing() -> None:
    closing(
        [
            (
                "Why is accuracy measured on votes it has not seen?",
                "It can learn its own training votes by heart. Only unseen prompts tell whether it learned the taste "
                "behind them.",
            ),
            (
                "A text scores +3. Is that good?",
                "Nobody can say from the number alone. The loss only ever sees differences: shift all scores by 10, "
                "and it is the same model. "
                "That is why the page also shows the score in standard deviations of what the policy itself writes.",
            ),
            (
                "Why can accuracy not reach 100 %?",
                "Votes are noisy: the same person would decide some pairs otherwise tomorrow. "
                "For a simulated annotator that ceiling is known exactly, and the loop reports it.",
            ),
        ],
        "ppo",
        "let PPO bend the policy towards what this reward model likes.",
    )


main()

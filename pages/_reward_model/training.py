"""Starting a reward model, and its curves while it learns."""

import math
from collections.abc import Sequence

import streamlit as st

from core.alignment.configs import RewardConfig
from core.errors import PlaygroundError
from core.feedback.store import FeedbackStore
from core.figures.curves import curve
from core.figures.layered import Series, layered
from core.runs import supervisor
from core.runs.jobs import RewardJob
from pages._parts import theme
from pages._parts.config_form import config_form, other_fields
from pages._parts.pickers import model_picker
from pages._parts.series import Row, one_line, several_lines
from pages._parts.text import escaped
from pages._reward_model.sources import choose_sources

_BESIDE = ("epochs", "seed")  # what one would try first; the rest is one click away
_ACCURACY = (Series("held out", "reward", points=True), Series("this batch", "reference", width=1))


def training_form(store: FeedbackStore) -> None:
    """The few controls in the order one would try them, and the button. Starting puts the run's id into the URL."""
    sources, pairs = choose_sources(store)
    model = model_picker("reward_base", "Start from")
    defaults = RewardConfig()
    values = config_form(defaults, _BESIDE, prefix="reward")
    with st.popover("More settings", icon=":material/tune:"):
        values |= config_form(defaults, other_fields(defaults, _BESIDE), prefix="reward")
    if st.button(
        "Train the reward model",
        type="primary",
        icon=":material/play_arrow:",
        key="reward_train",
        disabled=not sources,
        help="Runs in the background: you may leave this page.",
    ):
        try:
            job = RewardJob.checked(preferences=sources, model=model, reward=RewardConfig.checked(**values))
            st.query_params["run"] = supervisor.submit(job)
        except PlaygroundError as error:
            st.error(escaped(str(error)))
            return
        st.rerun()
    steps = math.ceil(pairs * (1 - values["heldout_share"]) / values["batch_pairs"]) * values["epochs"]
    st.caption(f"{pairs:,} pairs, about {steps:,} steps of {values['batch_pairs']} pairs")


def reward_curves(rows: Sequence[Row]) -> None:
    """Loss, accuracy, margin and gradient norm. Each row has `step` and the metrics recorded at it."""
    dark = theme.dark()
    left, right = st.columns(2)
    with left:
        _titled("Loss", "−log σ(Δ) on this batch; a coin toss costs log 2 ≈ 0.693")
        st.vega_lite_chart(
            one_line(rows, "loss"), curve("loss", dark, "step"), alt="Loss of each batch against the step"
        )
        _titled("Margin", "mean Δ = chosen − rejected, in raw score: should grow away from zero")
        st.vega_lite_chart(one_line(rows, "margin"), curve("margin", dark, "step"), alt="Mean margin against the step")
    with right:
        _titled("Accuracy", "share of votes predicted; ½ is guessing. Held out: votes it never trains on")
        st.vega_lite_chart(
            several_lines(rows, {"held out": "heldout/accuracy", "this batch": "accuracy"}),
            layered(_ACCURACY, dark),
            alt="Accuracy on held-out votes and on the training batch against the step",
        )
        _titled("Gradient norm", "how hard the loss pulls; cut at the clip before it acts")
        st.vega_lite_chart(
            one_line(rows, "grad_norm"), curve("grad_norm", dark, "step"), alt="Gradient norm against the step"
        )


def _titled(title: str, what: str) -> None:
    st.markdown(f"**{title}** · {what}")

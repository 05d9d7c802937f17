"""Starting a reward model, and its curves while it learns."""

import math
from collections.abc import Sequence

import streamlit as st

from core.alignment.configs import RewardConfig, is_large, usual_reward
from core.errors import PlaygroundError
from core.feedback.store import FeedbackStore
from core.figures.curves import curve
from core.figures.layered import Series, layered
from core.runs import supervisor
from core.runs.jobs import RewardJob
from pages._parts import theme
from pages._parts.config_form import config_form
from pages._parts.pickers import model_picker
from pages._parts.series import Row, one_line, several_lines
from pages._parts.text import escaped
from pages._reward_model.sources import choose_sources

_HEIGHT = 190  # pixels, with axis titles
_BOTH = (Series("held out", "reward", points=True), Series("this batch", "reference", width=1))
_KEY = ":green[marks: held out] · :gray[dashed: this batch]"


def training_form(store: FeedbackStore) -> None:
    """Whose votes, and the button; the rest is one click away. Starting puts the run's id into the URL."""
    sources, pairs = choose_sources(store)
    button, cost = st.container(), st.container()
    with st.popover("More settings", icon=":material/tune:"):
        model = model_picker("reward_base", "Start from")
        form = "reward_large" if is_large(model) else "reward"  # its own names: what is typed is for that size
        values = config_form(usual_reward(model), RewardConfig.model_fields, prefix=form)
    steps = math.ceil(pairs * (1 - values["heldout_share"]) / values["batch_pairs"]) * values["epochs"]
    cost.caption(f"{pairs:,} pairs, about {steps:,} step{'' if steps == 1 else 's'} of {values['batch_pairs']} pairs")
    if button.button(
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


def reward_curves(rows: Sequence[Row]) -> None:
    """Loss, accuracy, margin and gradient norm. Each row has `step` and the metrics recorded at it."""
    dark = theme.dark()
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Loss** · nats per pair")
        st.vega_lite_chart(
            several_lines(rows, {"held out": "heldout/log_loss", "this batch": "loss"}),
            layered(_BOTH, dark, height=_HEIGHT),
            alt="Loss of held-out votes and of the training batch against the step",
        )
        st.caption(_KEY)
        st.caption(
            "−log σ(Δ). A coin toss costs log 2 ≈ 0.693; it should fall below. When the marks keep rising, it is time "
            "to stop."
        )
    with right:
        st.markdown("**Accuracy** · share of votes predicted")
        st.vega_lite_chart(
            several_lines(rows, {"held out": "heldout/accuracy", "this batch": "accuracy"}),
            layered(_BOTH, dark, height=_HEIGHT),
            alt="Accuracy on held-out votes and on the training batch against the step",
        )
        st.caption(_KEY)
        st.caption("Held-out votes are never trained on. When the batch line climbs and they fall, it is memorising.")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Margin** · raw score")
        st.vega_lite_chart(
            one_line(rows, "margin"), curve("margin", dark, "step", _HEIGHT), alt="Mean margin against the step"
        )
        st.caption("Mean Δ = chosen − rejected. It starts at zero and should grow.")
    with right:
        st.markdown("**Gradient norm**")
        st.vega_lite_chart(
            one_line(rows, "grad_norm"), curve("grad_norm", dark, "step", _HEIGHT), alt="Gradient norm against the step"
        )
        st.caption(
            "How hard the loss pulls on the weights, before it is clipped. A spike is an unusual "
            "batch; steady growth means trouble."
        )

"""Every knob of PPO: its unit, its range, what it stands at, and what it does, from the config's own fields."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.alignment.configs import PPOConfig
from pages._parts.config_form import described
from pages._ppo.subject import Subject

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Turned most often": ("kl_coef", "learning_rate", "updates", "rollout_batch", "seed"),
    "Sampling": ("max_new_tokens", "temperature", "watch_prompts", "watch_every", "look_again"),
    "Reward and KL": (
        "kl_estimator",
        "kl_target",
        "kl_horizon",
        "kl_budget",
        "missing_end_penalty",
        "whiten_rewards",
    ),
    "Optimisation": (
        "lr_schedule",
        "epochs",
        "minibatches",
        "micro_batch",
        "cliprange",
        "entropy_coef",
        "target_kl",
        "grad_clip",
        "whiten_advantages",
        "lora_rank",
        "weights_every",
    ),
    "Critic": ("value_model", "head_learning_rate", "vf_coef", "cliprange_value", "gamma", "lam"),
}
UNITS: Mapping[str, str] = {
    "kl_coef": "score a nat",
    "learning_rate": "a step",
    "updates": "updates, at most",
    "rollout_batch": "responses",
    "max_new_tokens": "tokens",
    "watch_prompts": "prompts",
    "watch_every": "updates",
    "kl_target": "nats per response",
    "kl_horizon": "responses",
    "kl_budget": "nats per response",
    "missing_end_penalty": "score",
    "epochs": "passes",
    "minibatches": "parts a pass",
    "micro_batch": "responses",
    "cliprange": "ratio",
    "entropy_coef": "loss a nat",
    "target_kl": "nats per token",
    "grad_clip": "gradient norm",
    "lora_rank": "rank",
    "weights_every": "updates",
    "head_learning_rate": "a step",
    "cliprange_value": "score",
}  # of the numbers that have one: weights, shares and switches have none


def knobs(subject: Subject) -> None:
    """A table a group."""
    usual = PPOConfig().model_dump()
    st.markdown(
        "Scores are in standard deviations of the reference's own texts, so that β means the same for every reward "
        "model. β and the learning rate can be turned while a run goes on."
    )
    for title, names in GROUPS.items():
        st.markdown(f"**{title}**")
        rows = [_row(name, subject.ppo.get(name, usual[name]), usual[name]) for name in names]
        st.table(rows, width="stretch", border="horizontal")


def _row(name: str, value: Any, usual: Any) -> dict[str, str]:
    what, allowed = described(PPOConfig, name)
    return {
        "knob": f"`{name}`",
        "this run": _shown(value),
        "default": _shown(usual),
        "unit": UNITS.get(name, "–"),
        "range": allowed,
        "what it does": what,
    }


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

"""PPO: the policy bends towards what the reward model likes, and pays for it in KL."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.gallery import load_entry
from core.runs.store import Run, RunStore, Step
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.header import page_header
from pages._parts.questions import closing
from pages._parts.run_view import MOVING, run_in_url, watch
from pages._parts.series import Row, rows_of, values_of
from pages._ppo.curves import ppo_curves, samples
from pages._ppo.reveal import baseline_of, reveal
from pages._ppo.starting import start_form
from pages._ppo.steering import changes, steer

TITLE = "PPO"


def main() -> None:
    run = run_in_url("ppo", "loop")
    if run:
        _of_run(run)
    else:
        _of_gallery()
    _closing()


def _of_run(run: Run) -> None:
    rows = rows_of(RunStore().steps(run.id), "ppo")
    page_header("ppo", TITLE, claim(rows, run.status in MOVING))
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        if run.kind == "ppo" and run.status in (*MOVING, "paused"):
            steer(run, rows)
        else:
            start_form(baseline_of(run.id))
    with picture:
        reveal(run)
        watch(run.id, _draw)
        ppo = run.config.get("ppo", {})
        badge(
            "live",
            model=str(run.config.get("model", "")),
            seed=ppo.get("seed"),
            run=run.id,
            note=f"β = {ppo.get('kl_coef')}",
        )
    _equation(rows)


def _of_gallery() -> None:
    """Before anything has run: a real result, computed earlier."""
    entry = load_entry("loop")
    rows: Sequence[Row] = entry["curves"]["ppo"] if entry else []
    page_header("ppo", TITLE, claim(rows, moving=False))
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        start_form(baseline_of("gallery"))
    with picture:
        if entry:
            badge(
                "cached",
                model=entry["model"],
                seed=entry["seed"],
                note=f"{entry['annotator']} voted · {entry['command']}",
            )
            ppo_curves(rows)
            samples(_examples(entry), update=0)
        else:
            st.info("No run yet: its curves will stand here, and keep themselves up to date.")
    _equation(rows)


def _examples(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"prompt": one["prompt"], "response": one["tuned_response"]} for one in entry["examples"]]


def _draw(run: Run, steps: Sequence[Step]) -> None:
    rows = rows_of(steps, "ppo")
    if not rows:
        st.caption("The first update appears here by itself." if run.status in MOVING else "No update was recorded.")
        return
    ppo_curves(rows)
    changes(run)
    texts = RunStore().samples(run.id)
    if texts:
        samples(texts, update=int(rows[-1]["step"] or 0))


def claim(rows: Sequence[Row], moving: bool) -> str:
    """One sentence that the measured numbers make, whatever they are; none of them while they still change."""
    if moving:
        return "The policy is being tuned now: the curves say what it gains, and what it gives up for it."
    scores = values_of(rows, "objective/scores")
    kl = values_of(rows, "objective/kl_exact") or values_of(rows, "objective/kl")
    if not scores or not kl:
        return (
            "The policy writes, the reward model scores, PPO makes what scored well likelier, "
            "and KL is the price of every step away."
        )
    gain = scores[-1] - scores[0]
    paid = f"{kl[-1]:.1f} nats of KL a response in its last update"
    if gain > 0:
        return (
            f"The mean score rose by {gain:.1f} standard deviations of the reference's own texts, at a price of {paid}."
        )
    return f"The mean score has not risen ({gain:+.1f} standard deviations), and {paid} were spent."


def _equation(rows: Sequence[Row]) -> None:
    st.subheader("The equation", anchor=False)
    st.latex(
        r"L^{\text{CLIP}}(\theta) = \mathbb{E}_t\big[\min\big(\rho_t A_t,\ \operatorname{clip}(\rho_t, "
        r"1-\varepsilon, 1+\varepsilon)\,A_t\big)\big],"
        r"\qquad \rho_t = \frac{\pi_\theta(a_t \mid s_t)}{\pi_{\text{old}}(a_t \mid s_t)}"
    )
    st.latex(
        r"r_t = \underbrace{\mathbb{1}[t = T]\; r_\phi(x, y)}_{\text{score, at the last token}} - "
        r"\beta\,\underbrace{\big(\log\pi_\theta - \log\pi_{\text{ref}}\big)}_{\text{KL, at every token}}"
    )
    if rows:
        last = rows[-1]
        score, worth, beta = (last.get(key) for key in ("objective/scores", "objective/rlhf_reward", "kl_coef"))
        if score is not None and worth is not None and beta:
            st.markdown(
                f"In the last update: score **{score:.2f}** − β **{beta:.3g}** × KL **{(score - worth) / beta:.2f}** = "
                f"**{worth:.2f}**, what a response was worth to PPO on average. The KL charged is estimated from the "
                "sampled tokens (k1); the exact one above sums over the vocabulary, and the overview's is measured on "
                "prompts never trained on."
            )
    show_code("core.alignment.ppo_losses:policy_loss", "core.alignment.ppo_losses:shaped_rewards")


def _closing() -> None:
    closing(
        [
            (
                "What did the policy give up for what it gained?",
                "The score says what it gained in the reward model's eyes; the KL says how much of its old self it "
                "gave up. Compare the two last values.",
            ),
            (
                "Why can the KL curve dip below zero when KL cannot?",
                "k1 is an estimate from the sampled tokens alone, log π − log π_ref: unbiased, but noisy around a "
                "small true value. "
                "KL itself, summed over the whole vocabulary, is never negative.",
            ),
            (
                "The score still rises, but the texts get worse. What happened?",
                "The policy found what the reward model likes and people do not. Raise β, stop earlier, or collect "
                "more votes on such texts.",
            ),
        ],
        "overview",
        "write a prompt of your own, and read the reference beside the tuned policy.",
    )


main()

"""The token's numbers: its three log-probabilities, and the sums behind its advantage written out."""

import math

import streamlit as st

from core.alignment.ppo_reading.microscope import TokenView
from core.alignment.ppo_reading.slides import Slide
from pages._token_microscope.words import number, result, share, tex, word

_WRITTEN = 3  # terms of the sum that stand in the formula; the others unfold


def log_probabilities(slide: Slide, view: TokenView, revealed: bool) -> None:
    """Old, new and reference, in nats and as probabilities; what KL it was charged for."""
    rows = [("● old: when it was drawn", view.logprob), ("○ reference", view.ref_logprob)]
    if revealed:
        rows.insert(1, ("● new: after the update", view.new_logprob))
    lines = [f"| {name} | {number(log_p, 4)} | {share(math.exp(log_p))} |" for name, log_p in rows]
    st.markdown("\n".join(["| | log π, nats | probability |", "|:--|--:|--:|", *lines]))
    estimator = str(slide.config["kl_estimator"])
    st.caption(
        f"KL charged ({estimator}, from this token alone): {number(view.kl)} nats, at β = {slide.kl_coef:g} a reward "
        f"of {number(view.kl_charge)}. The whole distribution's KL here: {number(view.exact_kl)} nats."
    )


def passes(view: TokenView, clip: float) -> None:
    """Every pass over the rollout: ratio, both branches, and which of them the min took."""
    if not view.epochs:
        return
    lines = [
        f"| {epoch.epoch} | {epoch.steps_before} | {epoch.ratio:.4f} | {number(epoch.unclipped)} | "
        f"{number(epoch.clipped)} | {epoch.active} | {number(epoch.push)} |"
        for epoch in view.epochs
    ]
    head = ["| pass | steps before | ratio ρ | ρ·Â | clip(ρ)·Â | min takes | gradient |", "|" + "--:|" * 5 + ":--|--:|"]
    st.markdown("\n".join([*head, *lines]))
    if view.epochs[0].steps_before == 0:
        st.caption("Its response was in the update's first minibatch: nothing had changed yet, so its ratio was 1.")
    else:
        st.caption(
            "Steps before: optimiser steps that this update had already taken, on other responses; "
            f"they had moved the ratio before this token's own turn. The band is 1 ± {clip:g}."
        )


def sums(slide: Slide, view: TokenView) -> None:
    """Reward, δ, the sum over δ and the whitened advantage: symbols, and these numbers."""
    config, facts = slide.config, slide.facts
    gamma, lam = float(config["gamma"]), float(config["lam"])
    scale = rf"{tex(facts.reward_scale)}\cdot " if facts.reward_scale != 1 else ""
    shift = f" + {tex(facts.reward_shift)}" if facts.reward_shift else ""
    st.latex(
        rf"r_t = -\beta\,\mathrm{{kl}}_t + \text{{score}} = "
        rf"-{scale}{slide.kl_coef:g}\cdot {tex(view.kl)} + {tex(view.score_paid)}{shift} = {result(view.reward)}"
    )
    st.latex(
        rf"\delta_t = r_t + \gamma V_{{t+1}} - V_t = {tex(view.reward)} + {gamma:g}\cdot {tex(view.next_value)} "
        rf"- {tex(view.value)} = {result(view.delta)}"
    )
    st.latex(rf"A_t = \textstyle\sum_l (\gamma\lambda)^l\,\delta_{{t+l}} = {_sum(view)} = {result(view.raw_advantage)}")
    if config["whiten_advantages"]:
        st.latex(
            r"\hat A_t = \frac{A_t - \text{mean}}{\text{sd}} = \frac"
            rf"{{{tex(view.raw_advantage)} - {tex(facts.raw_mean)}}}{{{tex(facts.raw_sd)}}} = {result(view.advantage)}"
        )
    st.caption(
        f"γ = {gamma:g}, λ = {lam:g}. r: reward, V: what the critic expects from a token on, δ: surprise of one token, "
        f"A: all surprises from here on, fading by γλ. The critic was then taught the return A + V = "
        f"{number(view.value_target)}."
    )
    with st.expander(f"All {len(view.terms)} terms of the sum"):
        st.dataframe(
            [
                {
                    "token": f"{term.place + 1}  {word(_text_at(slide, view.row, term.place))}",
                    "weight (γλ)ˡ": term.weight,
                    "KL charge": term.kl_charge,
                    "score": term.score_paid,
                    "γV′ − V": term.expected,
                    "δ": term.delta,
                    "adds": term.product,
                }
                for term in view.terms
            ],
            hide_index=True,
        )


def _sum(view: TokenView) -> str:
    parts = [
        tex(term.delta) if term.weight == 1 else rf"{tex(term.weight)}\cdot {tex(term.delta)}"
        for term in view.terms[:_WRITTEN]
    ]
    more = len(view.terms) - len(parts)
    if more:
        parts.append(
            rf"\underbrace{{{tex(sum(term.product for term in view.terms[_WRITTEN:]))}}}_{{{more}\text{{ more}}}}"
        )
    return " + ".join(parts)


def _text_at(slide: Slide, row: int, place: int) -> str:
    return slide.texts[int(slide.tensors["response_ids"][row, place])]


def known_before(slide: Slide, view: TokenView) -> None:
    """What there is to predict from: what the response earned, and what the critic expected at this token."""
    score, kl = float(slide.tensors["scores"][view.row]), float(slide.tensors["exact_kl"][view.row].sum())
    st.markdown(
        f"What is known of it:\n\n- the response scored **{number(score)}**, paid at its last token\n"
        f"- it lies **{number(kl)} nats** of KL from the reference\n"
        f"- at this token the critic expected **{number(view.value)}** from here to the end\n"
        f"- the token itself was paid **{number(view.reward)}**"
    )

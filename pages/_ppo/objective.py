"""The full objective, and the same with one update's numbers put in."""

import streamlit as st

from core.alignment.ppo_reading.objective import objective_of
from pages._parts.code import show_code
from pages._ppo.subject import Subject, chosen_update

_CHARGED = {  # what each estimator makes of a token, as `core.alignment.kl.kl_estimate` has it
    "k1": r"\log\frac{\pi_{\text{old}}}{\pi_{\text{ref}}}",
    "k2": r"\tfrac{1}{2}\Big(\log\frac{\pi_{\text{old}}}{\pi_{\text{ref}}}\Big)^2",
    "k3": r"\Big(\frac{\pi_{\text{ref}}}{\pi_{\text{old}}} - 1 - \log\frac{\pi_{\text{ref}}}{\pi_{\text{old}}}\Big)",
}


def objective(subject: Subject) -> None:
    """Loss and reward of one update, symbol by symbol."""
    if not subject.rows:
        st.caption("The first update appears here by itself.")
        return
    row = subject.rows[chosen_update(subject)]
    terms = objective_of(row, float(subject.ppo.get("vf_coef", 0.1)), float(subject.ppo.get("entropy_coef", 0.0)))
    if terms is None:
        st.caption("This run did not record every term of the objective.")
        return
    where = f"update {int(row['step'] or 0)}"
    epsilon = float(subject.ppo.get("cliprange", 0.2))
    st.markdown(f"**What a response is worth** · {where}")
    estimator = str(subject.ppo.get("kl_estimator", "k1"))
    st.latex(
        r"r_t = \underbrace{\mathbb{1}[t = T]\; r_\phi(x, y)}_{\text{score, at the last token}} - "
        rf"\beta\,\underbrace{{{_CHARGED[estimator]}}}_{{\text{{KL, at every token}}}}"
    )
    endless = f" − missing ends **{terms.missing_end:.2f}**" if terms.missing_end else ""
    st.markdown(
        f"score **{terms.score:.2f}** − β **{terms.kl_coef:.3g}** × KL **{terms.kl:.2f}**{endless} = "
        f"**{terms.reward:.2f}**, "
        "mean over the responses, in standard deviations of the reference's own texts. "
        f"The KL charged is estimated from the sampled tokens, by {estimator}."
    )
    st.markdown(f"**What the optimiser goes down on** · {where}")
    st.latex(
        r"L(\theta) = \underbrace{-\mathbb{E}_t\big[\min\big(\rho_t \hat A_t,\ "
        r"\operatorname{clip}(\rho_t, 1-\varepsilon, 1+\varepsilon)\,\hat A_t\big)\big]}_{\text{policy loss}}"
        r" + c_v\,\underbrace{\tfrac{1}{2}\,\mathbb{E}_t\big[(V_t - R_t)^2\big]}_{\text{value loss}}"
        r" - c_e\,\underbrace{\mathbb{E}_t\big[H(\pi_\theta)\big]}_{\text{entropy}}"
    )
    st.latex(
        rf"L = {terms.policy_loss:.4f} + {terms.vf_coef:g} \times {terms.value_loss:.4f} - "
        rf"{terms.entropy_coef:g} \times {terms.entropy:.3f} = {terms.loss:.4f}"
    )
    st.markdown(
        "ρ is the new probability of a token over the one it was sampled with, Â its advantage, V the value head's "
        "guess and R the return it should have guessed, H the entropy of the next token. "
        f"c_v = **{terms.vf_coef:g}** and c_e = **{terms.entropy_coef:g}** weigh the parts; the value loss is "
        "clipped too. "
        f"The clip is ε = **{epsilon:g}**; in this update it held back **{row.get('policy/clipfrac_avg') or 0:.1%}** "
        f"of the tokens, and ρ was **{row.get('val/ratio') or 1:.4f}** on average over "
        f"**{row.get('optimizer_steps') or 0:.0f}** optimiser steps."
    )
    show_code(
        "core.alignment.ppo_losses:policy_loss",
        "core.alignment.ppo_losses:value_loss",
        "core.alignment.ppo_losses:shaped_rewards",
        "core.alignment.gae:gae",
    )

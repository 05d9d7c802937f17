"""The three steps of RLHF in exact words, with this picture's own numbers put into the equation."""

import streamlit as st

from core.alignment.pair_term import pair_term
from pages._parts import site
from pages._parts.code import show_code
from pages._parts.terms import prose

_PREFERENCES = r"""
A pre-trained language model, the **policy** π, writes two responses to one prompt. A person picks the one they
prefer. That leaves one row: *prompt, chosen, rejected*. A comparison says which is better and never how good either
is: comparing is the easier question.
"""
_REWARD = r"""
A **separate transformer** $r_\theta$, here a copy of the policy's trunk with a single number as its output, reads a
prompt and a response and gives a **score**. It is trained so that the chosen response scores higher than the rejected
one, with the pairwise ranking loss:
"""
_GRADIENT = r"""
σ is the logistic sigmoid: $\sigma(r_w - r_l)$ is the probability that the chosen one wins. Only the *difference* of
the two scores enters. A pair ranked with confidence costs almost nothing, an undecided one log 2 ≈ 0.693, a wrong and
confident one without limit. Each step moves the weights down the gradient, $\theta \leftarrow \theta -
\eta\,\nabla_\theta L(\theta)$ (AdamW scales each weight's step).
"""
_PPO = r"""
The policy writes; the reward model scores; **PPO** makes responses that scored better than expected more likely, in
small clipped steps. Each token also pays β times its estimated KL to the frozen **reference**, the policy as it was.
Without that price the text drifts to whatever fools $r_\theta$. Then again from the top, with what the tuned policy
writes.
"""
_BENEATH = {
    "why_transformers": "why recurrent networks forget, measured, and what attention's path of length one costs",
    "embeddings": "what a token's vector holds, and what its position adds",
    "attention": "query, key and value with your sentence's numbers, every head, and which of them matter",
    "transformer_block": "residual stream, norm, feed-forward, and where along the depth the answer appears",
}


def story(margin: float | None, loss: float | None) -> None:
    """Three steps, one below the other. `margin` and `loss`: of the picture's last reward-model step, if known."""
    st.subheader("1 · Preferences", anchor=False)
    prose(_PREFERENCES)
    st.subheader("2 · Reward model", anchor=False)
    prose(_REWARD)
    st.latex(
        r"L(\theta) = -\,\mathbb{E}_{(x,\,y_w,\,y_l)}\big[\log \sigma\big(r_\theta(x, y_w) - r_\theta(x, y_l)\big)\big]"
    )
    if margin is not None and loss is not None:
        term = pair_term(margin, 0.0)
        st.latex(rf"-\log \sigma({margin:.4f}) = -\log {term.probability:.4f} = {term.loss:.3f}")
        st.caption(
            f"The last training step of the run above: mean difference {margin:.2f}, which alone would cost "
            f"{term.loss:.3f}. The loss there "
            f"was {loss:.3f}, the mean of −log σ over the pairs: more, because a pair ranked wrongly costs more than "
            "one ranked rightly saves."
        )
    prose(_GRADIENT)
    show_code("core.alignment.reward_model:pairwise_loss")
    st.subheader("3 · PPO", anchor=False)
    prose(_PPO)
    st.subheader("Beneath it: the transformer", anchor=False)
    st.markdown("Policy and reward model are the same machine. Open it, on real weights and a sentence of your own:")
    for name, words in _BENEATH.items():
        page = site.page(name)
        st.page_link(page, label=f"**{page.title}** {words}", icon=page.icon)

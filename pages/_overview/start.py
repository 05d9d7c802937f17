"""Starting the whole loop: who votes, what the reader expects, and one button. Everything else waits in a popover."""

from typing import Any

import streamlit as st

from core.alignment.configs import LoopConfig
from core.errors import PlaygroundError
from pages._parts.config_form import config_form
from pages._parts.pickers import model_picker
from pages._parts.text import escaped

_SEED = 1  # another than the cached run's, whose outcome stands above the prediction
_GUESSES = "loop_guesses"  # in the session: what was expected of which run
EXPECTATIONS = ["about half", "60 to 75 %", "75 to 90 %", "over 90 %"]
_PPO_LABELS = {
    "updates": "PPO updates, at most",
    "learning_rate": "learning rate of PPO",
    "kl_coef": "KL coefficient β",
}
_BOUNDS = {"about half": (0.0, 0.6), "60 to 75 %": (0.6, 0.75), "75 to 90 %": (0.75, 0.9), "over 90 %": (0.9, 1.01)}


def start_form(took: float | None = None) -> None:
    """Ask, then start a run, put its id into the URL and run the page again to watch it.

    `took`: the seconds that the cached run took, where it is known.
    """
    from core.feedback.annotators import annotators

    known = annotators()
    left, right = st.columns([2, 3], gap="large")
    with left:
        voter = st.selectbox(
            "Who votes?",
            list(known),
            format_func=lambda name: known[name].title,
            key="voter",
            bind="query-params",
            index=list(known).index("sunny"),
        )
        st.caption(known[voter].description)
    with right:
        guess = st.pills(
            "Your prediction: on how many unseen prompts will the voter like the tuned policy's words better than "
            "the old ones?",
            EXPECTATIONS,
            key="guess_now",
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            pressed = st.button("Run the whole loop", type="primary", icon=":material/play_arrow:")
            with st.popover("More", icon=":material/tune:"):
                settings = _settings(model_picker("policy", include_tuned=False))
            if pressed:
                _start(voter, guess, settings)
        st.caption(
            "A simulated voter, a real language model, real training, in the background: close the tab if you like."
            + (f" The cached run took {took / 60:.1f} minutes on two processor cores." if took else "")
        )


def _settings(policy: str) -> dict[str, Any]:
    """The loop's settings that were set here; what was not is the loop's own default, which depends on the policy."""
    usual = LoopConfig(model=policy, seed=_SEED)
    chosen = config_form(
        usual, ["pairs", "seed"], prefix="loop", labels={"pairs": "comparisons to vote on"}, unset=True
    )
    names = ["updates", "learning_rate", "kl_coef", "kl_budget"]
    ppo = config_form(usual.ppo, names, prefix="loop", labels=_PPO_LABELS, unset=True)
    return chosen | {"ppo": ppo}


def _start(voter: str, guess: str | None, settings: dict[str, Any]) -> None:
    from core.runs import supervisor
    from core.runs.jobs import job_from

    config = {"model": st.session_state["policy"], "annotator": voter, "seed": _SEED, **settings}
    try:
        st.query_params["run"] = supervisor.submit(job_from("loop", config))
    except PlaygroundError as error:
        st.error(escaped(str(error)))
        return
    if guess:
        st.session_state.setdefault(_GUESSES, {})[st.query_params["run"]] = guess
    show(st.query_params["run"])


def show(run: str) -> None:
    """Run the page again with this run in the URL, and what the reader expected of it, so that both can be shared."""
    st.query_params["run"] = run
    guess = st.session_state.get(_GUESSES, {}).get(run)
    if guess:
        st.query_params["guess"] = guess
    else:
        st.query_params.pop("guess", None)
    st.rerun()


def reveal(measured: float) -> None:
    """What the reader had expected, beside what was measured. Nothing when they had not said."""
    guess = st.query_params.get("guess")
    if guess not in _BOUNDS:
        return
    low, high = _BOUNDS[guess]
    verdict = (
        "You were right."
        if low <= measured < high
        else "More than you thought."
        if measured >= high
        else "Less than you thought."
    )
    st.markdown(f"**You predicted {guess}. Measured: {measured:.0%}.** {verdict}")

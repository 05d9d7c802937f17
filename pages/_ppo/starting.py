"""Starting PPO: which reward model, the few knobs, the rest behind "more", and a prediction when β changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.alignment.configs import PPOConfig, is_large, usual_ppo
from core.errors import PlaygroundError
from core.feedback.annotators import annotators
from core.feedback.prompts import prompt_sets
from core.runs import supervisor
from core.runs.jobs import PPOJob, RewardJob
from core.runs.store import Run, RunStore
from core.share import Share
from pages._parts.config_form import config_form
from pages._parts.predict import predict
from pages._parts.run_view import MOVING
from pages._parts.state import predicted
from pages._parts.text import escaped
from pages._parts.told import fragment
from pages._ppo.knobs import GROUPS

BESIDE = ("updates", "learning_rate", "kl_coef", "seed")  # what one would try first; the rest is one click away
LABELS = {"kl_coef": "β (KL coefficient)", "learning_rate": "learning rate"}
GUESSES = ("closer to the reference", "about as far", "farther away")
FIRST_VOTES = ("simulated:sunny:512",)  # for a first reward model when there is none


@dataclass(frozen=True)
class Baseline:
    """The result that stands on the page while the reader turns the knobs: what a prediction is about."""

    run: str  # its id, or "gallery"
    kl_coef: float
    kl: float  # nats per response at its end


def start_form(baseline: Baseline | None) -> None:
    """Knobs and button. Starting puts the run, and the prediction if one was made, into the URL."""
    rewards = reward_runs()
    if not rewards:
        _make_one()
        return
    chosen = st.selectbox(
        "Reward model",
        list(rewards),
        format_func=lambda id: _described(rewards[id]),
        key="ppo_reward",
        bind="query-params",
        help="Any finished one: what it learned to like is what PPO will climb.",
    )
    _warn_of_chance(rewards[chosen])
    model = str(rewards[chosen].config.get("model") or "storyteller")
    usual, form = usual_ppo(model), "ppo_large" if is_large(model) else "ppo"
    values = config_form(usual, BESIDE, prefix=form, labels=LABELS)
    with st.popover("More settings", icon=":material/tune:"):
        sets = {one.name: one.title for one in prompt_sets()}
        prompts = st.selectbox(
            "prompts",
            ["", *sets],
            format_func=lambda name: sets.get(name, "the policy's own"),
            key="ppo_prompts",
            bind="query-params",
            help="what the policy is asked to continue or answer",
        )
        gold = _gold(rewards[chosen])
        for title, names in GROUPS.items():
            rest = [name for name in names if name not in BESIDE]
            if rest:
                st.markdown(f"**{title}**")
                values |= config_form(usual, rest, prefix=form, labels=LABELS)
    asked, guess = _prediction(baseline, values["kl_coef"])
    if st.button(
        "Start PPO",
        type="primary",
        icon=":material/play_arrow:",
        key="ppo_start",
        disabled=asked and guess is None,
        help="Say first what the other β will do."
        if asked and guess is None
        else "Runs in the background: you may leave this page.",
    ):
        _start(rewards[chosen], model, prompts, gold, values, baseline, guess)


def _gold(reward: Run) -> str:
    """Whose gold to measure on the way: by default theirs who taught the reward model, where it is known."""
    taught = str(reward.config.get("annotator") or "")
    for source in reward.config.get("preferences", ()):
        if str(source).startswith("simulated:"):
            taught = str(source).split(":")[1]
    names = ["", *annotators()]
    return st.selectbox(
        "gold of",
        names,
        index=names.index(taught) if taught in names else 0,
        format_func=lambda name: name or "nobody",
        key=f"ppo_gold_{reward.id}",
        help="a simulated annotator whose true taste is measured on the way, and never trained on: only that can "
        "show reward hacking",
    )


def reward_runs() -> dict[str, Run]:
    """Runs that left a reward model behind, newest first, by id."""
    runs = [run for run in RunStore().list() if run.kind in ("reward", "loop")]
    return {run.id: run for run in runs if (run.folder / "reward_model" / "config.json").exists()}


def _start(
    reward: Run,
    model: str,
    prompts: str,
    gold: str,
    values: Mapping[str, Any],
    baseline: Baseline | None,
    guess: str | None,
) -> None:
    try:
        job = PPOJob.checked(
            model=model,
            reward_model=str(reward.folder / "reward_model"),
            prompts=prompts,
            gold=gold,
            ppo=PPOConfig.checked(**values),
        )
        run_id = supervisor.submit(job)
    except PlaygroundError as error:
        st.error(escaped(str(error)))
        return
    said = {"guess": guess, "against": baseline.run} if guess and baseline else {}
    for name in ("guess", "against", "beta_guess"):
        st.query_params.pop(name, None)
    st.query_params.update({"run": run_id, **said})
    st.rerun()


def _prediction(baseline: Baseline | None, kl_coef: float) -> tuple[bool, str | None]:
    """Whether a prediction is due, because the reader turned β away from what is shown; and what was committed to."""
    if baseline is None or kl_coef in (baseline.kl_coef, PPOConfig().kl_coef):
        return False, None
    question = (
        f"The result shown used β = {baseline.kl_coef:g} and ended {baseline.kl:.1f} nats from the reference. "
        f"With β = {kl_coef:g}, this run will end…"
    )
    return True, predict("beta_guess", question, GUESSES)


def _described(run: Run) -> str:
    """Its held-out accuracy first: the list is narrow, and that is what one chooses by."""
    result = run.result or {}
    accuracy = result.get("accuracy_heldout", result.get("reward_accuracy"))
    pairs = result.get("pairs_heldout")
    measured = f"{predicted(accuracy, pairs)} · " if isinstance(accuracy, float) else ""
    return f"{measured}{(run.name or run.id).removeprefix('Reward model on ')} ({run.id})"


def _warn_of_chance(run: Run) -> None:
    """Said where PPO would climb what a reward model has learned by chance, for all that was measured."""
    result = run.result or {}
    accuracy, pairs = result.get("accuracy_heldout"), result.get("pairs_heldout")
    if isinstance(accuracy, float) and pairs and Share(round(accuracy * pairs), pairs).interval[0] <= 0.5:
        st.warning(
            f"Of its held-out votes this reward model predicts {predicted(accuracy, pairs)}: no better than guessing, "
            "as far as so few can tell. PPO will climb whatever it likes, whether people do or not.",
            icon=":material/warning:",
        )


def _make_one() -> None:
    """No reward model yet: one button away, and the page says when it is there."""
    learning = [run for run in RunStore().list("reward") if run.status in MOVING]
    st.markdown("PPO needs a reward model to climb, and there is none on this machine yet.")
    if not learning:
        if st.button(
            "Make a first one",
            type="primary",
            icon=":material/balance:",
            key="ppo_make_reward",
            help="A simulated annotator, Sunny, votes on 512 fresh pairs; a reward model learns from it.",
        ):
            try:
                supervisor.submit(RewardJob(preferences=FIRST_VOTES))
            except PlaygroundError as error:
                st.error(escaped(str(error)))
                return
            st.rerun()
        return

    @fragment(run_every=1.0)
    def learn() -> None:
        run = RunStore().get(learning[0].id)
        if run.status not in MOVING:
            st.rerun()
        st.progress(min(1.0, run.step / run.total) if run.total else 0.0, text="The reward model is learning…")

    learn()

"""PPO: the policy bends towards what the reward model likes, and pays for it in KL."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.alignment.ppo_reading.reading_curves import SCORE, ends
from core.runs.store import Run, RunStore, Step
from pages._parts.header import page_header
from pages._parts.questions import closing
from pages._parts.run_view import MOVING, as_example, is_moving, offer_own, run_in_url, watch
from pages._parts.series import Row, values_of
from pages._ppo.branching import branch_button, origin
from pages._ppo.curves import beside, ppo_curves
from pages._ppo.flow import flow
from pages._ppo.glance import glance, links
from pages._ppo.knobs import knobs
from pages._ppo.normal import normal
from pages._ppo.objective import objective
from pages._ppo.reveal import baseline_of, reveal
from pages._ppo.starting import start_form
from pages._ppo.steering import changes, steer
from pages._ppo.subject import Subject, of_gallery, of_run
from pages._ppo.texts import texts

TITLE = "PPO"
CURVES = {"Curves": "outcome", "Optimiser": "optimiser"}  # not all in one view: seven charts take a while to stand
VIEWS: dict[str, Callable[[Subject], None]] = {
    "What flows": flow,
    "Is this normal?": normal,
    "Objective": objective,
    "Texts": texts,
    "Knobs": knobs,
}


WAITS = "The policy waits for its turn to be tuned: one run trains at a time."


def main() -> None:
    run = run_in_url("ppo", "loop")
    if run:
        _of_run(run)
    else:
        _of_gallery()
    _closing()


def _of_run(run: Run) -> None:
    subject = of_run(run, RunStore().steps(run.id))
    tuning = run.status in MOVING and run.stage != "evaluation"
    page_header("ppo", TITLE, WAITS if run.status == "queued" else claim(subject.rows, tuning))
    view = _view()
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        glance(lambda: _as_it_stands(run.id), is_moving(run))
        branch_button(run)
        if run.kind == "ppo" and run.status in (*MOVING, "paused"):
            steer(run, subject.rows)
        else:
            start_form(baseline_of(run.id))
        links(subject)
    with picture:
        reveal(run)
        others = beside(subject) if view in CURVES else ()
        watch(run.id, lambda run, steps: _draw(run, steps, view, others))
        subject.wear_badge()


def _as_it_stands(run_id: str) -> Subject:
    store = RunStore()
    return of_run(store.get(run_id), store.steps(run_id))


def _of_gallery() -> None:
    """Before anything has run: a real result, computed earlier."""
    subject = of_gallery()
    page_header("ppo", TITLE, as_example(claim(subject.rows if subject else [], moving=False), "ppo", "loop"))
    view = _view() if subject else ""
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        if subject:
            glance(lambda: subject, moving=False)
        start_form(baseline_of("gallery"))
    with picture:
        offer_own("ppo", "ppo", "loop")
        if subject:
            subject.wear_badge()
            _show(subject, view, beside(subject) if view in CURVES else ())
        else:
            st.info("No run yet: its curves will stand here, and keep themselves up to date.")


def _view() -> str:
    """Which of the page's views to show; in the URL."""
    return st.segmented_control(
        "View",
        [*CURVES, *VIEWS],
        default="Curves",
        required=True,
        key="ppo_view",
        bind="query-params",
        label_visibility="collapsed",
    )


def _draw(run: Run, steps: Sequence[Step], view: str, others: Sequence[str]) -> None:
    subject = of_run(run, steps)
    origin(run)
    if not subject.rows and view != "Knobs":
        st.caption("The first update appears here by itself." if run.status in MOVING else "No update was recorded.")
        return
    _show(subject, view, others)
    changes(run)


def _show(subject: Subject, view: str, others: Sequence[str]) -> None:
    if view in CURVES:
        ppo_curves(subject, others, CURVES[view])
    else:
        VIEWS[view](subject)


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
    first, last = ends(scores)
    gain, verdict = last - first, SCORE.reading(scores).verdict
    paid = f"{kl[-1]:.1f} nats of KL per response in its last update"
    if gain > 0 and verdict in ("healthy", "early"):
        return (
            f"The mean score rose by {gain:.1f} standard deviations of the reference's own texts, at a price of {paid}."
        )
    beyond = "" if verdict == "trouble" else " beyond what chance does"
    return f"The mean score has not risen{beyond} ({gain:+.1f} standard deviations), and {paid} were spent."


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

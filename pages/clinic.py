"""Clinic: PPO runs that really went wrong. Symptoms first, then a guess, then what was done to them."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.alignment.experiments.clinic_reading import SHOWN, Symptom, symptoms
from core.alignment.experiments.failures import FAILURES, Failure
from core.runs.experiment_jobs import ClinicJob
from pages._clinic.symptoms import charts, texts
from pages._experiments.findings import Found, again, found, missing
from pages._parts.code import show_code
from pages._parts.header import page_header
from pages._parts.predict import predict, revealed
from pages._parts.questions import closing
from pages._parts.voters import voter_title

_CHANGED_BY_FAULT = {
    "unnormalised": "score paid: raw, not (raw − mean) / sd",
    "padding": "prompts: padded on the right, no mask",
    "temperature": "temperature drawn at: 0.5, probabilities taken at: 1",
    "stale_reference": "reference: the storyteller after 1 % of pre-training",
}


def main() -> None:
    top = st.container()
    known = found("clinic")
    cases = {one["name"]: one for one in known.of("case")} if known else {}
    patients = [one for one in FAILURES if one.name in cases]
    if known is None or not patients or "healthy" not in cases:
        with top:
            page_header("clinic", "Clinic", "Ten ways PPO goes wrong, each really run: nothing has been computed yet.")
        missing("clinic")
        again("clinic", ClinicJob.checked, "Some minutes, in the background.")
        return
    case = _chosen(patients)
    sick, healthy = cases[case.name], cases["healthy"]
    found_here = symptoms(sick["curves"], healthy["curves"])
    if ended := sick.get("ended"):
        when = (
            f"after {len(sick['curves']['gold'])} whole updates" if found_here else "before its first update was done"
        )
        st.info(f"This run broke off {when}: {ended}.", icon=":material/heart_broken:")
    if found_here:
        charts(sick, healthy, found_here)
    known.badge(
        f"{known.config['updates']} updates, {known.config['votes']} votes of {voter_title(known.config['annotator'])}"
    )
    texts(sick, healthy)
    guess = predict(
        f"clinic_{case.name}", "what was done to this run?", [one.title for one in sorted(FAILURES, key=_shuffled)]
    )
    if guess is not None:
        _reveal(case, guess, known, sick, healthy, found_here)
    again("clinic", ClinicJob.checked, "All eleven runs: some minutes, in the background.")
    with top:
        page_header("clinic", "Clinic", claim(cases, patients))
    _closing()


def _chosen(patients: list[Failure]) -> Failure:
    """The patient in the URL. Patients are numbered: their names would give them away."""
    numbers = {f"Patient {place}": one for place, one in enumerate(patients, 1)}
    chosen = st.segmented_control(
        "Patient",
        list(numbers),
        default="Patient 1",
        required=True,
        key="patient",
        bind="query-params",
        label_visibility="collapsed",
    )
    return numbers[chosen]


def _shuffled(case: Failure) -> str:
    """An order that does not give the patients away, the same for everybody."""
    return case.title[::-1]


def _reveal(
    case: Failure,
    guess: str,
    known: Found,
    sick: Mapping[str, Any],
    healthy: Mapping[str, Any],
    found_here: list[Symptom],
) -> None:
    revealed(guess, case.title, case.mistake)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**What was changed**")
        st.code("\n".join(_difference(case, known)), language="diff")
        st.markdown("**To see it again**")
        st.code(f"python -m core clinic --failures {case.name} --seed {known.config.get('seed', 0)}", language="bash")
    with right:
        st.markdown("**Why that breaks it**")
        st.markdown(case.why)
        if found_here:
            worst = found_here[0]
            st.markdown(
                f"**What gives it away**, measured: *{SHOWN[worst.metric]}* is {worst.sick:.3g} on average over the "
                f"last third of the updates, in the healthy run {worst.healthy:.3g}. {_gold_said(sick, healthy)}"
            )
    show_code("core.alignment.experiments.faults:padded_on_the_right" if case.fault == "padding" else _code(case))


def _gold_said(sick: Mapping[str, Any], healthy: Mapping[str, Any]) -> str:
    """What became of the gold, beside the healthy run's; a higher one is no reason to be glad."""
    ours, theirs = (one["curves"]["gold"][-1] for one in (sick, healthy))
    words = f"Gold ends at {ours:+.2f} sd, the healthy run's at {theirs:+.2f}."
    if ours > theirs + 0.5:
        paid = sick["curves"]["objective/kl_exact"][-1]
        words += (
            f" Higher, for {paid:.1f} nats: the annotator votes by a rule, and words it likes, alone or over and over, "
            "satisfy it. Read the texts: a gold is a measure too."
        )
    return words


def _code(case: Failure) -> str:
    return {
        "unnormalised": "core.alignment.experiments.faults:unnormalised",
        "temperature": "core.alignment.experiments.faults:drawn_colder",
        "stale_reference": "core.alignment.experiments.faults:stale_reference",
    }.get(case.fault, "core.alignment.ppo:optimise")


def _difference(case: Failure, known: Found) -> list[str]:
    """The settings of the healthy run and of this one, where they differ, as a diff."""
    healthy = next(one for one in known.of("case") if one["name"] == "healthy")["config"]
    sick = next(one for one in known.of("case") if one["name"] == case.name)["config"]
    lines = []
    for name in case.changes:
        lines += [f"- {name} = {healthy[name]}", f"+ {name} = {sick[name]}"]
    if case.fault:
        lines.append(f"+ {_CHANGED_BY_FAULT[case.fault]}")
    return lines


def claim(cases: Mapping[str, Any], patients: list[Failure]) -> str:
    """One sentence of what was measured."""
    healthy = cases["healthy"]["curves"]
    gold, kl = healthy["gold"][-1], healthy["objective/kl_exact"][-1]
    ended = sum(bool(cases[one.name].get("ended")) for one in patients)
    sick = [cases[one.name]["curves"] for one in patients if cases[one.name]["curves"]["gold"]]
    poorer = sum(one["gold"][-1] < gold - 0.5 for one in sick)
    farther = sum(one["objective/kl_exact"][-1] > 1.5 * kl for one in sick)
    broke_off = f"; {ended} broke off, no longer finite" if ended else ""
    return (
        f"{len(patients)} sick runs, beside a healthy one, which gained {gold:+.1f} sd of gold "
        f"for {kl:.1f} nats: {poorer} gained at least half a standard deviation less, {farther} paid more than "
        f"one and a half times the KL{broke_off}."
    )


def _closing() -> None:
    closing(
        [
            (
                "Which curve would you look at first?",
                "KL to the reference beside the gold, or fresh votes where there is no gold: what was given up, and "
                "for what. The score alone rises in sickness and in health.",
            ),
            (
                "Why do some mistakes hardly show?",
                "PPO is forgiving: whitening hides a wrong scale, the clip a wrong step. A run can limp for days "
                "without falling.",
            ),
            (
                "How would you make sure?",
                "Change one thing, keep the seed: the command under each patient runs it again beside a healthy one.",
            ),
        ],
        "overview",
        "run your own loop, and read its curves with this in mind.",
    )


main()

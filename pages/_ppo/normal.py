"""Is this normal? The whole run read for the reader, the worst first, each with its numbers and what to do."""

import streamlit as st

from core.alignment.ppo_reading.diagnosis import FEWEST, Finding, Severity, diagnose, is_healthy
from pages._parts.code import show_code
from pages._parts.text import minus
from pages._ppo.subject import Subject

MARKS: dict[Severity, str] = {
    "trouble": ":red-badge[✗ trouble]",
    "watch": ":orange-badge[! look closer]",
    "unknown": ":gray-badge[? cannot be known]",
    "note": ":blue-badge[i worth knowing]",
    "healthy": ":green-badge[✓ healthy]",
}


def said_of(subject: Subject) -> dict[str, tuple[str, str]]:
    """Metric -> mark and reason of the finding about it, for beside its curve; empty while it is too early."""
    return {one.curve: (MARKS[one.severity], one.reason) for one in _findings(subject) or []}


def in_short(subject: Subject) -> None:
    """The verdict on the whole run in a line or two, beside whatever else is shown."""
    findings = _findings(subject)
    if findings is None:
        return
    raised = [one for one in findings if one.severity in ("trouble", "watch")]
    if not raised:
        noted = sum(one.severity in ("note", "unknown") for one in findings)
        st.markdown(f"{MARKS['healthy']} {len(findings)} checks, nothing wrong{_more(noted)}.")
    for one in raised[:3]:
        st.markdown(f"{MARKS[one.severity]} {one.title}")


def normal(subject: Subject) -> None:
    """Every finding in full."""
    findings = _findings(subject)
    if findings is None:
        st.info(f"Too early to say: {len(subject.rows)} of at least {FEWEST} updates.")
        return
    raised = sum(one.severity in ("trouble", "watch") for one in findings)
    noted = sum(one.severity in ("note", "unknown") for one in findings)
    verdict = (
        f"**{'Mostly' if noted else 'Yes'}.** None of the {len(findings)} checks over all {len(subject.rows)} updates "
        f"found anything wrong{_more(noted)}."
        if is_healthy(findings)
        else f"**Not quite.** {raised} of {len(findings)} checks over all {len(subject.rows)} updates ask for a look."
    )
    st.markdown(
        verdict + " Every figure is a mean over tokens or responses, never over padding; from and to are "
        "means over the first and the last fifth of the updates."
    )
    for one in findings:
        _show(one)
    show_code("core.alignment.ppo_reading.diagnosis:diagnose", "core.alignment.ppo_metrics:summarise")


def _more(noted: int) -> str:
    return f", {noted} things worth knowing" if noted > 1 else ", one thing worth knowing" if noted else ""


def _show(one: Finding) -> None:
    with st.container(border=True):
        st.markdown(f"{MARKS[one.severity]} **{one.title}**")
        st.markdown(minus(one.reason))
        if one.remedy:
            st.caption(f"What to do: {one.remedy}")


def _findings(subject: Subject) -> list[Finding] | None:
    return diagnose(subject.curves(), subject.responses) or None

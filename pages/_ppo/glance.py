"""The column beside the picture: where the run stands in five numbers, and whether that is normal."""

from collections.abc import Callable

import streamlit as st

from pages._parts import site
from pages._parts.told import fragment
from pages._ppo.normal import in_short
from pages._ppo.subject import Subject

_NUMBERS = (  # a number keeps its unit on its line, in a narrow column too
    ("score", "objective/scores", "{:+.2f}\u00a0sd", "◆"),
    ("KL, exact", "objective/kl_exact", "{:.1f}\u00a0nats", "▲"),
    ("KL charged, k1", "objective/kl", "{:.1f}\u00a0nats", "▲"),
    ("β", "kl_coef", "{:g}", "▲"),
    ("tokens per response", "response_length", "{:.1f}", "●"),
)


def glance(read: Callable[[], Subject], moving: bool) -> None:
    """Read the subject and say it in short; while it moves, again every other second, in place."""

    @fragment(run_every=2.0 if moving else None)
    def view() -> None:
        subject = read()
        if not subject.rows:
            return
        newest = subject.rows[-1]
        of = subject.run.total if subject.run and subject.run.stage == "ppo" else len(subject.rows)
        st.markdown(f"**Update {int(newest['step'] or 0)} of {max(of, len(subject.rows))}**")
        asked, budget = subject.ppo.get("updates"), subject.ppo.get("kl_budget")
        if subject.run and subject.run.status == "finished" and budget and asked and asked > len(subject.rows):
            st.caption(f"{asked} were asked for: its KL budget of {budget:g} nats per response was spent before.")
        lines = [
            [f"{mark} {label}", form.format(newest[key])]
            for label, key, form, mark in _NUMBERS
            if newest.get(key) is not None
        ]
        st.table(lines, border="horizontal", hide_header=True, hide_index=True)
        st.caption(
            "Of this update's own responses, on prompts it trains on. On held-out prompts the figures differ a little."
        )
        in_short(subject)

    view()


def links(subject: Subject) -> None:
    """Where the same run can be looked at closer; only the pages there are."""
    if subject.run is None or not subject.rows:
        return
    update = int(subject.rows[-1]["step"] or 0)
    for name, label, more in (
        ("token_microscope", "Token microscope", {"update": str(update)}),
        ("before_after", "Before and after", {}),
    ):
        try:
            target = site.page(name)
        except KeyError:
            continue
        st.page_link(target, label=label, icon=":material/search:", query_params={"run": subject.run.id, **more})

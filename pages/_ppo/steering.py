"""Changing the learning rate and β while a run goes on, and what was changed when."""

from collections.abc import Sequence

import streamlit as st

from core.errors import PlaygroundError
from core.runs.store import Run, RunStore
from pages._parts.series import Row
from pages._parts.text import escaped

FIELDS = {
    "learning_rate": ("learning rate", "lr", "%.1e", 1e-5),
    "kl_coef": ("β (KL coefficient)", "kl_coef", "%g", 0.05),
}


def steer(run: Run, rows: Sequence[Row]) -> None:
    """Two knobs that take hold at the next update. Only for a run that is not over."""
    st.markdown("**While it runs**")
    with st.form(f"steer_{run.id}", border=False):
        wanted = {}
        for field, (label, metric, form, step) in FIELDS.items():
            before = current(run, rows, field, metric)
            wanted[field] = (
                st.number_input(
                    label, min_value=0.0, value=before, step=step, format=form, key=f"steer_{field}_{run.id}"
                ),
                before,
            )
        pressed = st.form_submit_button("Apply from the next update", key="steer_apply")
    if not pressed:
        return
    asked = {control.field: control.value for control in RunStore().controls(run.id)}
    for field, (value, before) in wanted.items():
        if value != asked.get(field, before):  # Enter, and then the button, are one wish
            try:
                RunStore().set_control(run.id, field, value)
            except PlaygroundError as error:
                st.error(escaped(str(error)))


def changes(run: Run) -> None:
    """Every change asked for, and the update it took hold at."""
    for control in RunStore().controls(run.id):
        label = FIELDS.get(control.field, (control.field,))[0]
        when = f"from step {control.number} on" if control.number is not None else "waiting for the next update"
        st.caption(f"{label} = {control.value:g}: {when}")


def current(run: Run, rows: Sequence[Row], field: str, metric: str) -> float:
    """What holds behind `rows`: the newest update's value, or the configured one before the first."""
    ppo = run.config.get("ppo", {})
    newest = rows[-1].get(metric) if rows and ppo.get("lr_schedule") != "linear" else None
    return float(newest if newest is not None else ppo.get(field, 0.0))

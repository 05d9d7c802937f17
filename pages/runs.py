"""Runs: everything that was trained here, its curves over each other, and what can be taken away."""

import streamlit as st

from core.figures.curves import compared
from core.runs.metric_units import UNITS
from core.runs.store import Run, RunStore
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.curves import values_of
from pages._parts.header import page_header
from pages._parts.questions import closing
from pages._parts.state import TRAINING
from pages._parts.told import fragment
from pages._runs.details import run_details
from pages._runs.listing import megabytes, run_list

FIRST_LOOKED_AT = ("objective/scores", "heldout/accuracy", "loss")
EVERY = 2.0  # seconds between looks at the store while something trains


def chosen_ids(known: list[Run]) -> list[str]:
    """The runs that the URL asks for, those that still exist; the newest when it asks for none."""
    asked = st.query_params.get("show", "").split(",")
    found = [run.id for run in known if run.id in asked]
    return found or [run.id for run in known[:1] if not st.query_params.get("show")]


def listing() -> None:
    """The list, redrawn while something trains."""
    runs = store.list()
    clicked = run_list(runs, {run.id: store.disk_use(run.id) for run in runs}, chosen_ids(runs), "list")
    if clicked is not None:
        st.query_params["show"] = ",".join(clicked) or "none"
        st.rerun()
    if training and not any(run.status in TRAINING for run in runs):
        st.rerun()


def overlaid(ids: list[str]) -> None:
    """One metric of the chosen runs over each other."""
    runs = [store.get(run_id) for run_id in ids]
    steps = {run.id: store.steps(run.id) for run in runs}
    metrics = sorted({name for of_run in steps.values() for step in of_run for name in step.metrics})
    if not metrics:
        st.info("No step has been recorded yet.", icon=":material/hourglass_empty:")
        return
    first = next((name for name in FIRST_LOOKED_AT if name in metrics), metrics[0])
    metric = st.selectbox("Metric", metrics, index=metrics.index(first), key="metric", bind="query-params")
    rows = [(run_id, *point) for run_id, of_run in steps.items() for point in values_of(metric, of_run)]
    without = [run.id for run in runs if not any(row[0] == run.id for row in rows)]
    data = {"run": [row[0] for row in rows], "step": [row[1] for row in rows], "value": [row[2] for row in rows]}
    shown = [run_id for run_id in ids if run_id not in without]
    st.vega_lite_chart(
        data, compared(shown, theme.dark()), width="stretch", alt=f"{metric} against the step, of {', '.join(shown)}"
    )
    if unit := UNITS.get(metric):
        st.caption(f"Unit: {unit}.")
    badge("live", run=", ".join(shown), note="exactly what the trainer recorded, not smoothed")
    if without:
        st.caption(f"Without this metric: {', '.join(without)}.")


store = RunStore()
everything = store.list()
training = any(run.status in TRAINING for run in everything)
so_far = " so far" if training else ""
total = sum(store.disk_use(run.id) for run in everything)
page_header(
    "runs",
    "Runs",
    f"{len(everything)} run{'' if len(everything) == 1 else 's'}, {megabytes(total)} on disk{so_far}. Each keeps its "
    "settings, its curves and its weights; "
    "a run that was killed goes on from its newest checkpoint."
    if everything
    else "Everything you train appears here, with its settings, its curves and its weights.",
)
if not everything:
    st.info(
        "Nothing has been trained here yet. The Overview runs the whole loop with one click.",
        icon=":material/play_arrow:",
    )
else:
    fragment(run_every=EVERY if training else None)(listing)()
    ids = chosen_ids(everything)
    if ids:
        st.subheader("Curves" if len(ids) == 1 else f"{len(ids)} runs compared", anchor=False)
        fragment(run_every=EVERY if training else None)(overlaid)(ids)
    if len(ids) == 1:
        fragment(run_every=EVERY if training else None)(run_details)(store, ids[0])
    elif len(ids) > 1:
        st.caption("Choose a single run to steer it, to download it, or to read its log.")
closing(
    [
        (
            "When may two curves be compared?",
            "When they measure the same thing on the same prompts. A *score* is in the unit of its own reward "
            "model: two runs against different reward models share no scale. KL in nats and held-out accuracy do "
            "compare.",
        ),
        (
            "Why do two runs with the same settings and the same seed agree?",
            "Every random number is a function of seed, update and row, so nothing "
            "depends on timing. Equality is promised for one device and one number of threads: sums in another order "
            "round differently.",
        ),
        (
            "What is a finished run made of?",
            "Ordinary Hugging Face folders. The policy opens with `AutoModelForCausalLM`, the reward model with "
            "`AutoModelForSequenceClassification`, without anything from here.",
        ),
    ],
    "overview",
    "run the loop twice with another β, and lay the two KL curves over each other here",
)

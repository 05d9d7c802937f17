"""Measuring the surface of the reader's own reward model: which one, how finely, and the button."""

import streamlit as st

from core.alignment.loss_surface.config import SurfaceConfig
from core.errors import PlaygroundError
from core.runs import supervisor
from core.runs.jobs import SurfaceJob
from core.runs.shelf import weight_folders
from core.runs.store import Run, RunStore
from pages._parts import site
from pages._parts.run_view import run_in_url
from pages._parts.text import escaped

_FEWEST = 3  # kept weights that a path needs


def asked_for() -> Run | None:
    """The surface run in the URL, `?run=`."""
    return run_in_url("surface")


def measuring_form(plane: str) -> None:
    """Choose a reward model with kept weights, and measure it; one measured already is opened."""
    models = {run.id: run for run in RunStore().list() if run.kind in ("reward", "loop") and _kept(run) >= _FEWEST}
    if not models:
        short = any(_kept(run) for run in RunStore().list("reward"))
        st.caption(
            f"Yours has kept its weights at fewer than {_FEWEST} steps, too few for a path: train one on more votes, "
            "or stop it later."
            if short
            else "Your own appears here once one was trained on the page Reward model, which keeps its weights on the "
            "way; a whole loop keeps none."
        )
        st.page_link(site.page("reward_model"), label="Train one", icon=":material/arrow_forward:")
        return
    named = run_in_url("reward", "loop")
    chosen = st.selectbox(
        "Your reward models",
        list(models),
        index=list(models).index(named.id) if named and named.id in models else 0,
        format_func=lambda id: f"{models[id].name} · {id}",
        key="real_run",
        bind="query-params",
    )
    with st.popover("More settings", icon=":material/tune:"):
        everything = st.toggle("All training pairs, not 64", key="real_all", bind="query-params", help="Takes longer.")
        points = st.segmented_control(
            "Points a side", (13, 25, 49), default=25, required=True, key="real_points", bind="query-params"
        )
        exact = st.toggle(
            "Every point in float32",
            key="real_exact",
            bind="query-params",
            help="Otherwise the grid is in bfloat16 where that is faster here, and how far that is off is said.",
        )
        seed = st.number_input("Seed of the random directions", 0, 2**31 - 1, 0, key="real_seed", bind="query-params")
    if st.button("Measure it", type="primary", icon=":material/landscape:", key="real_measure"):
        try:
            pairs = 0 if everything else 64
            asked = {"plane": plane, "points": points, "pairs": pairs, "seed": seed, "exact": exact}
            config = {"run": chosen, **asked}
            st.query_params["run"] = _measured_before(config) or supervisor.submit(SurfaceJob.checked(**config))
        except PlaygroundError as error:
            st.error(escaped(str(error)))
            return
        st.rerun()
    if asked_for() and st.button("Bundled one", key="real_back"):
        st.query_params.pop("run", None)
        st.rerun()


def _measured_before(config: dict[str, object]) -> str | None:
    """The run that has measured exactly this, or is about to."""
    wanted = SurfaceConfig.checked(**config).model_dump(mode="json")
    defaults = SurfaceConfig(run="").model_dump(mode="json")  # an older run does not know the newest setting
    for run in RunStore().list("surface"):
        if defaults | run.config == wanted and run.status in ("finished", "running", "queued", "paused"):
            return run.id
    return None


def _kept(run: Run) -> int:
    return len(weight_folders(run.folder))

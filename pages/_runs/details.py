"""One run: what it is doing, what can be done with it, what it has said, and what can be taken away."""

import tempfile
from typing import IO, TYPE_CHECKING

import streamlit as st

from core.hosting.mode import is_hosted
from core.hosting.people import bound
from core.runs import shelf
from core.runs.pace import seconds_taken
from core.runs.tensorboard import event_file_name
from pages._parts import site
from pages._parts.loop_view import trouble
from pages._parts.run_view import run_buttons
from pages._parts.text import escaped, plain, steady
from pages._parts.told import told
from pages._runs.listing import megabytes, state_words

if TYPE_CHECKING:
    from core.runs.store import Run, RunStore

_LOG_LINES = 200
_PAGE = {
    "reward": "reward_model",
    "ppo": "ppo",
    "loop": "overview",
    "race": "why_transformers",
    "surface": "loss_surface",
}


def run_details(store: "RunStore", run_id: str) -> None:
    """Controls, downloads, settings, result and log of the run."""
    run = store.get(run_id)
    st.subheader(escaped(run.name), anchor=False)
    plain(f"{run.id} · {state_words(run)} · {_duration(run)} · {megabytes(store.disk_use(run.id))} on disk")
    trouble(run)
    if gone := shelf.removed(run.folder):
        st.caption(
            f"{gone} of its oldest rollouts and saved weights made room for newer ones: a run keeps 500 MB of them, "
            "or as many as RLHF_PLAYGROUND_RUN_MB says. Its curves and its results are all there."
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        _controls(store, run)
        _downloads(run)
    with st.expander("Settings", icon=":material/tune:"):
        st.json(run.config)
    if run.result:
        with st.expander("Result", icon=":material/flag:"):
            st.json(run.result)
    if not is_hosted() and run.log.exists() and (log := run.log.read_text(encoding="utf-8", errors="replace")):
        with st.expander("Log", icon=":material/notes:"):
            st.code("\n".join(log.splitlines()[-_LOG_LINES:]), language=None)


def _controls(store: "RunStore", run: "Run") -> None:
    run_buttons(run)
    if run.kind in _PAGE:
        st.page_link(
            site.page(_PAGE[run.kind]),
            label="Open it on its page",
            icon=":material/open_in_new:",
            query_params={"run": run.id},
        )
    with st.popover("Rename", icon=":material/edit:"):
        name = st.text_input("New name", run.name, max_chars=80, key=f"name-{run.id}")
        if st.button("Rename it", key=f"rename-{run.id}") and name.strip():
            store.rename(run.id, name.strip())
            st.rerun()
    if st.button("Delete", icon=":material/delete:", key=f"delete-{run.id}", disabled=run.status == "running"):
        _confirm_delete(run.id, run.name)


@st.dialog("Delete this run?")
def _confirm_delete(run_id: str, name: str) -> None:
    plain(f"{steady(name)} ({run_id}): its curves, its texts and its weights go for good. Your votes stay.", "said")
    with st.container(horizontal=True):
        if st.button("Delete it for good", type="primary", on_click=_delete, args=(run_id,)) or st.button("Keep it"):
            st.rerun()


@told
def _delete(run_id: str) -> None:
    from core.runs.store import RunStore

    RunStore().delete(run_id)
    st.query_params.pop("show", None)


def metrics_file(run_id: str) -> str:
    """What the CSV holds."""
    from core.runs.export import metrics_csv
    from core.runs.store import RunStore

    return metrics_csv(RunStore().steps(run_id))


def weights_file(run_id: str) -> IO[bytes]:
    """What the zip holds, in a file that goes with its last reader."""
    from core.runs.export import write_zip
    from core.runs.store import RunStore

    file = tempfile.TemporaryFile()  # noqa: SIM115 - Streamlit reads it after this returns
    write_zip(RunStore().get(run_id), metrics_file(run_id), file)
    file.seek(0)
    return file


def events_file(run_id: str) -> IO[bytes]:
    """What the TensorBoard file holds."""
    from core.runs.store import RunStore
    from core.runs.tensorboard import write_event_file

    store, file = RunStore(), tempfile.TemporaryFile()  # noqa: SIM115 - as above
    write_event_file(store.get(run_id), store.steps(run_id), file)
    file.seek(0)
    return file


def _downloads(run: "Run") -> None:
    st.download_button(
        "Metrics (CSV)",
        bound(lambda: metrics_file(run.id)),
        f"{run.id}.csv",
        "text/csv",
        key=f"csv-{run.id}",
        on_click="ignore",
        icon=":material/download:",
    )
    st.download_button(
        "TensorBoard",
        bound(lambda: events_file(run.id)),
        event_file_name(run),
        "application/octet-stream",
        key=f"events-{run.id}",
        on_click="ignore",
        icon=":material/download:",
        help="An event file: put it into a folder of its own, and `tensorboard --logdir` draws its curves.",
    )
    has_weights = any((run.folder / name).exists() for name in ("policy", "reward_model", "model"))
    st.download_button(
        "Weights (zip)",
        bound(lambda: weights_file(run.id)),
        f"{run.id}.zip",
        "application/zip",
        key=f"zip-{run.id}",
        on_click="ignore",
        icon=":material/download:",
        disabled=not has_weights,
        help="Hugging Face folders: they open with plain transformers."
        if has_weights
        else "It has left no weights yet.",
    )


def _duration(run: "Run") -> str:
    if run.started is None:
        return "not started"
    seconds = seconds_taken(run)
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"

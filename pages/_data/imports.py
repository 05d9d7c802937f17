"""Preferences that were made elsewhere: bring them in, see what was refused and why, take them out again."""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import PlaygroundError
from core.feedback.store import FeedbackStore
from pages._parts.text import escaped, plain, steady
from pages._parts.told import told

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from core.feedback.interchange import ImportReport

ENDINGS = ["jsonl", "json", "gz", "csv", "parquet"]  # what is in a .json is told by the reading of it
_NAME = 60  # characters of an upload's name: file systems differ in how long one may be, in bytes
TOOK = (
    "A file of up to 20 MB with the columns *prompt, chosen, rejected*, as strings or as lists of messages; whole "
    "dialogues in *chosen* and *rejected*, as hh-rlhf has them; or two answers and a winner, as Chatbot Arena, SHP, "
    "WebGPT comparisons and PKU-SafeRLHF have them. JSON Lines, CSV (both may be gzipped) or Parquet. Larger ones: "
    "`python -m core preferences import FILE`."
)


def bring_in(store: FeedbackStore) -> None:
    """An upload, its report, and the datasets there are."""
    st.markdown(TOOK)
    file = st.file_uploader("Preference file", ENDINGS, max_upload_size=20)
    strict = st.toggle(
        "All rows or none",
        help="One unusable row refuses the whole file. Otherwise usable rows are kept and the others listed.",
    )
    if file and st.button("Import it", type="primary", icon=":material/upload:"):
        st.session_state["report"] = _imported(file, store, strict)
        if st.session_state["report"]:
            st.rerun()  # the page's first line counts what is imported
    if report := st.session_state.get("report"):
        _show(report)
    _datasets(store)


def _imported(file: "UploadedFile", store: FeedbackStore, strict: bool) -> "ImportReport | None":
    from core.feedback.interchange import import_preferences

    bar = st.progress(0.0, text="Reading")
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(file.name).name[-_NAME:]
            path.write_bytes(file.getbuffer())
            return import_preferences(
                path, store, file.name, strict, lambda rows: bar.progress(0.5, text=f"{rows:,} rows read")
            )
    except PlaygroundError as error:
        why = str(error).replace(f"{folder}/", "")
    except OSError as error:  # where temporary files lie, and not in the data folder
        why = f"The upload could not be written to {tempfile.gettempdir()} for reading: {error.strerror or error}."
    finally:
        bar.empty()
    st.error("Nothing was imported.", icon=":material/error:")
    plain(why, "said")
    return None


def _show(report: "ImportReport") -> None:
    words = f"{_counted(report.imported)} imported from {escaped(report.name)}.{_ties(report.ties)}"
    same = sum(one.name == report.name for one in FeedbackStore().datasets())
    if report.run_together:
        words += (
            f" In {_counted(report.run_together)} a response begins right behind its prompt, and both are read as one "
            "text: where they should be apart, begin responses with a space or a line break."
        )
    words += f" There are {same} data sets of that name now." if same > 1 else ""
    if report.rejected_total == 0:
        st.success(words, icon=":material/check:")
        return
    st.warning(
        f"{words} {report.rejected_total:,} row{'' if report.rejected_total == 1 else 's'} could not be used:",
        icon=":material/rule:",
    )
    st.dataframe(
        {"line": [row.line for row in report.rejected], "reason": [row.reason for row in report.rejected]},
        hide_index=True,
        column_config={
            "line": st.column_config.NumberColumn("Line", width="small"),
            "reason": st.column_config.TextColumn("Reason", width="large"),
        },
    )
    if report.rejected_total > len(report.rejected):
        st.caption(f"The first {len(report.rejected):,} are listed.")


def _datasets(store: FeedbackStore) -> None:
    datasets = store.datasets()
    if not datasets:
        return
    st.subheader("Imported so far", anchor=False)
    for dataset in datasets:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            ties = f" and {dataset.ties:,} ties" if dataset.ties else ""
            plain(
                f"{steady(dataset.name)} · {_counted(dataset.rows)}{ties} · "
                f"{datetime.fromtimestamp(dataset.created):%Y-%m-%d %H:%M}",
                "said",
            )
            if st.button("Delete", key=f"dataset-{dataset.id}", icon=":material/delete:"):
                _confirm(dataset.id, dataset.name)


@st.dialog("Delete this dataset?")
def _confirm(dataset_id: int, name: str) -> None:
    plain(f"{steady(name)} goes for good. Models already trained on it stay.", "said")
    with st.container(horizontal=True):
        if st.button("Delete it for good", type="primary", on_click=_delete, args=(dataset_id,)) or st.button(
            "Keep it"
        ):
            st.rerun()


@told
def _delete(dataset_id: int) -> None:
    FeedbackStore().delete_dataset(dataset_id)
    st.session_state.pop("report", None)


def _ties(ties: int) -> str:
    if not ties:
        return ""
    one = ties == 1
    return (
        f" {ties:,} tie{' is' if one else 's are'} counted and left out of training: a tie does not say which text is "
        "better."
    )


def _counted(rows: int) -> str:
    return f"{rows:,} comparison{'' if rows == 1 else 's'}"

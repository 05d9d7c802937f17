"""The votes cast here: read them, take them away, delete them."""

import tempfile
from datetime import datetime
from pathlib import Path

import streamlit as st

from core.feedback.store import FeedbackStore
from core.hosting.people import bound
from pages._parts.text import plain
from pages._parts.told import told

SHOWN = 500
FORMATS = {"JSON Lines": "jsonl", "CSV": "csv", "Parquet": "parquet"}


def look_at_votes(store: FeedbackStore) -> None:
    """A table of the newest votes of one voter or all, export, and deletion."""
    voters = store.annotators()
    if not voters:
        st.info("Nobody has voted yet. The Label page shows two responses at a time.", icon=":material/how_to_vote:")
        return
    picked, counted = st.columns([1, 2], gap="medium", vertical_alignment="bottom")
    voter = picked.selectbox(
        "Whose votes?", ["", *voters], format_func=lambda name: name or "everybody's", key="who", bind="query-params"
    )
    count = store.count(voter or None)
    counted.markdown(
        f"**{count['left'] + count['right']:,}** with a preference &nbsp; {count['tie']:,} tied &nbsp; "
        f"{count['skip']:,} skipped"
    )
    _table(store, voter)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _export(voter)
        if voter and st.button("Delete these votes", icon=":material/delete:"):
            _confirm(voter, sum(count.values()))


def _table(store: FeedbackStore, voter: str) -> None:
    votes = store.votes(voter or None, limit=SHOWN)
    st.dataframe(
        {
            "when": [datetime.fromtimestamp(vote.created) for vote in votes],
            "voter": [vote.annotator for vote in votes],
            "prompt": [vote.prompt for vote in votes],
            "choice": [vote.choice for vote in votes],
            "chosen": [vote.chosen or "" for vote in votes],
            "rejected": [vote.rejected or "" for vote in votes],
            "again": [vote.repeat_of is not None for vote in votes],
            "seconds": [vote.response_seconds for vote in votes],
            "policy": [vote.policy for vote in votes],
        },
        hide_index=True,
        height=400,
        column_config={
            "when": st.column_config.DatetimeColumn("When", format="YYYY-MM-DD HH:mm"),
            "again": st.column_config.CheckboxColumn(
                "Again",
                help="the pair had been answered before and was asked once more, without saying so: it measures "
                "consistency and trains nothing",
            ),
            "seconds": st.column_config.NumberColumn(
                "Took", format="%.1f s", help="from the moment the pair was shown to the vote"
            ),
            **{
                name: st.column_config.TextColumn(name.capitalize(), width="medium")
                for name in ("prompt", "chosen", "rejected")
            },
        },
    )
    if any(vote.repeat_of for vote in votes):
        st.caption("Pairs asked again stand in the list alone: they are in no count above and train nothing.")
    if len(votes) == SHOWN:
        st.caption(f"The newest {SHOWN}. An export has them all.")


def exported(voter: str, ending: str) -> bytes:
    """The votes of one voter, or of all for "", as a file of that ending."""
    from core.feedback.interchange import export_preferences

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"votes.{ending}"
        export_preferences(FeedbackStore(), path, voter or None)
        return path.read_bytes()


def _export(voter: str) -> None:
    form = st.segmented_control("Export as", list(FORMATS), default="JSON Lines", required=True, key="format")
    ending = FORMATS[form]

    st.download_button(
        "Download",
        bound(lambda: exported(voter, ending)),
        f"preferences.{ending}",
        key=f"export-{ending}",
        on_click="ignore",
        icon=":material/download:",
        help="prompt, chosen, rejected: what every trainer reads. Ties, skips and undone votes are left out.",
    )


@st.dialog("Delete these votes?")
def _confirm(voter: str, number: int) -> None:
    plain(
        f"All {number:,} votes of {voter} go for good, and nothing can bring them back. Models already trained on "
        "them stay.",
        "said",
    )
    with st.container(horizontal=True):
        if st.button("Delete them for good", type="primary", on_click=_delete, args=(voter,)) or st.button("Keep them"):
            st.rerun()


@told
def _delete(voter: str) -> None:
    st.session_state["deleted"] = FeedbackStore().delete_votes(voter)
    st.session_state.pop("who", None)

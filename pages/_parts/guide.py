"""On every page: what an underlined word means, and the keyboard map on the key `?`."""

from pathlib import Path

import streamlit as st

from pages._parts.keys import all_keys, shown

_component = st.components.v2.component(
    "rlhf_playground.guide",
    html="<span></span>",
    js=(Path(__file__).parent / "guide.js").read_text(encoding="utf-8"),
)


def guide(page: str) -> None:
    """Put it on the page called `page`; it takes no room until asked."""
    keys = [[one.where, [[shown(key), does] for key, does in one.does]] for one in all_keys()]
    with st.container(key="guide"):
        _component(
            data={"keys": keys, "shown": f"{page} {st.query_params.get('run', '')}"},
            key="guide_itself",
            height="content",
        )

"""Browsing the prompt sets."""

import streamlit as st

from core.feedback.prompts import prompt_sets


def browse_prompts() -> None:
    """One set at a time: what it is for, and every prompt in it, findable."""
    sets = {one.name: one for one in prompt_sets()}
    picked, searched = st.columns(2, gap="medium")
    chosen = sets[
        picked.selectbox(
            "Prompt set", list(sets), format_func=lambda name: sets[name].title, key="set", bind="query-params"
        )
    ]
    wanted = searched.text_input("Only those containing", key="find", bind="query-params", max_chars=100).lower()
    st.caption(
        f"{chosen.description} {len(chosen.train):,} to train with, {len(chosen.heldout):,} held out: those measure, "
        "and nothing ever trains on them. "
        f"Suits {chosen.policy}."
    )
    rows = [
        (prompt, use)
        for use, prompts in (("train", chosen.train), ("held out", chosen.heldout))
        for prompt in prompts
        if wanted in prompt.lower()
    ]
    st.dataframe(
        {"prompt": [row[0] for row in rows], "use": [row[1] for row in rows]},
        hide_index=True,
        height=480,
        column_config={
            "prompt": st.column_config.TextColumn("Prompt", width="large"),
            "use": st.column_config.TextColumn("Use", width="small"),
        },
    )

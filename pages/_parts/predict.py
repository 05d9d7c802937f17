"""Predict, commit, reveal: a reader who has said what will happen looks at what does happen."""

from collections.abc import Sequence

import streamlit as st

from pages._parts.text import minus


def predict(key: str, question: str, options: Sequence[str]) -> str | None:
    """Ask `question`; None until the reader has chosen and committed, afterwards what they chose.

    The caller shows the answer only when this returns something, and words it by what was measured.
    The choice is kept in the URL under `key`, so that a refresh does not hide what was revealed.
    """
    committed = st.query_params.get(key)
    if committed in options:
        return committed
    with st.container(border=True, key=f"predict-{key}"):
        st.markdown(f"**Before you look:** {question}")
        guess = st.pills("Your prediction", options, key=f"{key}-guess", label_visibility="collapsed")
        if st.button("Commit to it", key=f"{key}-commit", disabled=guess is None):
            st.query_params[key] = guess
            st.rerun()
    return None


def revealed(guess: str, measured: str, words: str) -> None:
    """What was measured, beside what was predicted; a wrong guess does not look like a right one."""
    words = minus(words)
    if guess == measured:
        st.success(f"**As you said.** {words}", icon=":material/check:")
    else:
        st.info(f"**You said: {guess}. It was: {measured}.** {words}", icon=":material/lightbulb:")

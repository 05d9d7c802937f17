"""The end of every page: three questions that a reader can now answer, and one thing to try next."""

from collections.abc import Mapping, Sequence

import streamlit as st

from pages._parts import site, terms


def closing(
    questions: Sequence[tuple[str, str]],
    next_page: str = "",
    next_words: str = "",
    next_query: Mapping[str, str] | None = None,
) -> None:
    """Questions with their answers folded away (our own Markdown), then a link to where to go next.

    `next_query` is how that page is to open.
    """
    st.subheader("Can you answer these now?", anchor=False)
    for question, answer in questions:
        with st.expander(question):
            terms.prose(answer)
    if next_page:
        st.page_link(
            site.page(next_page),
            label=f"**Try next** {next_words}",
            icon=":material/arrow_forward:",
            query_params=next_query,
        )

"""An annotator's own prompts: type them or bring a file, and vote on what the policy writes for them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import PlaygroundError
from core.feedback.own_prompts import LONGEST, Added, add_own_prompts, own_prompts_of, remove_own_prompts
from pages._label.people import choose_own_prompts
from pages._parts.text import escaped, told_apart
from pages._parts.told import told

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

_ONE_A_LINE, _WHOLE = "one a line", "one prompt in all"
_MOST_MEGABYTES = 2
_KEPT = "own_prompts_kept"  # how often prompts were kept


def own_prompts_box(annotator: str) -> None:
    """A popover: what there is, and a place for more."""
    kept = st.session_state.get(_KEPT, 0)  # a popover of another name starts closed: voting goes on beneath it
    with st.popover("My own prompts", icon=":material/edit_note:", width="stretch", key=f"own_prompts_{kept}"):
        st.text_area(
            "Type them",
            key="own_prompts_text",
            height=120,
            placeholder="Once upon a time, a cat named",
            help=f"The policy goes on from here. More than {LONGEST:,} characters a prompt are cut.",
        )
        form = st.segmented_control(
            "Read as", [_ONE_A_LINE, _WHOLE], default=_ONE_A_LINE, required=True, key="own_prompts_form"
        )
        file = st.file_uploader(
            "Or a text file, a prompt a line", type=["txt"], key="own_prompts_file", max_upload_size=_MOST_MEGABYTES
        )
        st.button("Keep them and vote", key="own_prompts_add", on_click=_add, args=(annotator, form, file))
        if said := st.session_state.get("own_prompts_said"):
            st.warning(escaped(said)) if said.startswith("Not kept") else st.success(escaped(said))
        _kept(annotator)


def _kept(annotator: str) -> None:
    kept = own_prompts_of(annotator)
    if not kept:
        return
    st.dataframe({"prompt": kept}, hide_index=True, height=min(220, 38 + 35 * len(kept)))
    shown = told_apart({place: _short(text) for place, text in enumerate(kept, 1)})
    names = dict(zip(kept, shown.values(), strict=True))
    gone = st.multiselect("Take back", kept, key="own_prompts_gone", format_func=lambda text: names.get(text, text))
    if gone:
        st.button("Take these back", key="own_prompts_remove", on_click=_remove, args=(annotator, gone))


def _add(annotator: str, form: str | None, file: "UploadedFile | None") -> None:
    try:
        typed = st.session_state["own_prompts_text"]
        given = [typed] if form == _WHOLE else typed.split("\n")
        added = add_own_prompts(annotator, [*given, *(_lines(file) if file else ())])
    except PlaygroundError as error:
        st.session_state["own_prompts_said"] = f"Not kept: {error}"
        return
    st.session_state["own_prompts_said"] = _told(added)
    st.session_state["own_prompts_text"] = ""
    st.session_state["label_said"] = st.session_state["own_prompts_said"]
    st.session_state[_KEPT] = st.session_state.get(_KEPT, 0) + 1
    st.session_state["label_write_now"] = True
    choose_own_prompts()


def _told(added: Added) -> str:
    words = [f"Kept: {added.added} new prompt{'' if added.added == 1 else 's'}."]
    if added.known:
        words.append(f"{added.known} you had already.")
    if added.cut:
        words.append(f"{added.cut} cut to {LONGEST:,} characters.")
    return " ".join(words)


def _lines(file: "UploadedFile") -> Iterator[str]:
    try:
        yield from file.getvalue().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise PlaygroundError(f"{file.name} is not UTF-8 text ({error.reason} at byte {error.start}).") from error


@told
def _remove(annotator: str, texts: list[str]) -> None:
    number = remove_own_prompts(annotator, texts)
    st.session_state["own_prompts_said"] = f"Taken back: {number}. Votes already given on them stay."
    st.session_state["own_prompts_gone"] = []


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"

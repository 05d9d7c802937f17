"""How it is built: the rooms of the program and which uses which, read off its own imports, now."""

import html

import streamlit as st

from core.architecture import BOTH_WAYS, NEVER, ROOMS, arrows, dot, imports
from core.figures.palette import TEXT, colour
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.header import page_header

found = imports()
pairs = arrows(found)
page_header(
    "architecture",
    "How it is built",
    f"{len({one.user for one in found})} files in {len(ROOMS)} rooms; the arrows go one way, but for one pair, so "
    "that everything true can be used without a browser.",
)
picture, words = st.columns([3, 4], gap="large")
with picture:
    st.graphviz_chart(dot(pairs, TEXT.on(theme.dark()), colour("reference", theme.dark())), width="stretch")
    badge("live", note="an arrow says “uses”; arrows implied by others are left out")
with words:
    uses = {name: ", ".join(sorted(used for user, used in pairs if user == name)) for name in ROOMS}
    rows = "".join(
        f"<dt><b>{name}</b></dt><dd>{html.escape(what)}{f'<br>uses {uses[name]}' if uses[name] else ''}</dd>"
        for name, what in ROOMS.items()
    )
    st.html(f'<dl class="keys">{rows}</dl>')
st.subheader("Which way arrows may go", anchor=False)
st.markdown(
    "\n".join(
        f"- **{user}** never uses {'a room above it' if used == '*' else f'**{used}**'}: {why}."
        for user, used, why in NEVER
    )
)
st.caption(
    "One pair uses each other, through one door: "
    + "; ".join(f"{one} and {other} ({why})" for (one, other), why in BOTH_WAYS.items())
    + ". A test fails when a second pair does, or an arrow goes the wrong way."
)
show_code("core.architecture:imports", "core.architecture:violations")

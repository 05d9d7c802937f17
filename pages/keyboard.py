"""Keyboard: every key that does something, in one place."""

import html

import streamlit as st

from pages._parts.header import page_header
from pages._parts.keys import all_keys, shown

page_header("keyboard", "Keyboard", "The keys that stand in for a pointer. On any page, the key ? shows them.")
for column, keys in zip(st.columns(2, gap="large") * len(all_keys()), all_keys(), strict=False):
    rows = "".join(
        f"<dt><kbd>{html.escape(shown(key))}</kbd></dt><dd>{html.escape(does)}</dd>" for key, does in keys.does
    )
    with column:
        st.subheader(keys.where, anchor=False)
        st.html(f'<dl class="keys">{rows}</dl>')
st.caption("Keys of buttons rest while you type in a field: press Escape or click the page, then they work again.")

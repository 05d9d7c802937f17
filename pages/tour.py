"""The tour: ten stops through the whole loop, each with one thing to do."""

import streamlit as st

from pages._parts.header import page_header
from pages._parts.tour import list_of_stops

page_header(
    "tour",
    "The tour",
    "Ten stops, ten minutes: from a text to what goes wrong when a score becomes the target. One act at each.",
)
st.markdown(
    "A bar at the foot of each page says what to do and what to notice, and leads on. Leave and come back as you like: "
    "the address of the page remembers the stop."
)
list_of_stops()

"""Every page of the app, in the order of the story. Runs before each page."""

import streamlit as st

from pages._parts import background, signing_in, site, terms, theme, tour
from pages._parts.guide import guide
from pages._parts.told import errors_told

st.set_page_config(page_title="RLHF Playground", page_icon=theme.MARK, layout="wide")
theme.apply()
st.logo(theme.LOGO)
with errors_told():
    signing_in.require()
    page = st.navigation(site.sections(), position="top")
    terms.begin_page()
    guide(page.url_path)
    tour.accompany(page.url_path or "overview")
    page.run()
background.page_served()

"""The launcher: `streamlit run app.py`. Nothing heavy is imported before the first page has been seen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware

from core.hosting.mode import is_hosted
from core.threads import wait_briefly
from pages._overview.first_sight import first_sight
from pages._parts import background, sending, signing_in, wall
from pages._parts.opening import Opening

wait_briefly()
signing_in.begin()


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Beside the server run two small threads: one starts queued runs, one loads torch after the first page."""
    sending.send_at_once()
    background.start()
    try:
        yield
    finally:
        background.stop()


app = st.App(
    "pages/_router.py",
    lifespan=lifespan,
    middleware=wall.middleware() if is_hosted() else [Middleware(Opening, text=first_sight)],
    on_script_error=signing_in.say,
)

"""Who sits in front of a page of a hosted server. Unless it is hosted, none of this does anything."""

import html
from functools import cache

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.errors import PlaygroundError
from core.hosting import mode, people
from pages._parts.text import escaped

by_provider = cache(mode.signs_in_elsewhere)
"""Whether a provider says who somebody is: read once a server."""


def begin() -> None:
    """End this process with one sentence when it is to be hosted and anybody could come in; else ask from now on."""
    try:
        mode.check_ready()
    except PlaygroundError as error:
        raise SystemExit(f"error: {error}") from None
    people.ask_with(who)


def who() -> str | None:
    """The name of who has signed in, in this session."""
    if get_script_run_ctx() is None:
        return None
    return _of_provider() if by_provider() else _of_cookie()


def require() -> None:
    """Before every page: hide tracebacks, say who is signed in, and go no further when nobody is."""
    if not mode.is_hosted():
        return
    st.set_option("client.showErrorDetails", "none")
    people.ask_with(who)
    try:
        name = people.person()
    except people.NotSignedInError:
        _ask()
        st.stop()
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", key="signed_in"):
        if by_provider():
            st.caption(f"Signed in as {escaped(name or '')}", width="content")
            st.button("Sign out", on_click=st.logout, type="tertiary")
        else:
            st.html(
                f'<p class="note" style="margin:0;font-size:0.875rem">Signed in as {html.escape(name or "")} · '
                f'<a href="sign-out" target="_self" style="color:inherit">Sign out</a></p>',
                width="content",
            )


def say(error: Exception) -> bool:
    """What a hosted page shows of an error that nothing caught: the sentence of one that is meant to be read."""
    if not mode.is_hosted() or not isinstance(error, PlaygroundError):
        return False
    st.error(escaped(str(error)), icon=":material/block:")
    return True


def _ask() -> None:
    st.title("RLHF Playground", anchor=False)
    if not by_provider():
        st.info("Sign in first, then open this page again.", icon=":material/lock:")
        return
    if st.user.is_logged_in:
        st.error("You have signed in, and are not on this server's list. Ask whoever runs it.", icon=":material/lock:")
        st.button("Sign in as somebody else", on_click=st.logout)
        return
    st.markdown("This server is a class's: what you vote on and train is kept under your name.")
    st.button("Sign in", type="primary", icon=":material/login:", on_click=st.login)


def _of_cookie() -> str | None:
    from core.hosting.sign_in import person_of
    from pages._parts.wall import COOKIE

    token = st.context.cookies.to_dict().get(COOKIE)
    return person_of(token) if token else None


def _of_provider() -> str | None:
    """The address that the provider vouches for, as a name that can own things."""
    verified = str(st.user.get("email_verified", True)).strip().lower()  # some providers send it as a text
    if not st.user.is_logged_in or verified in ("false", "0", "no"):
        return None
    address = str(st.user.get("email") or "").strip().lower()
    return address.replace("/", "_") if address and mode.admits(address) else None

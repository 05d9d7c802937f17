"""A class that signs in with an OpenID Connect provider: a real one, on this machine, through its own pages."""

import re

import pytest
from oidc_provider_mock import User, run_server_in_thread

from tests.browser.conftest import free_port

ANNA = User(sub="1", claims={"email": "Anna@school.example", "email_verified": True})
STRANGER = User(sub="2", claims={"email": "somebody@elsewhere.example", "email_verified": True})
UNVERIFIED = User(sub="3", claims={"email": "ben@school.example", "email_verified": False})

VOTES = re.compile("Nobody has voted yet|voted on here")  # what the page Data says to who is in
ANNA_IS_IN = re.compile("Signed in as anna@.?school.example")  # a word joiner: an address must not become a link

SECRETS = """[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "of this test alone"
client_id = "playground"
client_secret = "secret"
server_metadata_url = "http://127.0.0.1:{provider}/.well-known/openid-configuration"
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory, serving):
    """Of a hosted server that lets in whom the provider vouches for, and who is of the school."""
    folder, port = tmp_path_factory.mktemp("provider"), free_port()
    secrets = folder / "user" / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir(parents=True)
    with run_server_in_thread(user_claims=[ANNA, STRANGER, UNVERIFIED]) as provider:
        secrets.write_text(SECRETS.format(port=port, provider=provider.server_port))
        more = {
            "RLHF_PLAYGROUND_HOSTED": "1",
            "RLHF_PLAYGROUND_PEOPLE": "@school.example",
            "HOME": str(folder / "user"),
        }
        with serving(folder / "home", port=port, **more) as served:
            yield served


@pytest.fixture
def page(browser, address):
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def sign_in(page, sub: str) -> None:
    page.goto("/data")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_placeholder("sub").fill(sub)
    page.get_by_role("button", name="Authorize").click()


def test_who_has_not_signed_in_sees_no_page(page):
    page.goto("/data")
    page.get_by_role("button", name="Sign in").wait_for()
    assert page.get_by_text(VOTES).count() == 0


def test_the_provider_says_who_somebody_is_and_signing_out_forgets_it(page, address):
    sign_in(page, "1")
    page.get_by_text(ANNA_IS_IN).wait_for()
    assert page.url.startswith(address)
    page.goto("/data")
    page.get_by_text(VOTES).first.wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/end_session**")  # the provider is told too, and asks whether it shall forget as well
    page.goto("/label")
    page.get_by_role("button", name="Sign in").wait_for()


@pytest.mark.parametrize("sub", ["2", "3"])
def test_who_is_not_on_the_list_or_not_vouched_for_does_not_come_in(page, sub):
    sign_in(page, sub)
    page.get_by_text("not on this server's list").wait_for()
    assert page.get_by_text("Signed in as").count() == 0

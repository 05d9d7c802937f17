"""A class on one server: the wall in front of it, and two people behind it who do not meet."""

import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

PASSWORD = "a class of forty"


@pytest.fixture(scope="module")
def hosted(tmp_path_factory, serving):
    """(address, data folder) of a hosted server."""
    home = tmp_path_factory.mktemp("hosted") / "home"
    more = {"RLHF_PLAYGROUND_HOSTED": "1", "RLHF_PLAYGROUND_PASSWORD": PASSWORD, "RLHF_PLAYGROUND_RUNS_EACH": "1"}
    with serving(home, **more) as address:
        yield address, home


@pytest.fixture
def visitor(browser, hosted):
    """A person's own browser, as often as it is asked for."""
    opened = []

    def open_browser():
        opened.append(browser.new_context(base_url=hosted[0], viewport={"width": 1440, "height": 900}))
        opened[-1].set_default_timeout(60_000)
        return opened[-1].new_page()

    yield open_browser
    for context in opened:
        context.close()


def fill(page, password: str, name: str, word: str) -> None:
    page.get_by_label("Password of the class").fill(password)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your own word").fill(word)
    page.get_by_role("button", name="Sign in").click()


def signed_in(page, name: str, path: str = "/label") -> None:
    page.goto(path)
    fill(page, PASSWORD, name, f"the word of {name}")
    page.get_by_text(f"Signed in as {name}").wait_for()


def votes(page) -> str:
    """The number that the Data page counts."""
    page.goto("/data")
    return page.get_by_text(re.compile(r"\d+ comparisons? voted on here")).inner_text().split(" ")[0]


def test_nothing_answers_who_has_not_signed_in(hosted, visitor):
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{hosted[0]}/_stcore/host-config", timeout=20)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(
            urllib.request.Request(f"{hosted[0]}/_stcore/upload_file/a/b", b"x", method="PUT"), timeout=20
        )
    assert urllib.request.urlopen(f"{hosted[0]}/_stcore/health", timeout=20).read() == b"ok"
    page = visitor()
    page.goto("/label?annotator=keys")
    assert page.url.startswith(f"{hosted[0]}/sign-in?next=")
    with pytest.raises(InvalidStatus, match="403"):
        connect(hosted[0].replace("http", "ws") + "/_stcore/stream", origin=hosted[0], open_timeout=20)


def test_a_wrong_password_is_said_and_the_right_one_leads_where_one_wanted(hosted, visitor):
    page = visitor()
    page.goto("/label?again=false")
    fill(page, "another class", "Anna", "the word of anna")
    assert page.get_by_role("alert").inner_text() == "That is not the password of this class."
    assert page.get_by_label("Your name").input_value() == "Anna"
    fill(page, PASSWORD, "Anna", "the word of anna")
    page.get_by_text("Signed in as anna").wait_for()
    assert page.url == f"{hosted[0]}/label?again=false"
    assert "rlhf_playground" not in page.evaluate("document.cookie")  # no script can read it
    page.reload()
    page.get_by_text("Signed in as anna").wait_for()
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Password of the class").wait_for()
    page.goto("/data")
    assert "/sign-in" in page.url


def test_two_people_who_both_call_themselves_me_do_not_meet(hosted, visitor, monkeypatch):
    anna, ben = visitor(), visitor()
    signed_in(anna, "anna")
    anna.get_by_role("button", name="Undo").wait_for()
    before = anna.locator(".st-key-pair_prompt").inner_text()
    anna.keyboard.press("ArrowLeft")
    anna.wait_for_function("old => document.querySelector('.st-key-pair_prompt')?.innerText !== old", arg=before)
    assert votes(anna) == "1"
    with anna.expect_download() as download:
        anna.locator(".st-key-export-jsonl button").first.click()
    assert Path(download.value.path()).read_text().count("anna/me") == 1

    signed_in(ben, "ben")
    ben.get_by_text("0 of 20 comparisons decided").wait_for()
    assert ben.locator(".st-key-pair_prompt").inner_text() == before  # the pool is everybody's
    assert votes(ben) == "0"
    ben.get_by_text("Nobody has voted yet").wait_for()

    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(hosted[1]))
    from core.feedback.store import FeedbackStore
    from core.runs.jobs import LoopJob
    from core.runs.store import RunStore

    assert FeedbackStore().annotators() == ["anna/me"]
    monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", "1")
    from core.hosting.people import acting_as

    with acting_as("anna"):
        hers = RunStore().create(LoopJob(), name="Anna's loop", queued=False)
        RunStore().request(hers.id, "stop")
    anna.goto(f"/runs?show={hers.id}")
    anna.get_by_role("heading", name="Anna's loop").wait_for()
    ben.goto(f"/runs?show={hers.id}")
    ben.get_by_text("Nothing has been trained here yet").wait_for()
    ben.goto(f"/overview?run={hers.id}")
    ben.get_by_text(f"There is no run named {hers.id}").wait_for()
    assert hers.id not in ben.get_by_test_id("stAppViewContainer").inner_text().replace(f"named {hers.id}", "")

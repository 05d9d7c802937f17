"""The pages of a hosted server: what somebody sees who has not signed in, and what a second person sees of a first."""

import pytest
import streamlit as st
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit.testing.v1 import AppTest

from core.database.engine import engine
from core.feedback.interchange import write_preferences
from core.feedback.pairs import PreferencePair
from core.feedback.store import FeedbackStore, NewPair
from core.hosting import people, sign_in
from core.hosting.people import NotSignedInError, acting_as
from core.paths import home
from core.runs.store import RunStore
from pages._parts import signing_in, site, url, wall
from tests.pages.page_helpers import PAGES, a_run, loop_records, opened, said

PASSWORD = "a class of forty"


@pytest.fixture
def sitting(monkeypatch):
    """Who sits in front of the pages: `sitting("anna")` from then on; nobody before."""
    monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", "1")
    monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD", PASSWORD)
    monkeypatch.setattr("core.runs.supervisor.tick", lambda: None)
    monkeypatch.setattr("core.feedback.quartets.bundled_quartets", list)
    sign_in._tries.storage.reset()
    name = []
    monkeypatch.setattr(signing_in, "who", lambda: name[-1] if name else None)
    people.ask_with(lambda: signing_in.who())
    yield name.append
    people.ask_with(None)
    st.set_option("client.showErrorDetails", "full")


@pytest.fixture
def pool(own_home):
    store = FeedbackStore()
    store.add_pairs([NewPair(f"Day {n}:", " good", f" bad {n}", "storyteller", "stories") for n in range(40)], "test")
    return store


def routed() -> AppTest:
    return AppTest.from_file(str(PAGES / "_router.py"), default_timeout=60).run()


def test_who_has_not_signed_in_sees_no_page(sitting):
    at = routed()
    assert "Sign in first" in said(at) and "Overview" not in said(at) and not at.exception
    for name in site._PAGES:
        at = AppTest.from_file(str(PAGES / f"{name}.py"), default_timeout=60).run()
        assert at.exception or "Sign in first." in said(at), name
        assert all("redacted" in error.message for error in at.exception), name  # no traceback, no path


def test_a_vote_is_its_persons_and_nobody_elses(sitting, pool):
    for name, key in (("anna", "vote_left"), ("ben", "vote_right")):
        sitting(name)
        at = opened("label", again="false")
        assert not at.exception and at.button(key=key).click().run()
    with acting_as(""):
        assert {vote.annotator: vote.choice for vote in pool.votes()} == {"anna/me": "left", "ben/me": "right"}
    at = opened("data")
    assert "1 comparisons voted on here" in said(at)
    assert at.selectbox(key="who").options == ["everybody's", "ben/me"]


def test_no_page_says_anything_of_anothers_run_votes_or_data(sitting, pool, tmp_path):
    sitting("anna")
    run = a_run("loop", "finished", loop_records({"kl": 8.75}), run_id="anna-s-run")
    RunStore().rename(run.id, "SECRET run")
    pool.vote(pool.next_pair("anna/SECRET", "storyteller", "stories"), "anna/SECRET", "left")
    write_preferences([PreferencePair("SECRET prompt", " a", " b")], tmp_path / "SECRET.jsonl")
    from core.feedback.interchange import import_preferences

    import_preferences(tmp_path / "SECRET.jsonl", pool)
    for name, words in (("runs", "SECRET run"), ("data", "SECRET")):  # she does see them
        at = opened(name, view="Import")
        assert words in said(at) + str([box.options for box in at.selectbox]), name
    sitting("ben")
    for name in site._PAGES:
        at = AppTest.from_file(str(PAGES / f"{name}.py"), default_timeout=60)
        at.query_params["run"] = at.query_params["show"] = run.id
        at.query_params["model"] = f"{run.id}@1" if name != "ppo" else str(run.folder / "policy")
        at.query_params["who"] = "anna/SECRET"
        at.query_params["reward_votes"] = "anna/SECRET"
        at.query_params["view"] = "Import"
        at.run()
        assert not at.exception, (name, [error.message for error in at.exception])
        seen = said(at) + str([box.options for box in at.selectbox])
        assert "SECRET" not in seen, name


def test_a_hosted_page_shows_no_log_and_offers_no_folder(sitting):
    sitting("anna")
    run = a_run("loop", "failed", loop_records(), error="The loss is not a number.")
    run.log.write_text("Traceback (most recent call last)\n")
    at = opened("runs", show=run.id)
    assert "The loss is not a number." in said(at) and "Traceback" not in said(at)
    at = opened("models")
    assert not at.text_input and "Whoever runs this server" in said(at)
    assert [button.label for button in at.button if button.label == "Fetch it"] in ([], ["Fetch it"])


def test_a_limit_is_said_on_the_page(sitting, monkeypatch):
    monkeypatch.setenv("RLHF_PLAYGROUND_RUNS_EACH", "1")
    sitting("anna")
    stopped = a_run("race", "stopped")
    a_run("race", "queued")
    at = opened("runs", show=stopped.id)
    at = at.button(key="run_resume").click().run()
    assert "You have 1 run waiting or at work, and 1 is the most" in said(at)
    assert RunStore().get(stopped.id).status == "stopped"


def test_the_downloads_thread_acts_for_who_asked(sitting, pool):
    from pages._data.votes import exported

    sitting("anna")
    pool.vote(pool.next_pair("anna/me", "storyteller", "stories"), "anna/me", "left")
    later = people.bound(lambda: exported("", "csv"))
    people.ask_with(lambda: None)  # a thread without a session
    assert b"anna/me" in later()
    with pytest.raises(NotSignedInError):
        exported("", "csv")


class TestProvider:
    @pytest.fixture(autouse=True)
    def provider(self, monkeypatch):
        monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", "1")
        monkeypatch.setenv("RLHF_PLAYGROUND_PEOPLE", "@school.example")

    @pytest.mark.parametrize(
        ("user", "name"),
        [
            ({"is_logged_in": True, "email": "Anna@School.example", "email_verified": True}, "anna@school.example"),
            ({"is_logged_in": True, "email": "a/b@school.example"}, "a_b@school.example"),
            ({"is_logged_in": True, "email": "anna@school.example", "email_verified": False}, None),
            ({"is_logged_in": True, "email": "anna@other.example"}, None),
            ({"is_logged_in": True}, None),
            ({"is_logged_in": False, "email": "anna@school.example"}, None),
        ],
    )
    def test_an_address_that_it_vouches_for_is_a_name(self, monkeypatch, user, name):
        fake = type("User", (dict,), {"is_logged_in": property(lambda self: self["is_logged_in"])})(user)
        monkeypatch.setattr(signing_in.st, "user", fake)
        assert signing_in._of_provider() == name


class TestWall:
    """In front of an app that answers everything with `inside`."""

    @pytest.fixture
    def client(self, sitting, monkeypatch):
        async def inside(scope, receive, send):
            if scope["type"] == "websocket":
                await send({"type": "websocket.accept"})
                await send({"type": "websocket.send", "text": "inside"})
                return
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"inside"})

        engine()
        return TestClient(wall.Wall(inside), base_url="http://class.example", follow_redirects=False)

    def form(self, **changed):
        return {"password": PASSWORD, "name": "Anna", "word": "my own word", "next": "/data?view=Votes"} | changed

    @pytest.mark.parametrize(
        "path",
        ["/", "/label", "/media/abc", "/_stcore/stream", "/static/x.js", "/_stcore/health/x", "/_stcore/healthz"],
    )
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD"])
    def test_nothing_is_reached_from_outside(self, client, path, method):
        assert client.request(method, path).content != b"inside"

    def test_health_is_everybodys(self, client):
        assert client.get("/_stcore/health").content == b"inside"

    def test_signing_in_leads_where_one_wanted_and_lets_one_pass(self, client):
        answer = client.post("/sign-in", data=self.form())
        assert (answer.status_code, answer.headers["location"]) == (303, "/data?view=Votes")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=lax" in cookie and "secure" not in cookie
        assert client.get("/media/abc").content == b"inside"
        kept = {"cookie": f"rlhf_playground={client.cookies['rlhf_playground']}"}
        client.post("/sign-out")
        client.cookies.clear()
        assert client.get("/media/abc").status_code == 401
        assert client.get("/media/abc", headers=kept).status_code == 401  # another tab's, which was open all the while

    @pytest.mark.parametrize("other", ['theme={"dark": true}', "consent[all]=1", "n\xe4me=x", "flag", "x=a b c"])
    def test_another_programs_cookie_keeps_nobody_out(self, client, other):
        """Cookies of one machine are sent to each of its ports, and of a school to each of its servers."""
        client.post("/sign-in", data=self.form())
        sent = f"{other}; rlhf_playground={client.cookies['rlhf_playground']}"
        assert client.get("/media/abc", headers={"cookie": sent.encode("latin-1")}).content == b"inside"

    def test_over_https_the_cookie_never_goes_another_way(self, client):
        answer = client.post("/sign-in", data=self.form(), headers={"x-forwarded-proto": "https"})
        assert "secure" in answer.headers["set-cookie"].lower()

    @pytest.mark.parametrize(
        "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/\r\nx: y"]
    )
    def test_nobody_is_led_away(self, client, wanted):
        assert client.post("/sign-in", data=self.form(next=wanted)).headers["location"] == "/"

    def test_a_database_that_cannot_be_read_is_the_servers_own_matter(self, client, caplog):
        """No traceback, and nothing of the machine to people outside; the reason to whoever runs it."""
        client.post("/sign-in", data=self.form())
        home().joinpath("playground.db").unlink()
        for path in ("/", "/media/abc", "/sign-in"):
            answer = client.get(path)
            assert answer.status_code == 503 and "cannot read its database" in answer.text
            assert "playground.db" not in answer.text
        assert client.get("/_stcore/health").content == b"inside"
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("ws://class.example/ws"):
            pass
        assert "playground.db was removed or replaced" in caplog.text and "Traceback" not in caplog.text

    def test_another_sites_form_is_refused(self, client):
        for origin in ("http://evil.example", "null", "http://class.example.evil.example"):
            for path in ("/sign-in", "/sign-out"):
                assert client.post(path, data=self.form(), headers={"origin": origin}).status_code == 403
        assert client.post("/sign-in", data=self.form(), headers={"origin": "http://class.example"}).status_code == 303

    def test_a_websocket_of_another_page_is_refused(self, client):
        """Our cookie goes with it where only the port is another's."""
        client.post("/sign-in", data=self.form())
        for origin in ("http://class.example:9999", "http://evil.example", "null"):
            with (
                pytest.raises(WebSocketDisconnect),
                client.websocket_connect("ws://class.example/ws", headers={"origin": origin}),
            ):
                pass
        with client.websocket_connect("ws://class.example/ws", headers={"origin": "http://class.example"}) as socket:
            assert socket.receive_text() == "inside"

    def test_a_form_longer_than_any_of_ours_is_not_read(self, client):
        assert client.post("/sign-in", data=self.form(word="x" * 20_000)).status_code == 413

    def test_what_was_typed_is_shown_as_text_and_the_passwords_never(self, client):
        answer = client.post("/sign-in", data=self.form(name='"><script>', password="not it <b>", next='/"><script>'))
        assert answer.status_code == 403 and "<script>" not in answer.text
        assert "not it" not in answer.text and "my own word" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]

    def test_the_eleventh_wrong_password_is_told_to_wait(self, client):
        answers = [client.post("/sign-in", data=self.form(password=f"guess {n}")).status_code for n in range(11)]
        assert answers == [403] * 10 + [429]
        assert client.post("/sign-in", data=self.form()).status_code == 429

    def test_a_forged_or_broken_cookie_is_none(self, client):
        for cookie in ("anna", "", "=", ";;;", "rlhf_playground=; rlhf_playground=anna", 'rlhf_playground="'):
            assert client.get("/", headers={"cookie": f"rlhf_playground={cookie}"}).status_code == 303

    def test_behind_a_path_of_a_proxy(self, sitting, monkeypatch):
        async def inside(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"inside"})

        engine()
        monkeypatch.setattr(url.config, "get_option", lambda name: "/class/")
        client = TestClient(wall.Wall(inside), base_url="http://host.example", follow_redirects=False)
        assert client.get("/class/_stcore/health").content == b"inside"
        assert client.get("/class/label").headers["location"] == "/class/sign-in?next=%2Flabel"
        answer = client.post("/class/sign-in", data=self.form())
        assert answer.headers["location"] == "/class/data?view=Votes" and "Path=/class" in answer.headers["set-cookie"]


def test_without_hosting_there_is_no_wall_and_nobody_is_asked(monkeypatch):
    monkeypatch.delenv("RLHF_PLAYGROUND_HOSTED", raising=False)
    assert wall.middleware() == []
    signing_in.begin()
    people.ask_with(None)
    assert not signing_in.say(RuntimeError("x"))


def test_the_server_does_not_begin_when_anybody_could_come_in(monkeypatch, tmp_path):
    monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="a way to sign in is needed"):
        signing_in.begin()

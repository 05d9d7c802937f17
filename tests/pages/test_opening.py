"""The first answer carries what the first screen says, and every other answer is Streamlit's own."""

import html
import json
import re

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from pages._overview.first_sight import first_sight
from pages._parts.opening import Opening
from tests.pages.page_helpers import opened, said

EMPTY = '<html><body><div id="root"></div></body></html>'


def served(text="<p>seen</p>", page=EMPTY, status=200):
    """A server whose every address answers as Streamlit's do: the same page, with a version to ask for it again by."""

    def answer(request):
        if request.headers.get("if-none-match") == '"1"':
            return HTMLResponse(status_code=304)
        return HTMLResponse(page, status, {"ETag": '"1"', "Last-Modified": "Mon, 30 Nov 2026 12:00:00 GMT"})

    app = Starlette(routes=[Route("/{rest:path}", answer)], middleware=[Middleware(Opening, text=lambda: text)])
    return TestClient(app)


def test_the_text_stands_beside_the_apps_element():
    answer = served().get("/")
    assert answer.text == EMPTY.replace("</div>", "</div><p>seen</p>")
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_browser_that_has_streamlits_file_is_given_the_text_all_the_same():
    """The file's version says nothing of what is put into it."""
    answer = served().get("/", headers={"If-None-Match": '"1"'})
    assert answer.status_code == 200
    assert "<p>seen</p>" in answer.text
    assert not {"etag", "last-modified"} & set(answer.headers)


@pytest.mark.parametrize("address", ["/label", "/?run=20261130-1", "/?embed=true", "/_stcore/health"])
def test_any_other_address_is_answered_as_before(address):
    answer = served().get(address)
    assert answer.text == EMPTY
    assert answer.headers["etag"] == '"1"'


@pytest.mark.parametrize("unlike", [{"page": "<html></html>"}, {"page": EMPTY * 2}, {"status": 503}, {"text": ""}])
def test_a_page_that_is_not_as_expected_stays_as_it_is(unlike):
    assert served(**unlike).get("/").text == unlike.get("page", EMPTY)


def test_an_answer_in_pieces_is_put_together():
    pieces = [EMPTY[:20], EMPTY[20:]]
    app = Starlette(
        routes=[Route("/", lambda _: StreamingResponse(iter(pieces), media_type="text/html"))],
        middleware=[Middleware(Opening, text=lambda: "<p>seen</p>")],
    )
    assert "<p>seen</p>" in TestClient(app).get("/").text


def test_what_is_seen_first_is_what_the_page_then_says():
    at = opened("overview")
    sight = first_sight()
    (title,) = at.title
    assert f"<h1>{html.escape(title.value)}</h1>" in sight
    plain = re.sub(r"<span class=\"term\"[^>]*>(.*?)</span>", r"\1", said(at))
    claim = re.search(r'<p class="claim">.*?</p>', sight)[0]
    assert claim in plain
    cards = re.findall(r'<figure class="card .*?</figure>', sight, re.DOTALL)
    assert len(cards) == 2
    assert all(card in said(at) for card in cards)
    told = json.loads(re.search(r'<script type="application/json">(.*?)</script>', sight, re.DOTALL)[1])
    (component,) = at.get("bidi_component")
    assert told["words"] == json.loads(component.proto.json)


def test_a_text_of_a_model_ends_no_script_and_begins_no_tag(monkeypatch):
    from core.gallery import load_entry

    entry = load_entry("loop")
    evil = "</script><script>alert(1)</script>"
    example = entry["examples"][0] | {"tuned_response": evil}
    monkeypatch.setattr(
        "pages._overview.first_sight.load_entry",
        lambda _: entry | {"model": evil, "examples": [example] * len(entry["examples"])},
    )
    sight = first_sight()
    assert "alert(1)" in sight
    assert sight.count("<script") == sight.count("</script>") == 2


def test_without_a_cached_loop_there_is_nothing_to_see(monkeypatch):
    monkeypatch.setattr("pages._overview.first_sight.load_entry", lambda _: None)
    assert first_sight() == ""

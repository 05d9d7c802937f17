"""In front of a hosted server: nothing but the sign-in page and the health check answers those who have not signed in.

It sees requests before Streamlit does, so that neither a page nor a websocket, an upload or a file is reached without
the cookie. Where people sign in with a provider, Streamlit's own cookie says who they are, and there is no wall.
"""

import logging
from urllib.parse import parse_qs, quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import PlaygroundError
from core.hosting import mode
from pages._parts.sign_in_page import sign_in_page, sign_out_page
from pages._parts.url import base_path

COOKIE = "rlhf_playground"
SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
_HEALTH = "/_stcore/health"
_NOT_FOR_PEOPLE = ("/_stcore/", "/media/", "/component/", "/static/", "/auth/")
_MOST_BYTES = 8192

_log = logging.getLogger("rlhf_playground")


def middleware() -> list[Middleware]:
    """The wall, where there is to be one."""
    return [Middleware(Wall)] if mode.is_hosted() and not mode.signs_in_elsewhere() else []


def person_in(cookies: str) -> str | None:
    """Whose the `Cookie` header is; None for nobody who has signed in."""
    from core.hosting.sign_in import person_of

    token = _token_in(cookies)
    return person_of(token) if token else None


def _token_in(cookies: str) -> str:
    """Our cookie, read as the pages behind the wall read it: Python's own parser gives up all cookies for one of
    another program's that keeps to no rules."""
    return cookie_parser(cookies).get(COOKIE, "")


class Wall:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._base = base_path()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(self._base) or "/"
        if path == _HEALTH:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            person = person_in(headers.get("cookie", ""))
        except PlaygroundError as error:
            _log.error("Nobody can be told from anybody: %s", error)
            await _out_of_order(scope)(scope, receive, send)
            return
        if path in (SIGN_IN, SIGN_OUT) and scope["type"] == "http":
            response = await self._answer(path, person, scope, headers, receive)
            await response(scope, receive, send)
        elif scope["type"] == "websocket" and (person is None or not _same_site(headers)):
            await _refuse(scope, receive, send)
        elif person is not None:
            await self._app(scope, receive, send)
        else:
            await self._turned_away(path, scope)(scope, receive, send)

    def _turned_away(self, path: str, scope: Scope) -> Response:
        if scope["method"] != "GET" or path.startswith(_NOT_FOR_PEOPLE):
            return PlainTextResponse("Sign in first.", 401)
        wanted = path + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
        return RedirectResponse(f"{self._base}{SIGN_IN}?next={quote(wanted, safe='')}", 303)

    async def _answer(
        self, path: str, person: str | None, scope: Scope, headers: Headers, receive: Receive
    ) -> Response:
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("next", ["/"])[0]
        if scope["method"] == "GET":
            if path == SIGN_OUT:
                return _page(sign_out_page(person or "", self._base + SIGN_OUT))
            return self._home(asked) if person else _page(sign_in_page(self._base + SIGN_IN, asked))
        if scope["method"] != "POST" or not _same_site(headers):
            return PlainTextResponse("Refused.", 403)
        if path == SIGN_OUT:
            from core.hosting.sign_in import sign_out

            sign_out(_token_in(headers.get("cookie", "")))
            return self._with_cookie(RedirectResponse(self._base + SIGN_IN, 303), "", 0, scope, headers)
        form = await _form(receive)
        return PlainTextResponse("Too long.", 413) if form is None else await self._signed_in(form, scope, headers)

    async def _signed_in(self, form: dict[str, str], scope: Scope, headers: Headers) -> Response:
        from core.hosting.sign_in import HOURS, TooManyTriesError, sign_in

        address = (scope.get("client") or ("nobody",))[0]
        typed = [form.get(field, "") for field in ("password", "name", "word")]
        wanted = form.get("next", "/")
        try:
            token = await run_in_threadpool(sign_in, *typed, address)
        except PlaygroundError as error:
            status = 429 if isinstance(error, TooManyTriesError) else 403
            return _page(sign_in_page(self._base + SIGN_IN, wanted, typed[1], str(error)), status)
        return self._with_cookie(self._home(wanted), token, HOURS * 3600, scope, headers)

    def _home(self, wanted: str) -> Response:
        """Where they wanted to go, if that is here."""
        inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
        return RedirectResponse(self._base + (wanted if inside else "/"), 303)

    def _with_cookie(self, response: Response, token: str, seconds: int, scope: Scope, headers: Headers) -> Response:
        secure = scope["scheme"] == "https" or headers.get("x-forwarded-proto", "").split(",")[0].strip() == "https"
        response.set_cookie(
            COOKIE, token, max_age=seconds, path=self._base or "/", secure=secure, httponly=True, samesite="lax"
        )
        return response


def _out_of_order(scope: Scope) -> ASGIApp:
    """What the machine's own fault is stands in its log: people outside are told no more than that there is one."""
    if scope["type"] == "websocket":
        return _refuse
    return PlainTextResponse("The server cannot read its database. Whoever runs it finds the reason in its log.", 503)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Close a websocket that has not been opened."""
    await send({"type": "websocket.close", "code": 1008})


def _page(text: str, status: int = 200) -> Response:
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    )
    return HTMLResponse(text, status, {"Content-Security-Policy": policy, "Cache-Control": "no-store"})


def _same_site(headers: Headers) -> bool:
    """Whether a form or a websocket comes from a page of ours: another's can neither sign anybody in or out nor act as
    whoever has. Streamlit lets any page of this machine do so, whatever its port, and browsers send cookies to it."""
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


async def _form(receive: Receive) -> dict[str, str] | None:
    """The fields of a posted form; None when it is longer than any that we have sent."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MOST_BYTES:
            return None
        if not message.get("more_body"):
            try:
                fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=16)
            except ValueError:  # more fields than that
                return None
            return {name: values[0] for name, values in fields.items()}

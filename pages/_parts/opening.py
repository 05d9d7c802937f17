"""The first answer of all: Streamlit's empty page, with what the first screen says already in it."""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages._parts.url import base_path

_ROOT = b'<div id="root"></div>'  # where Streamlit draws
_CONDITIONS = (b"if-none-match", b"if-modified-since", b"accept-encoding", b"range")


class Opening:
    """ASGI middleware: puts a text beside Streamlit's own element of the first page, if that is what is asked for.

    Any other address, and the first page with anything behind a question mark, is answered as before: what it shows
    depends on more than is known here.
    """

    def __init__(self, app: ASGIApp, text: Callable[[], str]) -> None:
        """`text`: HTML, asked for when it is first needed; an empty one leaves the page as it is."""
        self._app, self._text = app, text
        self._first = f"{base_path()}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != self._first or scope["query_string"]:
            await self._app(scope, receive, send)
            return
        # Whole and as it is: an answer that names a version of Streamlit's file says nothing of ours.
        asked = [(name, value) for name, value in scope["headers"] if name.lower() not in _CONDITIONS]
        begun: Message = {}
        body = b""

        async def with_text(message: Message) -> None:
            nonlocal begun, body
            if message["type"] == "http.response.start":
                begun = message
            elif message["type"] == "http.response.body":
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await self._send(begun, body, send)
            else:
                await send(message)

        await self._app({**scope, "headers": asked}, receive, with_text)

    async def _send(self, begun: Message, body: bytes, send: Send) -> None:
        headers = MutableHeaders(raw=list(begun["headers"]))
        if begun["status"] == 200 and body.count(_ROOT) == 1:
            body = body.replace(_ROOT, _ROOT + self._text().encode())
            headers["content-length"] = str(len(body))
            for name in ("etag", "last-modified"):
                if name in headers:
                    del headers[name]
        await send({**begun, "headers": headers.raw})
        await send({"type": "http.response.body", "body": body})

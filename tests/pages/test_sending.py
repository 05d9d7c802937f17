"""Answers leave at once: on sockets as Streamlit binds them, over connections as a browser opens them."""

import asyncio
import socket
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from pages._parts.sending import send_at_once


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["ipv4", "ipv6"])
def listening(request):
    with socket.socket(family=request.param) as one:  # no protocol named: asyncio's own care passes it by
        try:
            one.bind(("127.0.0.1" if request.param == socket.AF_INET else "::1", 0))
        except OSError as error:
            pytest.skip(f"no such address here: {error}")
        one.listen()
        one.setblocking(False)
        yield one


def accepted(listening: socket.socket) -> socket.socket:
    """The server's end of a connection, as asyncio's server accepts it."""
    ends: list[socket.socket] = []

    async def connect() -> None:
        server = await asyncio.start_server(
            lambda _, writer: ends.append(writer.get_extra_info("socket")._sock.dup()), sock=listening.dup()
        )
        _, writer = await asyncio.open_connection(*listening.getsockname()[:2])
        while not ends:
            await asyncio.sleep(0.01)
        writer.close()
        server.close()

    with ThreadPoolExecutor(1) as thread:  # this one's event loop may be a browser's
        thread.submit(asyncio.run, connect()).result()
    return ends[0]


def waits(end: socket.socket) -> bool:
    with end:
        return end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0


def test_connections_to_come_do_not_wait_for_acknowledgement(listening):
    if not waits(accepted(listening)):
        pytest.skip("asyncio sees to it itself here")
    send_at_once()
    assert not waits(accepted(listening))


def test_an_object_that_cannot_be_asked_what_it_is_is_passed_by(listening):
    class Gone:
        __slots__ = ("__weakref__",)

    target = Gone()
    hollow = [weakref.proxy(target)]
    del target
    with pytest.raises(ReferenceError):
        isinstance(hollow[0], socket.socket)
    send_at_once()
    assert not waits(accepted(listening))


def test_other_sockets_are_left_alone(listening):
    with socket.socket() as idle, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        closed = socket.socket()
        closed.close()
        datagrams.bind(("127.0.0.1", 0))
        send_at_once()
        assert waits(idle.dup())

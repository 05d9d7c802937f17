"""What the server has to say leaves at once, in however many pieces.

Streamlit binds its socket without naming the protocol, and asyncio then leaves Nagle's algorithm on
(https://github.com/Kludex/uvicorn/issues/3149): the second piece of an answer waits until the browser has acknowledged
the first, which browsers put off for 40 ms. A first page is a hundred files.
"""

import gc
import socket


def send_at_once() -> None:
    """Turn Nagle's algorithm off for every connection to come, on all TCP sockets this process listens on."""
    for one in gc.get_objects():
        # By its type: `isinstance` asks an object what it is, and among all there are, some fall over being asked.
        if issubclass(type(one), socket.socket) and _listens(one):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is accepted inherits it


def _listens(one: socket.socket) -> bool:
    if one.fileno() < 0 or one.family not in (socket.AF_INET, socket.AF_INET6) or one.type != socket.SOCK_STREAM:
        return False
    return bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))

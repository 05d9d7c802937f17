"""A browser without a screen: one session on the app's server, over HTTP and its websocket.

It speaks what Streamlit's own front end speaks (the protobuf messages of `streamlit.proto`), so that the server does
for it all that it does for a person: a session, the script, the widgets' callbacks. What it does not do is draw.
"""

import math
import time
import urllib.request
from collections.abc import Callable
from typing import Any, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.sync.client import ClientConnection, connect

Path = tuple[int, ...]


class Session:
    """One visitor on one page. Raises ConnectionError or a websockets exception when the server goes away."""

    def __init__(self, address: str, page: str, query: str = "", patience: float = 60.0) -> None:
        """`address` as http://host:port; `query` as it stands in the URL, without the question mark."""
        self._page, self._query, self._patience = page, query, patience
        self._hash = ""
        self.elements: dict[Path, Any] = {}  # by place on the page; what was there before the last run is gone
        urllib.request.urlopen(f"{address}/{page}", timeout=patience).read()
        self._socket: ClientConnection = connect(
            f"ws{address.removeprefix('http')}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
            open_timeout=patience,
            compression=None,
        )
        self.seconds = self._run()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave, as closing the tab does."""
        self._socket.close()

    def click(self, key: str, until: Callable[[Self], bool] | None = None) -> float:
        """Press the button with this key; the seconds until the page is whole again, or until `until` first holds.

        Infinity when the page is whole and it never held.
        """
        found = next(e.button for e in self.of_kind("button") if e.button.id.endswith(f"-{key}"))
        return self._run(WidgetState(id=found.id, trigger_value=True), until=until)

    def of_kind(self, kind: str) -> list[Any]:
        """The elements of one kind, in the order of the page."""
        return [one for _, one in sorted(self.elements.items()) if one.WhichOneof("type") == kind]

    def texts(self) -> list[str]:
        """What st.html, st.markdown and st.caption have put on the page, in its order."""
        kinds = {"html": "body", "markdown": "body", "text": "body", "alert": "body"}
        found = ((one, one.WhichOneof("type")) for _, one in sorted(self.elements.items()))
        return [getattr(getattr(one, kind), kinds[kind]) for one, kind in found if kind in kinds]

    def errors(self) -> list[str]:
        """Tracebacks on the page."""
        return [f"{one.exception.type}: {one.exception.message}" for one in self.of_kind("exception")]

    def listen(self, seconds: float) -> None:
        """Take in what the server sends by itself (fragments that run every second) for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                self._take(self._socket.recv(timeout=left))
            except TimeoutError:
                return

    def _run(self, *pressed: WidgetState, until: Callable[[Self], bool] | None = None) -> float:
        """Send a rerun, and take messages until the script has finished."""
        state = ClientState(
            query_string=self._query, page_script_hash=self._hash, widget_states=WidgetStates(widgets=pressed)
        )
        if not self._hash:
            state.page_name = self._page
        began = time.monotonic()
        self._socket.send(BackMsg(rerun_script=state).SerializeToString())
        met = None
        while time.monotonic() < began + self._patience:
            message = self._take(self._socket.recv(timeout=self._patience))
            if until is not None and met is None and message.HasField("delta") and until(self):
                met = time.monotonic() - began
            if message.WhichOneof("type") == "script_finished" and message.script_finished in (0, 1):
                return time.monotonic() - began if until is None else math.inf if met is None else met
        raise TimeoutError(f"the page {self._page} was not whole within {self._patience:.0f} s")

    def _take(self, data: str | bytes) -> ForwardMsg:
        message = ForwardMsg()
        message.ParseFromString(data)  # type: ignore[arg-type]
        kind = message.WhichOneof("type")
        if kind == "new_session":
            if not message.metadata.run.fragment_ids:  # a fragment draws only its own part anew
                self.elements = {}
        elif kind == "navigation":
            self._hash = message.navigation.page_script_hash
        elif kind == "delta":
            place = tuple(message.metadata.delta_path)
            if message.delta.WhichOneof("type") == "new_element":
                self.elements[place] = message.delta.new_element
        return message

"""The last signals of a process: the first one lets the update end, so that nothing of it is lost."""

import contextlib
import logging
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from core.processes import is_main

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def last_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM or Ctrl-C sets, once each: the next of its kind acts as it always does.

    A launcher of several processes passes Ctrl-C on as a SIGTERM behind it: that is no second wish.
    """
    leaving = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield leaving
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def leave(number: int, frame: FrameType | None) -> None:
        signal.signal(number, before[signal.Signals(number)])
        if is_main() and not leaving.is_set():
            _log.warning("Ending this update and saving it; once more to stop at once.")
        leaving.set()

    for number in before:
        signal.signal(number, leave)
    try:
        yield leaving
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

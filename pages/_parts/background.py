"""What the server does besides answering: start queued runs every second, and load torch once somebody has a page."""

import gc
import logging
import threading

from core.errors import PlaygroundError

log = logging.getLogger("rlhf_playground")

_stopped = threading.Event()
_page_served = threading.Event()


def start() -> None:
    """Start both threads. They are daemons: they never keep a server alive."""
    # Here and whole (0.4 s): a page importing from it while a thread still does gets it half made, and an ImportError.
    import transformers  # noqa: F401

    _stopped.clear()
    threading.Thread(target=_tick, name="supervisor", daemon=True).start()
    threading.Thread(target=_warm, name="warm-up", daemon=True).start()


def stop() -> None:
    """Ask both to end, and let go of the database. Training runs on: a worker outlives its server, and the next server
    adopts it."""
    from core.database.engine import close_all

    _stopped.set()
    _page_served.set()
    close_all()


def page_served() -> None:
    """Called when a page has been drawn: from now on the processor may be used for loading."""
    _page_served.set()


def _tick() -> None:
    from core.runs import supervisor

    said = ""
    while not _stopped.wait(1.0):
        try:
            supervisor.tick()
            said = ""
        except Exception as error:  # a database locked for a moment must not end the queue for good
            if repr(error) != said:  # once, and not each second until the disk is full of it
                meant = isinstance(error, PlaygroundError)  # a sentence says all that there is to know
                log.error("Could not look after the queue of runs, trying on: %s", error, exc_info=not meant)
            said = repr(error)


def _warm() -> None:
    _page_served.wait()
    if _stopped.wait(1.0):  # let the browser fetch and paint first: importing holds the interpreter for seconds
        return
    import torch  # noqa: F401
    from transformers import PreTrainedModel  # noqa: F401

    # Streamlit collects garbage behind every run of a page, holding the interpreter: 0.2 s with these two loaded, for
    # every click of everybody. What is loaded stays, and need not be looked through again: now, and what the first
    # pages have brought a while later. Three times at most, for a cycle that is frozen while in use is never freed.
    for pause in (0.0, 60.0, 300.0):
        if _stopped.wait(pause):
            return
        gc.collect()
        gc.freeze()

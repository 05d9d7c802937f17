"""What the server does besides answering: start queued runs every second, and load torch once somebody has a page."""

import logging
import threading

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
    """Ask both to end. Training runs on: a worker outlives its server, and the next server adopts it."""
    _stopped.set()
    _page_served.set()


def page_served() -> None:
    """Called when a page has been drawn: from now on the processor may be used for loading."""
    _page_served.set()


def _tick() -> None:
    from core.runs import supervisor

    while not _stopped.wait(1.0):
        try:
            supervisor.tick()
        except Exception:  # a database locked for a moment must not end the queue for good
            log.exception("Could not look after the queue of runs; trying again in a second")


def _warm() -> None:
    _page_served.wait()
    if _stopped.wait(1.0):  # let the browser fetch and paint first: importing holds the interpreter for seconds
        return
    import torch  # noqa: F401
    from transformers import PreTrainedModel  # noqa: F401

"""A run that never ends must not hold the others up for ever: each update has a time in which it must be done."""

import threading
import time
from collections.abc import Callable
from typing import Self

from core.environment import number_above_zero
from core.errors import PlaygroundError

_MINUTES = "RLHF_PLAYGROUND_UPDATE_MINUTES"
_STOP_SECONDS = 600.0  # from a wish to stop until an update that does not end is broken off
_LOOK_SECONDS = 5.0


def update_seconds() -> float:
    """How long one update may take, in seconds: RLHF_PLAYGROUND_UPDATE_MINUTES, else two hours."""
    return 60 * number_above_zero(_MINUTES, 120, "minutes")


class Watchdog:
    """A thread that calls `broken_off` with a reason when no `sign_of_life` has come for too long.

    A thread and not a signal: an update that hangs inside a library's own code would never see one.
    """

    def __init__(
        self, longest: float, wishes: Callable[[], str | None], broken_off: Callable[[str, bool], None]
    ) -> None:
        """`longest`: seconds an update may take. `wishes`: what is asked of the run. `broken_off(reason, stopped)`."""
        self._longest, self._wishes, self._broken_off = longest, wishes, broken_off
        self._last = time.monotonic()
        self._over = threading.Event()
        self._stop_since: float | None = None
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._last = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def sign_of_life(self) -> None:
        """An update has ended, or the run waits on purpose."""
        self._last = time.monotonic()
        self._stop_since = None

    def _watch(self) -> None:
        while not self._over.wait(min(_LOOK_SECONDS, self._longest / 4)):
            now = time.monotonic()
            if now - self._last > self._longest:
                self._broken_off(
                    f"An update did not end within {self._longest / 60:g} minutes: make it smaller (shorter responses, "
                    f"fewer of them, a smaller model), or give it longer with {_MINUTES}.",
                    False,
                )
                return
            if self._asked_to_stop(now):
                self._broken_off(
                    f"Stopped in the middle of an update that did not end within {_STOP_SECONDS / 60:g} minutes of the "
                    "wish to stop.",
                    True,
                )
                return

    def _asked_to_stop(self, now: float) -> bool:
        try:
            wish = self._wishes()
        except PlaygroundError:  # the database is busy: ask again
            return False
        if wish != "stop":
            self._stop_since = None
        elif self._stop_since is None:
            self._stop_since = now
        return self._stop_since is not None and now - self._stop_since > _STOP_SECONDS

"""How the threads of one computation wait for each other when something else wants the processor too."""

import os

_SPINS = "1000"  # turns of an empty loop, some ten microseconds, before a thread that waits lets the processor go


def wait_briefly() -> None:
    """From now on, threads of torch in this process and in those it starts; to be called before torch is loaded.

    GNU's OpenMP lets a waiting thread turn in place for milliseconds. Where a browser shows what is being trained on
    two cores, that is time the other thread is waiting for: there sampling takes a half to a third of the time with
    this, and on an idle machine the same as before. What the environment says already (`GOMP_SPINCOUNT`) stays.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)

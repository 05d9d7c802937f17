"""A process that carries out one run: `python -m core.runs.worker RUN_ID`. It outlives the server that started it.

With `--out-of-turn` (on a cluster, which has made room for it) it does not wait for other runs on its machine.
"""

import os
import sys

from core.runs.recorder import execute

OUT_OF_TURN = "--out-of-turn"
_NICENESS = 10  # the person at the screen, voting and reading, goes first


def main(run_id: str, *options: str) -> int:
    """Carry out the run if it is queued and its turn is free. The exit code is 0 even for a run that fails: its row
    says so; anything else means that the run could not be begun."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    execute(run_id, from_queue=True, in_turn=OUT_OF_TURN not in options)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

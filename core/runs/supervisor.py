"""Starting workers, one training run at a time. Importing this costs nothing: no torch.

Any number of servers on one data folder may run a supervisor. Nothing here decides who may train: the locks do, which
the workers take. Two supervisors that start the same queued run at the same moment start two processes, of which one
gets the run's lock and the other leaves without a word. Whoever starts later reads the same locks and rows, and so has
adopted the workers of servers that are gone.
"""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from core.hosting import limits
from core.hosting.people import acting_as
from core.runs import branching, locks
from core.runs.job import Job
from core.runs.jobs import JOBS
from core.runs.journal import Journal
from core.runs.store import Run, RunStore

WORKER = (sys.executable, "-m", "core.runs.worker")

_MOST_KILLED = 5
_killed: Counter[str] = Counter()  # run -> workers in a row that a signal ended before they had begun
_workers: dict[str, subprocess.Popen[bytes]] = {}  # this process's children: only their parent can bury them
_mutex = threading.Lock()


def submit(job: Job, name: str = "", run_id: str | None = None) -> str:
    """Queue a run of `job`, start it if nothing trains, and return its id at once."""
    run = RunStore().create(job, run_id=run_id, name=name)
    tick()
    return run.id


def pause(run_id: str) -> None:
    """Hold the run at the end of its update, in memory, leaving the turn to others."""
    RunStore().request(run_id, "pause")


def stop(run_id: str) -> None:
    """End the run at the end of its update. It can be resumed later."""
    RunStore().request(run_id, "stop")


def step(run_id: str) -> None:
    """Let a paused run do one update and pause again behind it."""
    RunStore().request(run_id, "step")


def resume(run_id: str) -> None:
    """Go on with a paused run, or queue one that was stopped, interrupted or has failed: from its newest checkpoint."""
    RunStore().request(run_id, "resume")
    tick()


def branch(run_id: str, at: int | None = None, changes: Mapping[str, float] | None = None) -> str:
    """Queue a new run that goes on from a kept checkpoint of `run_id`, and return its id: see core.runs.branching."""
    new = branching.branch(run_id, at=at, changes=changes)
    resume(new.id)
    return new.id


def tick() -> None:
    """Start what is to be started now; to be called every second or so by each server."""
    with _mutex, acting_as(""):  # the queue is everybody's
        store = RunStore()
        _bury(store)
        queue = [run for run in store.queue() if not locks.is_alive(run.id)]
        aside = [run for run in queue if run.kind in JOBS and not JOBS[run.kind].queued]
        for run in aside[: _free_beside(store) if aside else 0]:
            _start(run)
        training = [run for run in queue if run.kind not in JOBS or JOBS[run.kind].queued]
        if training and not locks.is_training():
            _start(training[0])


def _free_beside(store: RunStore) -> int | None:
    """How many more runs may start that take no turn; None: any number."""
    most = limits.writers()
    if most is None:
        return None
    on_the_way = {run_id for run_id, worker in _workers.items() if worker.poll() is None}
    kinds = [kind for kind, job in JOBS.items() if not job.queued]
    going = {run.id for kind in kinds for run in store.list(kind) if run.status == "running" or run.id in on_the_way}
    return max(0, most - len(going))


def _start(run: Run) -> None:
    if run.id in _workers:  # on its way to the lock
        return
    with run.log.open("ab") as log:
        _workers[run.id] = _launch([*WORKER, run.id], log)


def _launch(command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """A process of its own session, which neither Ctrl-C in the server's terminal nor the server's end reaches."""
    here = str(Path(__file__).resolve().parents[2])  # the worker must find `core` wherever the server was started from
    paths = os.pathsep.join(path for path in (here, os.environ.get("PYTHONPATH")) if path)
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.BELOW_NORMAL_PRIORITY_CLASS
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        close_fds=True,  # not the server's socket: the next server needs its port
        creationflags=flags,
        env={**os.environ, "PYTHONPATH": paths},
    )


def _bury(store: RunStore) -> None:
    """Forget the workers that have ended. A run whose worker could not begin has failed: it would start for ever.

    One that a signal ended on its way (somebody's kill, the system out of memory) is started again, a few times.
    """
    for run_id, worker in list(_workers.items()):
        code = worker.poll()
        if code is None:
            continue
        del _workers[run_id]
        # One that did begin and was killed has left a run to be resumed, and may find it queued again already.
        stuck = [run for run in store.queue() if run.id == run_id and run.pid != worker.pid] if code else []
        _killed[run_id] = _killed[run_id] + 1 if stuck and code < 0 else 0
        for run in stuck if _killed[run_id] in (0, _MOST_KILLED) else ():
            with locks.trying(locks.run_lock(run_id)) as idle:
                if idle:
                    words = f"The worker could not start (exit code {code}): {run.log} says why."
                    if code < 0:
                        words = (
                            f"The worker was killed {_MOST_KILLED} times before it could begin (signal {-code}): is "
                            "there enough memory? Resume the run to try again."
                        )
                    Journal(store.engine, run_id).end("failed", run.step, words)

"""Starting workers, one training run at a time. Importing this costs nothing: no torch.

Any number of servers on one data folder may run a supervisor. Nothing here decides who may train: the locks do, which
the workers take. Two supervisors that start the same queued run at the same moment start two processes, of which one
gets the run's lock and the other leaves without a word. Whoever starts later reads the same locks and rows, and so has
adopted the workers of servers that are gone.
"""

import sys
import threading
from collections import Counter
from collections.abc import Mapping

from core.errors import PlaygroundError
from core.hosting import limits
from core.hosting.people import acting_as
from core.runs import branching, locks
from core.runs.job import Job
from core.runs.jobs import JOBS
from core.runs.journal import Journal
from core.runs.launchers import Launcher, LocalProcesses, Worker, launcher
from core.runs.store import Run, RunStore

WORKER = (sys.executable, "-m", "core.runs.worker")

_MOST_KILLED = 5
_killed: Counter[str] = Counter()  # run -> workers in a row that a signal ended before they had begun
_workers: dict[str, Worker] = {}  # this process's children: only their parent can bury them
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
            _start(store, run, LocalProcesses())
        training = [run for run in queue if run.kind not in JOBS or JOBS[run.kind].queued]
        starting = launcher()
        for run in training[: starting.at_once]:
            if starting.has_room():
                _start(store, run, starting)


def _free_beside(store: RunStore) -> int | None:
    """How many more runs may start that take no turn; None: any number."""
    most = limits.writers()
    if most is None:
        return None
    on_the_way = {run_id for run_id, worker in _workers.items() if worker.poll() is None}
    kinds = [kind for kind, job in JOBS.items() if not job.queued]
    going = {run.id for kind in kinds for run in store.list(kind) if run.status == "running" or run.id in on_the_way}
    return max(0, most - len(going))


def _start(store: RunStore, run: Run, starting: Launcher) -> None:
    if run.id in _workers:  # on its way to the lock
        return
    try:
        _workers[run.id] = starting.start(run.id, list(WORKER), run.log)
    except PlaygroundError as error:
        Journal(store.engine, run.id).end("failed", run.step, str(error))


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
        queued = store.queue() if code else []
        stuck = [run for run in queued if run.id == run_id and (run.pid is None or run.pid != worker.pid)]
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

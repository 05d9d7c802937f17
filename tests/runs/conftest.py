import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # helpers, and the job that workers run as a script

import walk_job

from core.runs import recorder, supervisor
from core.runs.store import RunStore


@pytest.fixture
def store(database: str, monkeypatch) -> RunStore:
    """The runs' store, in each kind of database; workers find the same one."""
    monkeypatch.setenv("RLHF_PLAYGROUND_DB", database)
    return RunStore()


@pytest.fixture
def walk_workers(monkeypatch) -> Iterator[None]:
    """The supervisor starts workers that know the walk; those still there at the end are stopped."""
    monkeypatch.setattr(supervisor, "WORKER", (sys.executable, walk_job.__file__))
    yield
    for child in list(supervisor._workers.values()):
        child.kill()
        child.wait()
    supervisor._workers.clear()


@pytest.fixture
def execute_in_child() -> Iterator[Callable[..., int]]:
    """Execute a run in a forked process, which has torch already, and give its pid; `prepare` runs in it first."""
    children: list[int] = []

    def start(run_id: str, prepare: Callable[[], Any] = lambda: None, **options: Any) -> int:
        import torch  # once, for all children

        pid = os.fork()
        if pid:
            children.append(pid)
            return pid
        try:
            torch.set_num_threads(1)  # the threads that the parent has used are not here, and would be waited for
            prepare()
            recorder.execute(run_id, **options)
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
        os._exit(0)

    yield start
    for pid in children:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass

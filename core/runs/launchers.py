"""Where a run's worker is started: as a process on this machine, or as a job of a Ray cluster.

Neither decides who carries a run out: the worker claims it in the database, and one that comes second leaves.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Protocol

from core.environment import number_from_zero
from core.errors import PlaygroundError
from core.paths import child_environment, database_url, home
from core.runs import locks

_TAKEN_ALONG = (  # settings that a worker on a cluster keeps
    *("PRECISION", "RUN_MB", "CHECKPOINT_SECONDS", "UPDATE_MINUTES"),
    *("HOSTED", "MODELS"),  # a person's run opens no more there than here
)


def needs_a_server(url: str) -> bool:
    """Whether the database at `url` is a file, which other machines cannot share."""
    return url.startswith("sqlite")


class Worker(Protocol):
    """A worker on its way or at work. `pid`: its process number on this machine, None on another one."""

    @property
    def pid(self) -> int | None:
        """Its process number."""

    def poll(self) -> int | None:
        """Its exit code once it has ended (negative: a signal ended it), None until then."""


class Launcher(Protocol):
    """Starts workers."""

    at_once: int | None  # training runs that are started at one look at the queue; None: all that wait

    def has_room(self) -> bool:
        """Whether a training run may be started now."""

    def start(self, run_id: str, command: list[str], log: Path) -> Worker:
        """Start `command RUN_ID`, what it says going to `log`. Raises PlaygroundError when that cannot be."""


def launcher() -> Launcher:
    """This machine's processes, or those of the Ray cluster that `RLHF_PLAYGROUND_RAY` names."""
    address = os.environ.get("RLHF_PLAYGROUND_RAY")
    return RayJobs(address) if address else LocalProcesses()


class LocalProcesses:
    """Workers as processes of this machine, one training run at a time."""

    at_once: int | None = 1

    def has_room(self) -> bool:
        """Whether no run has its turn."""
        return not locks.is_training()

    def start(self, run_id: str, command: list[str], log: Path) -> Worker:
        """A process of its own, which outlives this one."""
        with log.open("ab") as file:
            return launch([*command, run_id], file)


def launch(command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """A process of its own session, which neither Ctrl-C in the server's terminal nor the server's end reaches."""
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
        env=child_environment(),
    )


class RayJobs:
    """Workers as jobs of a Ray cluster (the optional package `ray[default]`), as many at once as it has room for.

    The program must be installed on its machines, which share the database, a PostgreSQL server, and the data folder
    under the same path. Each job asks for `RLHF_PLAYGROUND_RAY_CPUS` (1) and `RLHF_PLAYGROUND_RAY_GPUS` (0).
    """

    at_once: int | None = None

    def __init__(self, address: str, client: Any = None) -> None:
        """`address`: of the cluster's dashboard, such as http://127.0.0.1:8265."""
        self._address = address
        self._client = client

    def has_room(self) -> bool:
        """Ray makes a job wait until there is."""
        return True

    def start(self, run_id: str, command: list[str], log: Path) -> Worker:
        """Submit a job. What it says is with Ray: `ray job logs`, with the number that `log` names."""
        from core.runs.worker import OUT_OF_TURN

        if needs_a_server(database_url()):
            raise PlaygroundError("Ray's machines share no SQLite file: RLHF_PLAYGROUND_DB must name PostgreSQL.")
        names = [f"RLHF_PLAYGROUND_{name}" for name in _TAKEN_ALONG]
        settings = {name: os.environ[name] for name in names if name in os.environ}
        settings |= {"RLHF_PLAYGROUND_DB": database_url(), "RLHF_PLAYGROUND_HOME": str(home())}
        try:
            if self._client is None:
                from ray.job_submission import JobSubmissionClient

                self._client = JobSubmissionClient(self._address)
            job = self._client.submit_job(
                entrypoint=shlex.join(["python", *command[1:], run_id, OUT_OF_TURN]),
                runtime_env={"env_vars": settings},
                metadata={"run": run_id},
                entrypoint_num_cpus=number_from_zero("RLHF_PLAYGROUND_RAY_CPUS", 1),
                entrypoint_num_gpus=number_from_zero("RLHF_PLAYGROUND_RAY_GPUS", 0),
            )
        except ModuleNotFoundError as missing:
            raise PlaygroundError(
                f"RLHF_PLAYGROUND_RAY needs the Python package {missing.name}: pip install 'rlhf-playground[ray]'"
            ) from None
        except (ConnectionError, RuntimeError) as error:
            raise PlaygroundError(f"The Ray cluster at {self._address}: {str(error).splitlines()[0]}") from error
        with log.open("a", encoding="utf-8") as file:
            file.write(f"Submitted to Ray at {self._address} as {job}: `ray job logs {job}` shows what it says.\n")
        return _RayJob(self._client, job)


class _RayJob:
    """A submitted job, asked for its state no oftener than the supervisor ticks."""

    pid = None

    def __init__(self, client: Any, job: str) -> None:
        self._client = client
        self._job = job

    def poll(self) -> int | None:
        """0 when it succeeded, 1 when it failed, −15 when somebody stopped it; an unreachable cluster says nothing."""
        try:
            status = str(self._client.get_job_status(self._job))
        except (ConnectionError, RuntimeError):
            return None
        return {"SUCCEEDED": 0, "FAILED": 1, "STOPPED": -15}.get(status.rpartition(".")[2])

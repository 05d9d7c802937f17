"""An app served on a data folder of its own, and what runs on it: shared by the benchmarks that mistreat one."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
WORKER = "core.runs.worker"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """The app as `streamlit run app.py` serves it, on the data folder that RLHF_PLAYGROUND_HOME names."""

    def __init__(self, port: int, log: Path) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._port, self._log = port, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, patience: float = 120.0) -> None:
        """Serve, and return once it answers."""
        command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={self._port}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--server.headless=true"], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1).read()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"The app did not answer within {patience:.0f} s: {self._log} says why.")

    @property
    def pid(self) -> int:
        """Of the process that serves."""
        assert self._process is not None
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it still serves."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL: no handler, no cleaning up."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()


def workers(home: Path) -> dict[int, str]:
    """Process id -> run id of every worker on the data folder `home`."""
    found = {}
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            if WORKER in command and process.environ().get("RLHF_PLAYGROUND_HOME") == str(home):
                found[process.pid] = command[command.index(WORKER) + 1]
        except (psutil.Error, IndexError):  # it has ended while we looked
            continue
    return found


def megabytes(pid: int) -> float:
    """Memory of a process that is its own (resident), 0 when it has gone."""
    try:
        return float(psutil.Process(pid).memory_info().rss / 2**20)
    except psutil.Error:
        return 0.0


def end_workers(home: Path) -> None:
    """Kill what still trains on this folder: a benchmark leaves nothing behind."""
    for pid in workers(home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

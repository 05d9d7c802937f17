"""A process that trains along with the one that carries out a run: the same trainer, told all, writing nothing."""

import tempfile
import traceback
from pathlib import Path
from typing import Any

from core import processes
from core.errors import PlaygroundError
from core.runs.failures import in_words
from core.runs.job import Job
from core.runs.jobs import JOBS, job_from
from core.runs.signals import last_signals


def check_together(job: Job) -> None:
    """Raise PlaygroundError when several processes were launched for a job that one alone can do."""
    if processes.launched() > 1 and not job.together:
        able = ", ".join(sorted(kind for kind, each in JOBS.items() if each.together))
        raise PlaygroundError(
            f"A {job.kind} run trains in one process (there are {processes.launched()}); runs that several can share: "
            f"{able}."
        )


def follow() -> int:
    """Do this process's share of the run that the main process carries out; the exit status.

    It hears from the main process what the run is and begins with, which settings change, and when it is over. What the
    trainer leaves lies in a folder that goes when it ends. A failure is told to the main process, whose run it ends.
    """
    with processes.together(), tempfile.TemporaryDirectory(prefix="rlhf-playground-") as name, last_signals():
        folder = Path(name)
        try:
            kind, config = _heard()
            for _ in job_from(kind, config).records(folder, _heard(), lambda _: _heard()):
                if _heard():
                    break
        except Exception as error:
            traceback.print_exc()
            processes.report_failure(in_words(error, folder))
            return 1
    return 0


def _heard() -> Any:
    return processes.from_main(lambda: None)

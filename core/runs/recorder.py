"""Carrying out a run: pull its trainer's records, write each down, obey, and be ready to be killed at any moment.

What makes a resumed run the run it would have been:
- Steps are numbered 1, 2, 3… over all stages. A checkpoint named 40 is the trainer's state right after step 40, and a
  resumed trainer's next record is step 41, written over what an earlier process may have written there.
- A trainer asks its controls once at the start of every update, when its last record has been taken: what it is told
  then belongs to the step that comes next, whatever number the trainer's own stage gives it. The change is stamped with
  that number on the disk before the trainer hears of it, so the step is never repeated without it.
- Changes asked for while a resumed run retraces steps that people have already seen wait until it is beyond them.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import filelock

from core import processes
from core.environment import number_above_zero
from core.errors import PlaygroundError, is_panic
from core.files import remove_unfinished
from core.hosting.people import acting_as
from core.paths import run_folder
from core.record import Record
from core.runs import checkpoints, locks
from core.runs.failures import in_words
from core.runs.follower import check_together
from core.runs.heartbeats import beating, needed
from core.runs.job import Job
from core.runs.journal import Journal, TakenOverError
from core.runs.last_words import reserve, say_failed
from core.runs.shelf import Shelf
from core.runs.signals import last_signals
from core.runs.store import Run, RunStore
from core.runs.watchdog import Watchdog, update_seconds

_CHECKPOINT_SECONDS = "RLHF_PLAYGROUND_CHECKPOINT_SECONDS", 20.0
_CHECKPOINT_SHARE = 0.04  # of the time at most: a state that takes long to save is saved less often
_PATIENCE = 1.0  # seconds: longer than anybody's look at a lock
_POLL_SECONDS = 0.1

_log = logging.getLogger(__name__)


def execute(
    run_id: str,
    on_record: Callable[[Record], None] | None = None,
    from_queue: bool = False,
    checkpoint_seconds: float | None = None,
    in_turn: bool = True,
) -> Run:
    """Carry out the run in this process, from its newest whole checkpoint on, and return what became of it.

    A failure of the trainer is the run's: status "failed", a sentence in `error`, the traceback in the run's log.
    The first SIGTERM or Ctrl-C lets the update end and saves it; the run then reads as interrupted and can be resumed.

    With `from_queue` (workers), nothing is done unless the run is queued and the turn to train is free. Without (a
    person at the command line waits for it), it begins at once, with a warning when another run is training: both are
    slower then, and neither is wrong. It takes the turn when it is free, so that queued runs wait for it. Without
    `in_turn` nobody's turn is asked for or taken: a cluster has decided that there is room.

    Raises PlaygroundError when the run does not exist, has finished, or is being carried out by another process.

    `checkpoint_seconds`: between two checkpoints, by default what RLHF_PLAYGROUND_CHECKPOINT_SECONDS says, or 20.

    What the run opens is opened on behalf of its owner, who may no more through a worker than on a page.
    """
    with acting_as(""):
        owner = RunStore().get(run_id).owner
    with acting_as(owner):
        often = number_above_zero(*_CHECKPOINT_SECONDS, "seconds") if checkpoint_seconds is None else checkpoint_seconds
        return _execute(run_id, on_record, from_queue, often, in_turn)


def _execute(
    run_id: str,
    on_record: Callable[[Record], None] | None,
    from_queue: bool,
    checkpoint_seconds: float,
    in_turn: bool,
) -> Run:
    store = RunStore()
    job = store.get(run_id).job
    check_together(job)
    longest = update_seconds()
    with contextlib.ExitStack() as held:
        if not held.enter_context(locks.trying(locks.run_lock(run_id), _PATIENCE)):
            if from_queue:
                return store.get(run_id)
            raise PlaygroundError(f"The run {run_id} is at work in another process.")
        turn = locks.training_lock()
        held.callback(turn.release)
        if in_turn and job.queued and not locks.take(turn, _PATIENCE):
            if from_queue:
                return store.get(run_id)
            _log.warning("Another run is training on this machine: both will be slower.")
        journal = Journal(store.engine, run_id)
        if not journal.claim(from_queue):
            if from_queue:
                return store.get(run_id)
            state = "has finished" if store.get(run_id).status == "finished" else "is at work on another machine"
            raise PlaygroundError(f"The run {run_id} {state}.")
        watched = needed(store.engine)
        if watched:
            held.callback(_last_sign, journal)
        held.enter_context(beating(journal.beat, watched))
        remove_unfinished(run_folder(run_id))
        with reserve(run_folder(run_id)), last_signals() as leaving:
            execution = _Execution(job, run_folder(run_id), journal, turn, leaving, on_record, checkpoint_seconds)
            if from_queue:  # at the command line a person watches, and has Ctrl-C
                watchdog = Watchdog(longest, journal.requested, execution.break_off)
                execution.in_turn = in_turn
                execution.sign_of_life = held.enter_context(watchdog).sign_of_life
            execution.go()
    return store.get(run_id)


def _last_sign(journal: Journal) -> None:
    with contextlib.suppress(PlaygroundError):  # a database that is gone learns of it from the silence
        journal.leave()


class _Execution:
    """One process's share of a run."""

    def __init__(
        self,
        job: Job,
        folder: Path,
        journal: Journal,
        turn: filelock.BaseFileLock,
        leaving: threading.Event,
        on_record: Callable[[Record], None] | None,
        checkpoint_seconds: float,
    ) -> None:
        self._job = job
        self._folder = folder
        self._journal = journal
        self._turn = turn
        self._leaving = leaving
        self._on_record = on_record
        self._checkpoint_seconds = checkpoint_seconds
        self._checkpoint_due = 0.0  # the first one right behind the first step
        self._number = 0
        self.in_turn = True  # whether it waits for its turn when it goes on
        self._shelf = Shelf(folder)
        self.sign_of_life: Callable[[], None] = lambda: None  # to be called between two updates

    def go(self) -> None:
        """Until the job is done, fails, is stopped, the process is asked to leave, or another one has the run."""
        try:
            self._go()
        except TakenOverError:
            _log.warning("Silent for too long: another machine carries out the run in %s now.", self._folder)

    def _go(self) -> None:
        try:
            outcome = self._work()
            if outcome == "interrupted" and (words := processes.reported_failure()):
                self._journal.end("failed", self._number, words)  # the launcher ends all when one has failed
            elif outcome != "interrupted":
                self._journal.end(outcome, self._number)
        except TakenOverError:
            raise
        except BaseException as error:
            if not (isinstance(error, Exception) or is_panic(error)):
                raise
            words = processes.reported_failure() or in_words(error, self._folder)
            say_failed(self._journal, self._folder, self._number, error, words)

    def break_off(self, why: str, stopped: bool) -> None:
        """End the run and this process in the middle of an update; called from another thread."""
        with contextlib.suppress(TakenOverError):
            if stopped:
                self._journal.end("stopped", self._number, why)
            else:
                say_failed(self._journal, self._folder, self._number, TimeoutError(why), why)
        os._exit(0)  # the main thread is the one that hangs: nothing else ends it

    def _work(self) -> Literal["finished", "stopped", "interrupted"]:
        """What this process knows goes to the others, if there are any, in the order in which `follow` expects it."""
        job = self._job
        processes.from_main(lambda: (job.kind, job.model_dump(mode="json")))
        state = processes.from_main(self._restored)
        for record in self._records(state):
            if outcome := processes.from_main(partial(self._behind, record)):
                return outcome
        return "finished"

    def _records(self, state: dict[str, Any] | None) -> Iterator[Record]:
        """What the trainer gives. Raises PlaygroundError when `state`, from a checkpoint, lacks what it begins with."""
        begun = False
        try:
            for record in self._job.records(self._folder, state, lambda _: processes.from_main(self._changes)):
                begun = True
                yield record
        except KeyError as error:
            if begun or state is None or error.args[0] in state:
                raise
            raise PlaygroundError(
                f"The checkpoint {self._checkpoints / f'{self._number:08d}'} is not one that a {self._job.kind} run "
                f"wrote (it has no {error.args[0]!r}): remove it, and the run resumes from the one before."
            ) from error

    def _behind(self, record: Record) -> Literal["stopped", "interrupted"] | None:
        """Write the record down and obey: how the run ends here, or None when it goes on."""
        self.sign_of_life()
        wish = self._take(record)
        if wish or self._leaving.is_set() or time.monotonic() >= self._checkpoint_due:
            self._save(record)
        if wish == "pause":
            wish = self._pause()
        if self._leaving.is_set():
            return "interrupted"
        return "stopped" if wish == "stop" else None

    def _restored(self) -> dict[str, Any] | None:
        """What the trainer begins with; and the next step's number is the one after it."""
        checkpoint = checkpoints.load(self._checkpoints)
        if checkpoint is None:
            return None
        self._number, state = checkpoint
        self._checkpoint_due = time.monotonic() + self._checkpoint_seconds
        return state

    def _changes(self) -> Mapping[str, float]:
        return self._journal.changes(self._number + 1)

    def _take(self, record: Record) -> str | None:
        """Write the record down: files first, so that whoever sees the step finds what lies behind it."""
        self._number += 1
        if record.rollout:
            self._shelf.keep_rollout(self._number, record.rollout)
        if record.snapshot:
            self._shelf.keep_weights(self._number, record.snapshot)
        wish = self._journal.write(self._number, record)
        if self._on_record:
            self._on_record(record)
        return wish

    def _save(self, record: Record) -> None:
        if record.state is None:  # a stage that keeps nothing: an earlier checkpoint leads here again
            return
        began = time.monotonic()
        self._journal.check()  # another machine's checkpoints are not to be replaced
        checkpoints.save(self._checkpoints, self._number, record.state())
        now = time.monotonic()
        self._checkpoint_due = now + max(self._checkpoint_seconds, (now - began) / _CHECKPOINT_SHARE)

    @property
    def _checkpoints(self) -> Path:
        return self._folder / "checkpoints"

    def _pause(self) -> str | None:
        """Wait, leaving the turn to others, until the run is stopped, or is resumed and has its turn again."""
        self._turn.release()
        shown = None
        while not self._leaving.is_set():
            self.sign_of_life()
            wish = self._journal.requested()
            if wish == "stop":
                return wish
            if wish in (None, "step") and (not (self.in_turn and self._job.queued) or locks.take(self._turn)):
                if self._journal.go_on(wish, then="pause" if wish == "step" else None):
                    return None
                self._turn.release()  # asked for something else meanwhile
                continue
            status: Literal["paused", "queued"] = "paused" if wish == "pause" else "queued"
            if status != shown:
                self._journal.mark(status)
                shown = status
            time.sleep(_POLL_SECONDS)
        return None

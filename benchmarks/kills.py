"""Everything killed (SIGKILL) at random moments while people vote and a run trains: `python benchmarks/kills.py`.

Serves the app, trains a tiny PPO run (real trainer, real files) in the worker that the server starts, and votes through
two sessions on the server's own websocket. Then kills the worker, the server or both, again and again: anywhere; while
a checkpoint is being written; while a vote is on its way. After every kill it looks whether

- every vote that the page had confirmed is in the database, and none is there twice,
- the run reads as interrupted (or still queued), and resumes,
- every rollout, snapshot and checkpoint that a reader would open is whole, and the database too,
- no worker is an orphan: one that holds no run's lock, or whose run is finished, stopped or deleted.

Whenever a run finishes, its curve and its policy are compared with those of a run that nobody disturbed: every number,
at tolerance 0. Prints counts, and fails if one of them is wrong. A hundred kills take a quarter of an hour on two idle
cores; Ctrl-C ends it early, with the counts so far.
"""

import argparse
import contextlib
import math
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from served import Server, end_workers, free_port, workers
from streamlit_client import Session
from tiny_run import curve, tiny_ppo

VOTERS = 2
STARTING_SECONDS = 90.0  # in which a worker must have taken its run's lock: importing torch on a busy machine
TARGETS = ("worker", "server", "both")
MOMENTS = ("anywhere", "in a checkpoint", "in a vote")


class Voter(threading.Thread):
    """A person who votes as fast as the page lets them, and comes back when the server does."""

    def __init__(self, number: int, address: str) -> None:
        super().__init__(daemon=True)
        self._number, self._address = number, address
        self.confirmed: Counter[str] = Counter()  # annotator -> votes that the page has said are saved
        self.sent: Counter[str] = Counter()
        self.voting = threading.Event()  # a click is on its way
        self.over = threading.Event()

    def run(self) -> None:
        """Vote until it is over; each visit under a name of its own, so that pairs never run out."""
        visit = 0
        while not self.over.is_set():
            visit += 1
            name = f"voter{self._number}-{visit}"
            with (
                contextlib.suppress(Exception),
                Session(self._address, "label", f"annotator={name}&again=false", patience=30) as session,
            ):  # whatever a dying server does to a visitor ends the visit
                while not self.over.is_set() and self.sent[name] < 300:
                    self.sent[name] += 1
                    self.voting.set()
                    seconds = session.click("vote_left", until=said_saved)
                    self.voting.clear()
                    if seconds == math.inf:
                        break
                    self.confirmed[name] += 1
            self.voting.clear()
            self.over.wait(0.2)


def said_saved(session: Session) -> bool:
    """Whether the page says that the vote is on the disk."""
    return any("Saved: left" in text for text in session.texts())


class Trial:
    """One data folder, its server and its runs."""

    def __init__(self, home: Path, seed: int) -> None:
        from core.runs.store import RunStore

        self.home = home
        self.random = random.Random(seed)
        self.server = Server(free_port(), home / "server.log")
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.job = tiny_ppo(home)
        self.store = RunStore()
        self.truth = self._undisturbed()
        self.run_id = ""
        self._young: dict[int, float] = {}  # worker -> when it was first seen

    def _undisturbed(self) -> tuple[list[Any], str]:
        from core.language.registry import model_hash
        from core.runs import recorder

        run = self.store.create(self.job, "undisturbed", queued=False)
        done = recorder.execute(run.id)
        assert done.status == "finished", done.error
        return curve(self.store, run.id), model_hash(done.folder / "policy")

    def ensure_served(self) -> None:
        """The server is there, and a run is queued or training."""
        if not self.server.is_alive():
            self.server.start()
            self.counts["servers started"] += 1
        if self.run_id:
            run = self.store.get(self.run_id)
            if run.status == "finished":
                self._compare()
            elif run.status == "interrupted":
                self.store.request(self.run_id, "resume")
                self.counts["resumed"] += 1
                return
            elif run.status in ("failed", "stopped"):
                self.fault(f"{self.run_id} is {run.status}: {run.error}")
            else:
                return
        self.counts["runs begun"] += 1
        self.run_id = self.store.create(self.job, f"run-{self.counts['runs begun']}").id

    def _compare(self) -> None:
        from core.language.registry import model_hash

        self.counts["runs finished"] += 1
        found = curve(self.store, self.run_id), model_hash(self.store.get(self.run_id).folder / "policy")
        if found == self.truth:
            self.counts["curves and policies identical to the undisturbed"] += 1
        else:
            self.fault(f"{self.run_id} has another curve or policy than the undisturbed run")

    def kill(self, voters: list[Voter]) -> None:
        """Once, at a random moment of a random kind."""
        target, moment = self.random.choice(TARGETS), self.random.choice(MOMENTS)
        if self.random.random() < 0.7:  # while it trains, most of the time; else whatever it does, importing too
            self._until(lambda: self.store.get(self.run_id).status in ("running", "finished"), 60)
        time.sleep(self.random.uniform(0.0, 2.0))
        if moment == "in a checkpoint":
            unfinished = self.store.get(self.run_id).folder / "checkpoints" / ".unfinished"
            target = self.random.choice(("worker", "both"))
            self._until(lambda: self.store.get(self.run_id).status in ("running", "finished"), 60)
            if not self._until(unfinished.exists, 10, pause=0.0003):
                moment = "anywhere"
            time.sleep(self.random.uniform(0.0, 0.008))
        elif moment == "in a vote":
            target = self.random.choice(("server", "both"))
            if not self._until(lambda: any(voter.voting.is_set() for voter in voters), 20, pause=0.001):
                moment = "anywhere"
            time.sleep(self.random.uniform(0.0, 0.3))
        if target in ("server", "both"):
            self.server.kill()
        if target in ("worker", "both"):
            for pid in workers(self.home):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.counts["workers killed"] += 1
        self.counts["kills"] += 1
        self.counts[f"kills of {target}"] += 1
        self.counts[f"kills {moment}"] += 1

    def _until(self, true: Any, seconds: float, pause: float = 0.02) -> bool:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if true():
                return True
            time.sleep(pause)
        return False

    def look(self, voters: list[Voter]) -> None:
        """What must hold at every moment, behind a kill above all."""
        self._votes(voters)
        self._files()
        self._orphans()

    def _votes(self, voters: list[Voter]) -> None:
        from core.database.engine import reading
        from core.database.schema import comparisons

        c = comparisons.c
        confirmed = sum((voter.confirmed.copy() for voter in voters), Counter())  # before the rows: no later ones
        sent_before = {name: number for voter in voters for name, number in voter.sent.copy().items()}
        with reading(self.store.engine) as connection:
            rows = connection.execute(sa.select(c.annotator, c.pair_id).where(c.undone == 0)).all()
            if connection.execute(sa.text("PRAGMA quick_check")).scalar() != "ok":
                self.fault("the database is damaged")
        stored = Counter(row.annotator for row in rows)
        sent = {name: number for voter in voters for name, number in voter.sent.copy().items()}
        for name, number in confirmed.items():
            if stored[name] < number:
                self.fault(f"{name}: {number} votes were confirmed, {stored[name]} are there")
        for name, number in stored.items():
            if number > max(sent.get(name, 0), sent_before.get(name, 0)):
                self.fault(f"{name}: {number} votes are there, {sent.get(name, 0)} were sent")
        if len(set(map(tuple, rows))) != len(rows):
            self.fault("a vote is there twice")
        self.counts["votes confirmed"], self.counts["votes stored"] = sum(confirmed.values()), len(rows)

    def _files(self) -> None:
        from safetensors import safe_open

        from core.runs import checkpoints, shelf

        folder = self.store.get(self.run_id).folder
        weights = [file for one in shelf.weight_folders(folder).values() for file in one.glob("*.safetensors")]
        for file in (*shelf.rollout_files(folder).values(), *weights):
            try:
                with safe_open(file, "pt") as opened:
                    for name in opened.keys():  # noqa: SIM118 - it is no dict
                        opened.get_tensor(name)
                self.counts["files opened"] += 1
            except FileNotFoundError:  # the worker that lives has written it anew, or made room
                continue
            except Exception as error:  # whatever the reader raises, a half-written file was there to be opened
                self.fault(f"{file}: {error}")
        for number in checkpoints.kept(folder / "checkpoints"):
            if not checkpoints._is_whole(folder / "checkpoints" / f"{number:08d}"):
                if number in checkpoints.kept(folder / "checkpoints"):
                    self.fault(f"the checkpoint {number} of {self.run_id} says it is complete, and is not")
            else:
                self.counts["checkpoints opened"] += 1

    def _orphans(self) -> None:
        from core.errors import PlaygroundError
        from core.runs import locks

        now = time.monotonic()
        there = workers(self.home)
        for pid, run_id in there.items():
            since = self._young.setdefault(pid, now)
            try:
                run = self.store.get(run_id)
            except PlaygroundError:
                run = None
            theirs = run is not None and run.pid == pid and locks.is_alive(run_id)
            if not theirs and now - since > STARTING_SECONDS:
                self.fault(f"process {pid} ({run_id}) is an orphan: it holds no run")
        self._young = {pid: since for pid, since in self._young.items() if pid in there}

    def fault(self, words: str) -> None:
        """Something that must never be."""
        self.faults.append(words)
        print(f"FAULT: {words}", flush=True)

    def end(self, voters: list[Voter]) -> None:
        """Let the last run finish undisturbed, compare it, and leave nothing running."""
        self.ensure_served()
        until = time.monotonic() + 300
        while self.store.get(self.run_id).status != "finished" and time.monotonic() < until:
            if self.store.get(self.run_id).status == "interrupted":
                self.store.request(self.run_id, "resume")
            time.sleep(0.5)
        if self.store.get(self.run_id).status == "finished":
            self._compare()
        else:
            self.fault(f"{self.run_id} did not finish: {self.store.get(self.run_id).status}")
        for voter in voters:
            voter.over.set()
        for voter in voters:
            voter.join(timeout=60)
        self.look(voters)
        self.server.stop()
        gone = self._until(lambda: not workers(self.home), 60, pause=0.5)
        self.counts["workers left at the end"] = 0 if gone else len(workers(self.home))
        if not gone:
            self.fault(f"workers outlive their runs: {workers(self.home)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder).resolve()
        os.environ |= {
            "RLHF_PLAYGROUND_HOME": str(home),
            "RLHF_PLAYGROUND_CHECKPOINT_SECONDS": "0.2",  # as often as the trainer allows, so that kills fall into them
            "RLHF_PLAYGROUND_PRECISION": "float32",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        }
        os.environ.pop("RLHF_PLAYGROUND_DB", None)
        trial = Trial(home, asked.seed)
        try:
            trial.ensure_served()
            voters = [Voter(number, trial.server.address) for number in range(VOTERS)]
            for voter in voters:
                voter.start()
            with contextlib.suppress(KeyboardInterrupt):
                while trial.counts["kills"] < asked.kills:
                    trial.kill(voters)
                    trial.look(voters)
                    trial.ensure_served()
                    if trial.counts["kills"] % 10 == 0:
                        took = time.monotonic() - began
                        print(f"{trial.counts['kills']} kills, {took:.0f} s", file=sys.stderr, flush=True)
            trial.end(voters)
        finally:
            if trial.server.is_alive():
                trial.server.kill()
            end_workers(home)
    for name, number in trial.counts.items():
        print(f"{name:<50} {number:>7,}")
    print(f"{'faults':<50} {len(trial.faults):>7,}")
    print(f"{'seconds':<50} {time.monotonic() - began:>7,.0f}")
    return 1 if trial.faults else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(main())

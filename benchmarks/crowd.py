"""Fifty people label at once while a run trains: `python benchmarks/crowd.py [--people 50] [--seconds 120]`.

Each is a session of its own on the server's websocket (see streamlit_client.py), reads for about eight seconds, and
clicks left, right or tie. Counts afterwards, in the database,

- that every vote which a page confirmed is stored exactly once, and nothing else is,
- that each is about the very texts which that session was shown, with the choice it clicked, under its own name,
- that each page counts its own person's votes and nobody else's;

and measures a vote from the click to the moment the page says "Saved" beneath the next pair, and the server's memory.
The bars: 95 of 100 votes within 1 s, at most 1,500 MB. Prints the numbers, and fails if a count is wrong.
"""

import argparse
import html
import os
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from served import Server, end_workers, free_port, megabytes, workers
from streamlit_client import Session

BAR_SECONDS, BAR_MEGABYTES = 1.0, 1500.0
SAID = re.compile(r'<p class="said">(.*)</p>', re.DOTALL)
CHOICES = {"vote_left": "left", "vote_right": "right", "vote_tie": "tie"}


@dataclass
class Person(threading.Thread):
    """One who labels until it is over."""

    number: int
    address: str
    every: float  # seconds of reading, on average
    joining: float  # seconds until they come
    over: threading.Event
    votes: list[tuple[str, str, str, str]] = field(default_factory=list)  # confirmed: choice, prompt, left, right
    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.called = f"person {self.number}"

    def __hash__(self) -> int:
        return self.number

    def run(self) -> None:
        """Come, read, vote, and say in the end what the page counted."""
        chance = random.Random(self.number)
        if self.over.wait(self.joining):
            return
        try:
            with Session(self.address, "label", f"annotator={self.called}&again=false", patience=60) as session:
                while not self._reads(session, chance.expovariate(1 / self.every)):
                    shown, key = texts_of(session), chance.choice(list(CHOICES))
                    choice = CHOICES[key]
                    told = {"left": "Saved: left.", "right": "Saved: right.", "tie": "Saved: a tie."}[choice]
                    spent = session.click(key, until=lambda page, told=told: any(told in t for t in page.texts()))
                    if session.errors():
                        self.faults.append(f"{self.called}: {session.errors()[0]}")
                        return
                    if spent == float("inf"):
                        self.faults.append(f"{self.called}: the page did not say {told!r}")
                        continue
                    self.seconds.append(spent)
                    self.votes.append((choice, *shown))
                decided = sum(choice != "tie" for choice, *_ in self.votes)
                counted = [one.progress.text for one in session.of_kind("progress")] + session.texts()
                if not any(re.match(rf"\W*{decided}\W.*comparisons decided", text) for text in counted):
                    self.faults.append(f"{self.called}: the page does not count {decided} comparisons as theirs")
        except Exception as error:  # a session that breaks is a finding, whatever broke it
            self.faults.append(f"{self.called}: {type(error).__name__}: {error}")

    def _reads(self, session: Session, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.over.is_set():
            session.listen(min(left, 0.5))
        return self.over.is_set()


def texts_of(session: Session) -> tuple[str, str, str]:
    """Prompt, left and right as they stand on the page."""
    found = [html.unescape(one[1]).strip() for text in session.texts() if (one := SAID.fullmatch(text))]
    return found[0], found[1], found[2]


class Scale(threading.Thread):
    """Weighs the server and the worker once a second."""

    def __init__(self, server: Server, home: Path) -> None:
        super().__init__(daemon=True)
        self._server, self._home = server, home
        self.server: list[float] = []
        self.worker: list[float] = []
        self.over = threading.Event()

    def run(self) -> None:
        """Until it is over."""
        while not self.over.wait(1.0):
            self.server.append(megabytes(self._server.pid))
            self.worker.append(max((megabytes(pid) for pid in workers(self._home)), default=0.0))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--every", type=float, default=8.0, help="seconds a person reads before a vote, on average")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder).resolve()
        os.environ |= {"RLHF_PLAYGROUND_HOME": str(home), "HF_HUB_OFFLINE": "1"}
        os.environ.pop("RLHF_PLAYGROUND_DB", None)
        from core.feedback.store import FeedbackStore
        from core.runs.jobs import LoopJob
        from core.runs.store import RunStore

        run = RunStore().create(LoopJob())
        server = Server(free_port(), home / "server.log")
        try:
            server.start()
            until = time.monotonic() + 120
            while RunStore().get(run.id).step == 0 and time.monotonic() < until:
                time.sleep(0.2)
            scale, over = Scale(server, home), threading.Event()
            scale.start()
            joining = min(30.0, asked.people / 2)
            chance = random.Random(0)
            people = [
                Person(number, server.address, asked.every, chance.uniform(0, joining), over)
                for number in range(asked.people)
            ]
            for person in people:
                person.start()
            time.sleep(joining + asked.seconds)
            trained = RunStore().get(run.id)
            over.set()
            for person in people:
                person.join(timeout=90)
            scale.over.set()
            faults = [fault for person in people for fault in person.faults] + stored_otherwise(FeedbackStore(), people)
        finally:
            server.stop()
            end_workers(home)
    report(people, scale, faults, f"{trained.status}, {trained.stage} {trained.step} of {trained.total}")
    return 1 if faults else 0


def stored_otherwise(store: Any, people: list[Person]) -> list[str]:
    """Where the database and what the pages said differ."""
    faults = []
    for person in people:
        stored = [(v.choice, v.prompt.strip(), v.left.strip(), v.right.strip()) for v in store.votes(person.called)]
        if list(reversed(stored)) != person.votes:
            faults.append(
                f"{person.called}: {len(stored)} votes are stored, {len(person.votes)} were confirmed, or others"
            )
    strangers = set(store.annotators()) - {person.called for person in people}
    return faults + [f"votes of {name}, who was not there" for name in strangers]


def report(people: list[Person], scale: Scale, faults: list[str], run: str) -> None:
    """The numbers beside their bars."""
    seconds = sorted(one for person in people for one in person.seconds)
    p95 = seconds[int(0.95 * len(seconds))] if seconds else float("nan")
    for fault in faults[:20]:
        print(f"FAULT: {fault}")
    rows = [
        ("people", f"{len(people)}"),
        ("votes confirmed, each stored once and as shown", f"{len(seconds):,}"),
        ("faults", f"{len(faults)}"),
        ("a vote, median", f"{statistics.median(seconds):.2f} s" if seconds else "–"),
        (f"a vote, 95 of 100 (bar {BAR_SECONDS:.0f} s)", f"{p95:.2f} s"),
        ("a vote, slowest", f"{seconds[-1]:.2f} s" if seconds else "–"),
        (f"server memory at most (bar {BAR_MEGABYTES:,.0f} MB)", f"{max(scale.server, default=0):,.0f} MB"),
        ("worker memory at most", f"{max(scale.worker, default=0):,.0f} MB"),
        ("the run at the end", run),
        ("load of the machine", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"),
    ]
    for name, value in rows:
        print(f"{name:<50} {value}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(main())

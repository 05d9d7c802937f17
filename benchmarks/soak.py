"""An hour of runs, one behind the other, with pages open: `python benchmarks/soak.py [--minutes 60]`.

Serves the app, keeps sessions open on the pages that look at runs by themselves, opens and leaves others as people do,
and has a tiny PPO run begin as soon as the one before has ended. Weighs the server every few seconds and every worker
at its largest. Prints memory over time, and the slope of the second half (the first half fills caches) in MB an hour.
The bar: the server's slope within 60 MB an hour, and the last worker no larger than the first ones by a tenth.
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from served import Server, end_workers, free_port, megabytes, workers
from streamlit_client import Session
from tiny_run import tiny_ppo

BAR_SLOPE = 60.0  # MB an hour
OPEN = ("", "ppo", "runs", "label", "data", "reward_model")
EVERY = 5.0  # seconds between looks at the scales


class Reader(threading.Thread):
    """Keeps one page open for a while, then opens it again, as a reader does; or leaves it open for good."""

    def __init__(self, address: str, page: str, stay: float) -> None:
        super().__init__(daemon=True)
        self._address, self._page, self._stay = address, page, stay
        self.opened, self.over, self.faults = 0, threading.Event(), set[str]()

    def run(self) -> None:
        """Until it is over."""
        while not self.over.is_set():
            try:
                with Session(self._address, self._page, patience=120) as session:
                    self.opened += 1
                    until = time.monotonic() + self._stay
                    while time.monotonic() < until and not self.over.is_set():
                        session.listen(1.0)
                    self.faults |= {f"{self._page}: {error}" for error in session.errors()}
            except Exception as error:  # a page that breaks is a finding, whatever broke it
                self.faults.add(f"{self._page}: {type(error).__name__}: {error}")
                self.over.wait(2.0)


def slope(times: list[float], values: list[float]) -> float:
    """MB an hour by least squares; 0 for fewer than two points."""
    return 3600 * statistics.linear_regression(times, values).slope if len(set(times)) > 1 else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--updates", type=int, default=60, help="PPO updates a run")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder).resolve()
        os.environ |= {"RLHF_PLAYGROUND_HOME": str(home), "HF_HUB_OFFLINE": "1"}
        os.environ.pop("RLHF_PLAYGROUND_DB", None)
        from core.runs.store import RunStore

        store, job = RunStore(), tiny_ppo(home, asked.updates)
        server = Server(free_port(), home / "server.log")
        times: list[float] = []
        weights: list[float] = []
        largest: dict[str, float] = {}  # run -> its worker's most
        try:
            server.start()
            readers = [Reader(server.address, page, stay) for page in OPEN for stay in (20.0, 1e9)]
            for reader in readers:
                reader.start()
            began, current, bad = time.monotonic(), "", []
            print("minutes  server MB  worker MB  runs")
            while (now := time.monotonic() - began) < 60 * asked.minutes:
                status = store.get(current).status if current else "finished"
                if status not in ("queued", "running"):
                    if status != "finished":
                        bad.append(f"{current} is {status}: {store.get(current).error}")
                    current = store.create(job).id
                times.append(now)
                weights.append(megabytes(server.pid))
                for pid, run_id in workers(home).items():
                    largest[run_id] = max(largest.get(run_id, 0.0), megabytes(pid))
                if (len(times) - 1) % max(1, round(60 * asked.minutes / EVERY / 20)) == 0:
                    print(
                        f"{now / 60:7.1f}  {weights[-1]:9.0f}  {largest.get(current, 0):9.0f}  {len(largest)}",
                        flush=True,
                    )
                time.sleep(EVERY)
            for reader in readers:
                reader.over.set()
            for reader in readers:
                reader.join(timeout=30)
        finally:
            server.stop()
            end_workers(home)
    half = len(times) // 2
    steep = slope(times[half:], weights[half:])
    whole = list(largest.values())[:-1] or list(largest.values())  # the last one may just have begun
    third = max(1, len(whole) // 3)
    growth = statistics.mean(whole[-third:]) / statistics.mean(whole[:third]) - 1 if whole else 0.0
    faults = bad + sorted(fault for reader in readers for fault in reader.faults)
    for fault in faults[:20]:
        print(f"FAULT: {fault}")
    print(f"runs {len(largest)}, pages opened {sum(reader.opened for reader in readers)}, faults {len(faults)}")
    print(f"server: {weights[0]:.0f} MB at first, {max(weights):.0f} at most, {weights[-1]:.0f} at last")
    print(f"server's slope over the second half: {steep:+.0f} MB an hour (bar {BAR_SLOPE:.0f})")
    print(f"workers at their largest: {growth:+.1%} from the first third of the runs to the last (bar +10 %)")
    return 1 if faults or steep > BAR_SLOPE or growth > 0.1 else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(main())

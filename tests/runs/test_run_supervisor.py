"""Real workers, as the app starts them."""

import itertools
import os
import signal
import subprocess
import sys

import pytest
import walk_job
from run_helpers import changes_of, curve, eventually, true_curve
from walk_job import SideJob, WalkJob

from core.runs import launchers, locks, recorder, supervisor

pytestmark = pytest.mark.usefixtures("walk_workers")


def tick_until(ask, seconds=60.0):
    def tick_and_ask():
        supervisor.tick()
        return ask()

    return eventually(tick_and_ask, seconds)


def test_runs_take_turns_in_order_and_side_jobs_do_not_wait(store):
    first = supervisor.submit(WalkJob(saved=False, steps=40, seconds=0.05))
    second = supervisor.submit(WalkJob(saved=False, steps=3))
    side = supervisor.submit(SideJob(saved=False, steps=3))
    assert store.get(first).status != "finished"  # nobody waited for it
    tick_until(lambda: store.get(side).status == "finished")
    assert store.get(second).status == "queued"
    tick_until(lambda: store.get(second).status == "finished")
    assert store.get(first).status == "finished"
    assert store.get(second).started >= store.get(first).ended
    assert store.get(side).ended < store.get(first).ended


def test_pause_change_resume_and_stop(store, tmp_path):
    job = WalkJob(steps=200, seconds=0.01)
    run_id = supervisor.submit(job)
    tick_until(lambda: len(store.steps(run_id)) >= 8)
    supervisor.pause(run_id)
    eventually(lambda: store.get(run_id).status == "paused")
    held = len(store.steps(run_id))
    store.set_control(run_id, "learning_rate", 0.7)
    other = supervisor.submit(WalkJob(saved=False, steps=30, seconds=0.02))
    tick_until(lambda: store.get(other).status == "running")
    supervisor.resume(run_id)  # waits for its turn, in memory
    eventually(lambda: store.get(run_id).status == "queued")
    assert len(store.steps(run_id)) == held
    tick_until(lambda: store.get(run_id).status == "running")
    assert store.get(other).status == "finished"
    eventually(lambda: len(store.steps(run_id)) > held + 5)
    supervisor.stop(run_id)
    stopped = eventually(lambda: store.get(run_id).status == "stopped" and store.get(run_id))
    assert stopped.requested is None
    assert changes_of(store, run_id) == {held + 1: {"learning_rate": 0.7}}
    steps = curve(store.steps(run_id))
    assert steps == true_curve(job, tmp_path / "true", changes_of(store, run_id))[: len(steps)]
    supervisor.resume(run_id)
    tick_until(lambda: store.get(run_id).status == "running")
    os.kill(store.get(run_id).pid, signal.SIGKILL)
    eventually(lambda: store.get(run_id).status == "interrupted", seconds=0.5)
    supervisor.resume(run_id)
    tick_until(lambda: store.get(run_id).status == "finished")
    assert curve(store.steps(run_id)) == true_curve(job, tmp_path / "true", changes_of(store, run_id))


SERVER = """
import sys, time
sys.path.insert(0, sys.argv[1])
import walk_job
from core.runs import supervisor
supervisor.WORKER = (sys.executable, walk_job.__file__)
print("up", flush=True)
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    supervisor.tick()
    time.sleep(0.05)
"""


def server(seconds: float) -> subprocess.Popen:
    here = os.path.dirname(walk_job.__file__)
    root = os.path.dirname(os.path.dirname(here))
    process = subprocess.Popen([sys.executable, "-c", SERVER, here, str(seconds)], stdout=subprocess.PIPE, cwd=root)
    process.stdout.readline()
    return process


def test_two_servers_start_a_run_exactly_once(store, tmp_path):
    servers = [server(60), server(60)]
    try:
        runs = [store.create(WalkJob(saved=False, steps=10, seconds=0.01)) for _ in range(3)]
        eventually(lambda: all(store.get(run.id).status == "finished" for run in runs), 60)
    finally:
        for process in servers:
            process.terminate()
            process.wait()
    done = [store.get(run.id) for run in runs]
    for run, following in itertools.pairwise(done):
        assert run.ended <= following.started
    for run in done:
        steps = store.steps(run.id)
        assert curve(steps) == true_curve(run.job, tmp_path / "true")
        assert [step.time for step in steps] == sorted(step.time for step in steps)


def test_a_worker_outlives_its_server_and_the_next_one_adopts_it(store):
    first = server(60)
    run = store.create(WalkJob(saved=False, steps=60, seconds=0.05))
    eventually(lambda: store.get(run.id).status == "running")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    queued = supervisor.submit(WalkJob(saved=False, steps=2))
    supervisor.tick()
    assert store.get(run.id).status == "running"
    assert store.get(queued).status == "queued", "the new server must see that somebody trains"
    supervisor.stop(run.id)
    tick_until(lambda: store.get(queued).status == "finished")
    assert store.get(run.id).status == "stopped"


def test_a_worker_that_cannot_start_fails_its_run_and_says_where_to_look(store, monkeypatch):
    monkeypatch.setattr(supervisor, "WORKER", (sys.executable, "-c", "import no_such_module"))
    run_id = supervisor.submit(WalkJob())
    failed = tick_until(lambda: store.get(run_id).status == "failed" and store.get(run_id))
    assert "could not start" in failed.error
    assert "no_such_module" in failed.log.read_text()


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_worker_killed_on_its_way_is_started_again_but_not_for_ever(store, monkeypatch, tmp_path):
    died = f"open({str(tmp_path / 'deaths')!r}, 'a').write('x'); import os; os.kill(os.getpid(), 9)"
    monkeypatch.setattr(supervisor, "WORKER", (sys.executable, "-c", died))
    run_id = supervisor.submit(WalkJob(steps=3))
    failed = tick_until(lambda: store.get(run_id).status == "failed" and store.get(run_id))
    assert "killed 5 times before it could begin (signal 9)" in failed.error
    assert len((tmp_path / "deaths").read_text()) == 5
    again = supervisor.submit(WalkJob(steps=3))
    tick_until(lambda: len((tmp_path / "deaths").read_text()) == 7)
    monkeypatch.setattr(supervisor, "WORKER", (sys.executable, walk_job.__file__))
    tick_until(lambda: store.get(again).status == "finished")


def test_a_run_in_the_foreground_begins_at_once_and_holds_the_turn(store, caplog):
    shown = []

    def look(record):
        shown.append(locks.is_training())

    recorder.execute(store.create(WalkJob(saved=False, steps=2), queued=False).id, on_record=look)
    assert all(shown)
    assert not caplog.messages
    with locks.trying(locks.training_lock()):
        assert recorder.execute(store.create(WalkJob(saved=False, steps=2), queued=False).id).status == "finished"
        queued = store.create(WalkJob(saved=False, steps=2))
        assert recorder.execute(queued.id, from_queue=True).status == "queued"
    assert "Another run is training" in caplog.text


def test_the_real_worker_is_niced_apart_and_holds_none_of_our_files(store, tmp_path):
    code = "import os, sys, time; from core.runs import worker; worker.execute = lambda *a, **k: time.sleep(60); worker.main('x')"
    with (tmp_path / "server socket").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        with (tmp_path / "log").open("wb") as log:
            process = launchers.launch([sys.executable, "-c", code], log)
        try:
            eventually(lambda: os.getpriority(os.PRIO_PROCESS, process.pid) - os.getpriority(os.PRIO_PROCESS, 0) == 10)
            assert os.getsid(process.pid) == process.pid != os.getsid(0)
            open_files = [os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{process.pid}/fd")]
            assert not any("server socket" in file for file in open_files)
        finally:
            process.kill()
            process.wait()

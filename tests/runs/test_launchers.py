"""Ray as a launcher, with a stand-in for its client; and what keeps machines that share a database apart."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from run_helpers import eventually
from walk_job import WalkJob

from core.database.engine import writing
from core.database.schema import runs, steps
from core.errors import PlaygroundError
from core.record import Record
from core.runs import checkpoints, heartbeats, launchers, locks, recorder, supervisor
from core.runs.journal import Journal, TakenOverError
from core.runs.launchers import LocalProcesses, RayJobs, launcher


class Cluster:
    """What JobSubmissionClient does, with processes of this machine."""

    def __init__(self):
        self.jobs = {}
        self.asked = []

    def submit_job(self, *, entrypoint, runtime_env, **resources):
        command = entrypoint.replace("python", sys.executable, 1)
        env = {**os.environ, **runtime_env["env_vars"]}
        number = f"raysubmit_{len(self.jobs)}"
        self.jobs[number] = subprocess.Popen(command, shell=True, env=env)
        self.asked.append((entrypoint, runtime_env["env_vars"], resources))
        return number

    def get_job_status(self, number):
        code = self.jobs[number].poll()
        return f"JobStatus.{'RUNNING' if code is None else 'FAILED' if code else 'SUCCEEDED'}"


@pytest.fixture
def cluster(monkeypatch, walk_workers):
    made = Cluster()
    monkeypatch.setattr(launchers, "needs_a_server", lambda url: False)  # all of this cluster is on one machine
    monkeypatch.setattr(supervisor, "launcher", lambda: RayJobs("http://ray", made))
    yield made
    supervisor._workers.clear()
    for job in made.jobs.values():
        job.kill()
        job.wait()


def test_where_a_worker_starts_is_the_settings_choice(monkeypatch):
    assert isinstance(launcher(), LocalProcesses)
    monkeypatch.setenv("RLHF_PLAYGROUND_RAY", "http://127.0.0.1:8265")
    assert isinstance(launcher(), RayJobs)


def test_ray_takes_all_that_wait_and_brings_steps_controls_and_ends_back(store, cluster):
    ids = [supervisor.submit(WalkJob(warm=1, steps=40, seconds=0.05), run_id=name) for name in ("one", "two")]
    assert len(cluster.jobs) == 2  # no waiting for one another
    entrypoint, _, resources = cluster.asked[0]
    assert entrypoint.endswith("one --out-of-turn") and resources["metadata"] == {"run": "one"}
    eventually(lambda: all(store.get(run_id).step > 2 for run_id in ids), 60)
    assert locks.is_alive("one") and locks.is_alive("two") and not locks.is_training()
    supervisor.tick()
    assert len(cluster.jobs) == 2
    store.set_control("one", "learning_rate", 0.5)
    supervisor.stop("two")
    eventually(lambda: [store.get(run_id).status for run_id in ids] == ["finished", "stopped"], 60)
    assert store.steps("one")[-1].metrics["learning_rate"] == 0.5
    eventually(lambda: not supervisor.tick() and not supervisor._workers)
    assert "ray job logs raysubmit_0" in store.get("one").log.read_text()


def test_a_job_that_cannot_begin_fails_its_run(store, cluster, monkeypatch):
    monkeypatch.setattr(supervisor, "WORKER", (sys.executable, "-c", "raise SystemExit(3)"))
    run_id = supervisor.submit(WalkJob())
    eventually(lambda: not supervisor.tick() and store.get(run_id).status == "failed", 60)
    assert "could not start" in store.get(run_id).error


def test_what_ray_needs_is_said_in_the_run(store, monkeypatch):
    monkeypatch.setenv("RLHF_PLAYGROUND_RAY", "http://127.0.0.1:1")
    monkeypatch.setattr(launchers, "database_url", lambda: "sqlite:///mine.db")
    run = store.get(supervisor.submit(WalkJob()))
    assert run.status == "failed" and "PostgreSQL" in run.error
    monkeypatch.setattr(launchers, "database_url", lambda: "postgresql://x")
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.job_submission", None)
    run = store.get(supervisor.submit(WalkJob()))
    assert run.status == "failed" and "pip install 'rlhf-playground[ray]'" in run.error


def on_another_machine(store, run_id, ago, status="running"):
    values = {"host": "elsewhere", "heartbeat": time.time() - ago, "status": status}
    with writing(store.engine) as connection:
        connection.execute(runs.update().where(runs.c.id == run_id).values(values))


def test_a_run_at_work_on_another_machine_is_steered_and_left_alone(store):
    run = store.create(WalkJob(), queued=False)
    on_another_machine(store, run.id, ago=5)
    assert store.get(run.id).status == "running"
    store.request(run.id, "pause")
    assert store.get(run.id).requested == "pause"
    with pytest.raises(PlaygroundError, match="at work"):
        store.delete(run.id)
    with pytest.raises(PlaygroundError, match="another machine"):
        recorder.execute(run.id)
    on_another_machine(store, run.id, ago=120)  # silent for two minutes: dead, and can be resumed here
    assert store.get(run.id).status == "interrupted"
    assert recorder.execute(run.id).status == "finished"
    assert store.get(run.id).status == "finished"


def test_a_run_is_claimed_once_however_many_come_at_once(store):
    """The database alone decides: no lock of a file is asked here."""
    for turn in range(5):
        run = store.create(WalkJob(), run_id=f"wanted-{turn}")
        together, won = threading.Barrier(8), []

        def come(run_id=run.id, together=together, won=won):
            journal = Journal(store.engine, run_id)
            together.wait()
            won.append(journal.claim(from_queue=True))

        threads = [threading.Thread(target=come) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won) == [False] * 7 + [True]


def snapshot(store, run_id):
    with store.engine.connect() as connection:
        row = connection.execute(runs.select().where(runs.c.id == run_id)).one()
        told = connection.execute(steps.select().where(steps.c.run_id == run_id)).all()
    return row, told, store.controls(run_id)


def test_who_was_silent_for_too_long_has_lost_the_run(store, monkeypatch):
    """A claims and falls silent, B takes over: nothing that A still has to say changes a row."""
    run = store.create(WalkJob(), queued=False)
    silent, other = Journal(store.engine, run.id), Journal(store.engine, run.id)
    with monkeypatch.context() as there:
        there.setattr(socket, "gethostname", lambda: "elsewhere")
        assert silent.claim(from_queue=False)
    silent.write(1, Record(1, {"at": 1.0}, "walk", 9))
    on_another_machine(store, run.id, ago=61)
    assert other.claim(from_queue=False)
    other.write(2, Record(2, {"at": 2.0}, "walk", 9))
    store.set_control(run.id, "learning_rate", 0.5)
    before = snapshot(store, run.id)
    for say in (
        silent.check,
        silent.beat,
        lambda: silent.write(2, Record(2, {"at": 7.0}, "walk", 9)),
        lambda: silent.changes(3),
        lambda: silent.go_on(None, then=None),
        lambda: silent.mark("paused"),
        lambda: silent.end("failed", 2, "locked"),
    ):
        with pytest.raises(TakenOverError):
            say()
    silent.leave()
    assert snapshot(store, run.id) == before
    other.end("stopped", 2)
    assert store.get(run.id).status == "stopped"


def test_what_is_asked_while_a_run_takes_up_its_work_again_is_not_lost(store):
    run = store.create(WalkJob(), queued=False)
    journal = Journal(store.engine, run.id)
    assert journal.claim(from_queue=False)
    journal.mark("paused")
    wish = journal.requested()  # nothing any more: it may go on, and then it is stopped
    with writing(store.engine) as connection:
        connection.execute(runs.update().where(runs.c.id == run.id).values(requested="stop"))
    assert not journal.go_on(wish, then=None)
    assert journal.requested() == "stop"
    with writing(store.engine) as connection:
        connection.execute(runs.update().where(runs.c.id == run.id).values(requested="step"))
    assert journal.go_on("step", then="pause") and journal.requested() == "pause"


@pytest.mark.parametrize("fails", [False, True])
def test_a_process_whose_run_was_taken_over_leaves_without_a_word(store, monkeypatch, fails):
    monkeypatch.setattr(recorder, "_CHECKPOINT_SHARE", 1e9)  # behind every step
    run = store.create(WalkJob(warm=0, steps=20), queued=False)

    def look(record):
        if record.step == 5:
            on_another_machine(store, run.id, ago=0)
            (run.folder / "checkpoints" / ".unfinished").mkdir(parents=True, exist_ok=True)  # theirs
            if fails:
                raise RuntimeError("and now this")

    recorder.execute(run.id, on_record=look, checkpoint_seconds=0.0)
    row, told, _ = snapshot(store, run.id)
    assert (row.status, row.host, row.error, len(told)) == ("running", "elsewhere", None, 5)
    assert abs(row.heartbeat - time.time()) < 60
    assert checkpoints.kept(run.folder / "checkpoints")[-1] == 4 and (run.folder / "checkpoints/.unfinished").exists()


def test_a_resumed_run_that_waits_in_another_machines_memory_is_nobody_elses(store):
    run = store.create(WalkJob())
    on_another_machine(store, run.id, ago=5, status="queued")
    assert not Journal(store.engine, run.id).claim(from_queue=True)
    assert store.queue() == []
    with pytest.raises(PlaygroundError, match="at work"):
        store.delete(run.id)
    store.request(run.id, "stop")
    assert store.get(run.id).status == "queued" and store.get(run.id).requested == "stop"  # it obeys by itself
    on_another_machine(store, run.id, ago=120, status="queued")
    assert [one.id for one in store.queue()] == [run.id]


@pytest.mark.parametrize("what", ["stop", "resume", "delete"])
def test_what_is_asked_of_a_run_that_another_machine_takes_up_meanwhile(store, monkeypatch, what):
    """Between the look at who lives and the change of the row B claims the run: it is not taken from under B."""
    run = store.create(WalkJob(), queued=what == "stop")
    if what == "resume":
        store.request(run.id, "stop")
    look = store._idle

    def claimed_after_the_look(run_id):
        seen = look(run_id)
        values = {"status": "running", "host": "elsewhere", "pid": 7, "heartbeat": time.time()}
        with writing(store.engine) as connection:
            connection.execute(runs.update().where(runs.c.id == run_id).values(values))
        return seen

    acts = {"stop": store.request, "resume": store.request, "delete": lambda run_id, _: store.delete(run_id)}
    monkeypatch.setattr(store, "_idle", claimed_after_the_look)
    with pytest.raises(PlaygroundError, match="another machine has just taken it up"):
        acts[what](run.id, what)
    row, *_ = snapshot(store, run.id)
    assert (row.status, row.host, row.pid) == ("running", "elsewhere", 7)


def test_looking_at_a_run_of_another_machine_makes_no_folder_for_it(store):
    run = store.create(WalkJob())
    shutil.rmtree(run.folder)
    store.request(run.id, "stop")
    assert store.get(run.id).status == "stopped" and not run.folder.exists()


def test_who_leaves_is_not_waited_for(store, monkeypatch):
    monkeypatch.setattr(recorder, "needed", lambda engine: True)
    monkeypatch.setattr("core.runs.journal.needed", lambda engine: True)
    run = store.create(WalkJob(warm=0, steps=3), queued=False)
    recorder.execute(run.id, on_record=lambda record: os.kill(os.getpid(), signal.SIGTERM))
    row, *_ = snapshot(store, run.id)
    assert row.status == "running" and row.heartbeat is None
    assert store.get(run.id).status == "interrupted"


def test_a_process_says_that_it_lives_where_others_may_ask(store, monkeypatch):
    monkeypatch.setattr(heartbeats, "EVERY", 0.01)
    run = store.create(WalkJob(warm=0, steps=20, seconds=0.02), queued=False)
    seen = set()

    def look(record):
        with store.engine.connect() as connection:
            seen.add(connection.execute(runs.select().where(runs.c.id == run.id)).one().heartbeat)

    recorder.execute(run.id, on_record=look)
    if heartbeats.needed(store.engine):
        assert len(seen) > 5 and all(abs(time.time() - beat) < 60 for beat in seen)
    else:
        assert seen == {None}
    assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]

"""A run killed at any moment becomes the run it would have been: compared at tolerance 0."""

import os
import random
import signal
import time

import pytest
from run_helpers import changes_of, checkpoint_always, curve, eventually, true_curve
from walk_job import WalkJob

from core.errors import PlaygroundError
from core.runs import checkpoints, recorder

POSIX = pytest.mark.skipif(os.name == "nt", reason="forks and SIGKILL")


@POSIX
def test_killed_at_random_moments_and_changed_on_the_way(store, execute_in_child, tmp_path):
    job = WalkJob(warm=30, steps=170, seconds=0.003, seed=7)
    run = store.create(job, queued=False)
    when = random.Random(1)
    kills = 0
    while store.get(run.id).status != "finished":
        before = len(store.steps(run.id))
        often = when.choice([0.0, 0.05])
        pid = execute_in_child(run.id, prepare=checkpoint_always, checkpoint_seconds=often)
        if kills < 12:
            beyond = before + when.randint(2, 8)
            eventually(lambda beyond=beyond: len(store.steps(run.id)) > beyond)
            store.set_control(run.id, "learning_rate", when.uniform(0.05, 0.5))
            time.sleep(when.uniform(0.0, 0.05))
            os.kill(pid, signal.SIGKILL)
        code = os.waitpid(pid, 0)[1]
        assert code == (signal.SIGKILL if kills < 12 else 0)
        if code:
            kills += 1
            assert store.get(run.id).status == "interrupted"  # at once
    assert kills == 12
    changes = changes_of(store, run)
    assert len(changes) >= 3, "too few changes fell into the run for the test to mean anything"
    assert curve(store.steps(run.id)) == true_curve(job, tmp_path / "true", changes)
    assert store.get(run.id).result == {"at": store.steps(run.id)[-1].metrics["at"]}


@POSIX
@pytest.mark.parametrize("moment", range(1, 16))
def test_killed_in_the_middle_of_a_checkpoint(store, execute_in_child, tmp_path, moment):
    job = WalkJob(warm=2, steps=6, seed=3)
    run = store.create(job, queued=False)

    def kill_at_the_moment():
        checkpoint_always()
        calls = iter(range(1, 1000))
        sync = os.fsync

        def fsync(descriptor: int) -> None:
            if next(calls) == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            sync(descriptor)

        os.fsync = fsync

    pid = execute_in_child(run.id, prepare=kill_at_the_moment, checkpoint_seconds=0.0)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    assert recorder.execute(run.id).status == "finished"
    assert curve(store.steps(run.id)) == true_curve(job, tmp_path / "true")


@POSIX
def test_a_change_asked_for_while_dead_waits_until_the_seen_curve_is_retraced(store, execute_in_child, tmp_path):
    job = WalkJob(warm=2, steps=30, seconds=0.02)
    run = store.create(job, queued=False)
    pid = execute_in_child(run.id)  # saves after step 1 only
    eventually(lambda: len(store.steps(run.id)) >= 6)
    store.set_control(run.id, "learning_rate", 0.5)
    eventually(lambda: store.controls(run.id)[0].number)
    eventually(lambda: len(store.steps(run.id)) >= 12)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    seen = curve(store.steps(run.id))
    store.set_control(run.id, "learning_rate", 0.01)
    recorder.execute(run.id)
    before, after = store.controls(run.id)
    assert before.number <= len(seen) < after.number == len(seen) + 1
    whole = curve(store.steps(run.id))
    assert whole[: len(seen)] == seen
    assert whole == true_curve(job, tmp_path / "true", changes_of(store, run))


@POSIX
def test_sigterm_saves_behind_the_update_it_fell_into(store, execute_in_child, tmp_path):
    job = WalkJob(steps=40, seconds=0.02)
    run = store.create(job, queued=False)
    pid = execute_in_child(run.id)
    eventually(lambda: len(store.steps(run.id)) >= 8)
    os.kill(pid, signal.SIGTERM)
    assert os.waitpid(pid, 0)[1] == 0
    assert store.get(run.id).status == "interrupted"
    number, _ = checkpoints.load(run.folder / "checkpoints")
    assert number == len(store.steps(run.id)) < 45
    recorder.execute(run.id)
    assert curve(store.steps(run.id)) == true_curve(job, tmp_path / "true")


@POSIX
def test_a_living_run_is_carried_out_once(store, execute_in_child):
    run = store.create(WalkJob(steps=100, seconds=0.05), queued=False)
    execute_in_child(run.id)
    eventually(lambda: store.steps(run.id))
    with pytest.raises(PlaygroundError, match="at work"):
        recorder.execute(run.id)
    with pytest.raises(PlaygroundError, match="at work"):
        store.delete(run.id)
    assert store.get(run.id).status == "running"


def test_a_change_for_a_failed_run_is_applied_where_it_failed(store):
    failing = WalkJob(steps=20, fail_at=9, fail_with="nan")
    run = store.create(failing, queued=False)
    assert recorder.execute(run.id).status == "failed"
    store.set_control(run.id, "learning_rate", 0.02)
    assert recorder.execute(run.id).status == "failed"
    assert store.controls(run.id)[0].number == 5 + 9


def test_a_finished_run_is_over(store):
    run = store.create(WalkJob(), queued=False)
    assert recorder.execute(run.id).status == "finished"
    for again in (lambda: recorder.execute(run.id), lambda: store.set_control(run.id, "learning_rate", 1.0)):
        with pytest.raises(PlaygroundError, match="finished"):
            again()
    for what in ("pause", "resume", "stop"):
        with pytest.raises(PlaygroundError, match="finished"):
            store.request(run.id, what)

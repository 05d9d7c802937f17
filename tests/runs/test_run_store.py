import csv
import io
import json
import os
import subprocess
import sys
import time
import zipfile

import pytest
from run_helpers import eventually
from walk_job import WalkJob

from core import paths
from core.errors import PlaygroundError
from core.runs import locks, recorder
from core.runs.export import write_zip
from core.runs.jobs import PPOJob
from core.runs.journal import Journal
from core.runs.store import RunStore


def test_a_run_is_what_was_asked_for(store):
    job = WalkJob(seed=4, steps=9)
    run = store.create(job, run_id="my-run.1", name="First")
    assert (run.id, run.kind, run.status, run.name, run.job) == ("my-run.1", "walk", "queued", "First", job)
    assert store.create(WalkJob()).name == "A walk of 5 + 20 steps"
    assert [other.id for other in RunStore().list("walk")][-1] == "my-run.1"
    assert store.list("ppo") == []
    store.rename(run.id, "Renamed")
    assert store.get(run.id).name == "Renamed"


@pytest.mark.parametrize("bad", ["", "..", "a/b", "../../etc", "-x", "a" * 65, "a\n"])
def test_an_id_that_cannot_be_a_folder_is_refused(store, bad):
    if not bad:
        assert store.create(WalkJob(), run_id=bad).id.startswith("walk-")  # none was asked for
        return
    with pytest.raises(PlaygroundError, match="cannot name a run"):
        store.create(WalkJob(), run_id=bad)


def test_an_id_is_given_once_even_when_only_its_files_are_left(store):
    run = store.create(WalkJob(), run_id="mine")
    with pytest.raises(PlaygroundError, match="exists already"):
        store.create(WalkJob(), run_id="mine")
    store.delete("mine")
    run.folder.mkdir()
    (run.folder / "checkpoints").mkdir()
    with pytest.raises(PlaygroundError, match="earlier run"):
        store.create(WalkJob(), run_id="mine")


def test_of_a_run_whose_process_is_gone_a_stop_holds_at_once(store):
    run = store.create(WalkJob(), queued=False)
    assert store.get(run.id).status == "interrupted"
    with pytest.raises(PlaygroundError, match="is interrupted: only a running one can be paused"):
        store.request(run.id, "pause")
    store.request(run.id, "stop")
    stopped = store.get(run.id)
    assert (stopped.status, stopped.requested) == ("stopped", None) and stopped.ended is not None


def test_runs_are_found_by_their_settings(store):
    for seed in (1, 2, 1):
        store.create(WalkJob(seed=seed))
    assert len(store.list("walk", seed=1)) == 2 and store.list("walk", seed=3) == []


def test_unknown_runs_say_so(store):
    for ask in (store.get, store.delete, store.disk_use, store.metrics_csv, lambda run_id: store.rename(run_id, "x")):
        with pytest.raises(PlaygroundError, match="no run named nothing"):
            ask("nothing")
    assert not (store.create(WalkJob()).folder.parent / "nothing").exists()


def test_what_was_recorded_reads_back(store):
    run = store.create(WalkJob(warm=3, steps=4), queued=False)
    seen = []
    done = recorder.execute(run.id, on_record=lambda record: seen.append(record.metrics))
    assert (done.status, done.stage, done.step, done.total, done.error) == ("finished", "walk", 4, 4, None)
    assert done.created <= done.started <= done.ended <= time.time()
    steps = store.steps(run.id)
    assert [step.number for step in steps] == list(range(1, 8))
    assert [step.metrics for step in steps] == seen
    assert [step.number for step in store.steps(run.id, after=5)] == [6, 7]
    assert store.samples(run.id) == [{"at": steps[-1].metrics["at"]}]
    assert store.samples(run.id, number=2) == [{"at": steps[1].metrics["at"]}]
    assert store.samples(run.id, number=1) == []
    assert done.result == {"at": steps[-1].metrics["at"]}


def test_a_reader_sees_every_step_within_a_second(store, execute_in_child):
    run = store.create(WalkJob(warm=20, steps=30, seconds=0.03), queued=False)
    execute_in_child(run.id)
    lags = []
    while store.get(run.id).status != "finished":
        new = store.steps(run.id, after=len(lags))
        lags += [time.time() - step.time for step in new]
        time.sleep(0.01)
    assert len(lags) >= 45, "the reader came too late to see them come"
    assert max(lags) < 1.0


def test_a_run_that_finishes_between_two_looks_did_not_die(store, monkeypatch):
    run = store.create(WalkJob(), queued=False)
    journal = Journal(store.engine, run.id)

    def finishes_now(run_id: str) -> bool:
        journal.end("finished", 0)
        return False

    monkeypatch.setattr(locks, "is_alive", finishes_now)
    assert store.get(run.id).status == "finished"


def test_changes_are_held_against_the_bounds_of_the_setting(store):
    run = store.create(WalkJob())
    for field, value in (
        ("learning_rate", 11.0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("seed", 1.0),
    ):
        with pytest.raises(PlaygroundError, match=field):
            store.set_control(run.id, field, value)
    store.set_control(run.id, "learning_rate", 0.5)
    assert [(change.field, change.value, change.number) for change in store.controls(run.id)] == [
        ("learning_rate", 0.5, None)
    ]


def test_requests_for_a_run_without_a_process_hold_at_once(store):
    run = store.create(WalkJob())
    with pytest.raises(PlaygroundError, match="only a running one"):
        store.request(run.id, "pause")
    store.request(run.id, "stop")
    assert store.get(run.id).status == "stopped"
    store.request(run.id, "resume")
    assert store.get(run.id).status == "queued"
    assert recorder.execute(run.id).status == "finished"


def test_the_csv_has_a_column_for_every_metric(store):
    run = store.create(WalkJob(warm=1, steps=2), queued=False)
    recorder.execute(run.id)
    rows = list(csv.DictReader(io.StringIO(store.metrics_csv(run.id))))
    assert [(row["number"], row["stage"], row["step"]) for row in rows] == [
        ("1", "warm", "1"),
        ("2", "walk", "1"),
        ("3", "walk", "2"),
    ]
    assert [float(row["at"]) for row in rows] == [step.metrics["at"] for step in store.steps(run.id)]


def test_the_zip_has_the_results_and_not_the_working_files(store):
    run = store.create(WalkJob(warm=1, steps=2), queued=False)
    half_written = run.folder / ".policy-x7f2" / "model.safetensors"
    half_written.parent.mkdir()
    half_written.write_bytes(b"killed in the middle")
    with pytest.raises(PlaygroundError, match="no weights yet"):
        write_zip(store.get(run.id), store.metrics_csv(run.id), io.BytesIO())
    done = recorder.execute(run.id)
    out = io.BytesIO()
    write_zip(store.get(run.id), store.metrics_csv(run.id), out)
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        names = {f"{run.id}/{name}" for name in ("run.json", "metrics.csv", "walked/at.txt")}
        assert set(archive.namelist()) == names
        assert float(archive.read(f"{run.id}/walked/at.txt")) == done.result["at"]
        assert json.loads(archive.read(f"{run.id}/run.json"))["result"] == done.result
    assert not half_written.parent.exists()  # whoever carries the run out cleans up first


def test_a_data_folder_that_was_moved_has_what_its_runs_began_with(store, tmp_path, monkeypatch):
    judge, elsewhere = paths.run_folder("judge") / "reward_model", tmp_path / "reward_model"
    judge.mkdir()
    for name, reward_model in (("inside", judge), ("outside", elsewhere)):
        store.create(PPOJob(reward_model=str(reward_model)), run_id=name, queued=False)
    moved = paths.home().rename(paths.home().with_name("moved"))
    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(moved))
    assert store.get("inside").job.reward_model == str(moved / "runs" / "judge" / "reward_model")
    assert store.get("outside").config["reward_model"] == str(elsewhere)


def test_a_run_whose_folder_lies_on_another_disk_is_deleted_whole(store, tmp_path):
    run = store.create(WalkJob(), queued=False)
    run.folder.mkdir(exist_ok=True, parents=True)
    run.folder.rename(tmp_path / "disk")
    run.folder.symlink_to(tmp_path / "disk")
    store.delete(run.id)
    assert not (tmp_path / "disk").exists() and not run.folder.is_symlink()
    store.create(WalkJob(), run_id=run.id)


def test_disk_use_counts_and_delete_frees(store):
    run = store.create(WalkJob(), queued=False)
    recorder.execute(run.id)
    (run.folder / "large").write_bytes(b"x" * 100_000)
    everything = sum(file.stat().st_size for file in run.folder.rglob("*") if file.is_file())
    assert store.disk_use(run.id) == everything > 100_000
    store.delete(run.id)
    assert not run.folder.exists()
    assert store.list() == []
    assert (store.steps(run.id), store.samples(run.id), store.controls(run.id)) == ([], [], [])


def test_reading_and_steering_runs_does_not_import_torch():
    code = (
        "import sys; from core.runs import store, supervisor, jobs, shelf; s = store.RunStore(); s.list(); supervisor.tick();"
        "heavy = {'torch', 'transformers', 'sklearn', 'streamlit', 'numpy'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ, timeout=60)


def test_a_paused_run_whose_process_died_is_interrupted(store, execute_in_child):
    run = store.create(WalkJob(steps=500, seconds=0.01), queued=False)
    pid = execute_in_child(run.id)
    eventually(lambda: store.steps(run.id))
    store.request(run.id, "pause")
    eventually(lambda: store.get(run.id).status == "paused")
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    assert store.get(run.id).status == "interrupted"

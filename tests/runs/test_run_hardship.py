"""The disk fills, the database is locked or cannot be written, memory ends, numbers burst, an update never ends.

Each time the run says why it failed, nothing half-written stays, and everything else goes on.
"""

import contextlib
import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from run_helpers import eventually
from walk_job import WalkJob

from core.cli import main
from core.database import engine as engines
from core.errors import PlaygroundError
from core.feedback.store import FeedbackStore, NewPair
from core.paths import home
from core.record import Record
from core.runs import checkpoints, last_words, locks, recorder, watchdog
from core.runs.jobs import JOBS, PPOJob
from core.runs.store import RunStore
from tests import tiny
from tests.runs.test_branch_ppo import PPO, job  # noqa: F401 - a fixture

POOL = ("storyteller", "stories")


class HardJob(WalkJob):
    """A walk whose every step leaves `megabytes` on the disk, or saves them, takes `memory` MB more, or never ends."""

    kind = "hard"
    megabytes: float = 0.0
    saves: float = 0.0
    memory: int = 0
    endless: bool = False

    def records(self, folder, state, controls) -> Iterator[Record]:
        held = []
        for record in super().records(folder, state, controls):
            if self.memory:
                held.append(torch.ones(self.memory * 2**18))
            if self.endless and record.stage == "walk":
                time.sleep(600)
            rollout = {"noise": torch.rand(int(self.megabytes * 2**18) or 1)} if self.megabytes else None
            state = {"noise": torch.rand(int(self.saves * 2**18))} if self.saves else record.state()
            yield Record(**{**vars(record), "rollout": rollout, "state": lambda state=state: state})


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setitem(JOBS, "hard", HardJob)
    monkeypatch.setattr(last_words, "_PAUSE_SECONDS", 0.05)


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A data folder on a disk of its own, of 6 MB: where one may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(place / "home"))
    yield place
    for engine in engines._engines.values():
        engine.dispose()
    engines._engines.clear()
    subprocess.run(["umount", "-l", place], check=True)


def unfinished(folder: Path) -> list[Path]:
    return [entry for entry in folder.rglob("*") if entry.name.startswith(".unfinished") or entry.suffix == ".tmp"]


def with_pairs(count: int = 3) -> FeedbackStore:
    store = FeedbackStore()
    store.add_pairs([NewPair(f"p{n}", f"a{n}", f"b{n}", *POOL) for n in range(count)], "test")
    return store


def fill(small_disk) -> None:
    with contextlib.suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))


def test_a_disk_that_fills_fails_the_run_with_its_reason_and_votes_go_on_when_there_is_room(small_disk):
    votes, store = with_pairs(), RunStore()
    run = store.create(HardJob(steps=40, megabytes=0.5), queued=False)
    failed = recorder.execute(run.id, checkpoint_seconds=0.0)
    assert failed.status == "failed"
    assert failed.error == f"The disk that holds {run.folder} is full: free some space, then resume the run."
    assert unfinished(run.folder) == []
    assert len(store.steps(run.id)) >= 3
    fill(small_disk)
    many = [NewPair(f"more {place}", "a" * 4000, "b" * 4000, *POOL) for place in range(200)]
    with pytest.raises(PlaygroundError, match=r"The database .*: the disk is full, free some space"):
        votes.add_pairs(many, "test")  # more than SQLite has left in its pages
    assert votes.pairs_written(*POOL) == 3
    (small_disk / "filler").unlink()
    store.delete(run.id)
    assert votes.vote(votes.next_pair("ann", *POOL), "ann", "left").id
    again = store.create(WalkJob(steps=3), queued=False)
    assert recorder.execute(again.id).status == "finished"


def test_a_checkpoint_that_fills_the_disk_says_so(small_disk):
    failed = recorder.execute(RunStore().create(HardJob(steps=4, saves=8.0), queued=False).id, checkpoint_seconds=0.0)
    assert failed.error == f"The disk that holds {failed.folder} is full: free some space, then resume the run."
    assert "unexpected pos" in failed.log.read_text()  # torch's own words


def test_on_a_full_disk_a_database_that_cannot_even_be_read_says_so(small_disk, capsys):
    RunStore()
    for engine in engines._engines.values():
        engine.dispose()
    engines._engines.clear()
    fill(small_disk)
    assert main(["runs", "list"]) == 2
    told = capsys.readouterr().err
    assert told.endswith(f"playground.db: the disk is full, free some space where {home()} lies\n"), told


def test_a_disk_too_full_for_the_reason_itself_says_it_when_there_is_room(store, monkeypatch, capsys):
    """Neither the log nor the row can be written at first: the row is written as soon as it can."""
    run = store.create(WalkJob(steps=8, fail_at=4, fail_with="disk"), queued=False)
    (run.folder / "log.txt").mkdir()  # no file can be opened here
    (run.folder / "checkpoints" / ".unfinished").mkdir(parents=True)
    (run.folder / "weights").mkdir()
    (run.folder / "weights" / ".unfinished").write_bytes(b"half")
    refusals = iter([PlaygroundError("The database: database or disk is full")] * 3)
    end = recorder.Journal.end

    def full(self, *arguments):
        for refusal in refusals:
            raise refusal
        return end(self, *arguments)

    monkeypatch.setattr(recorder.Journal, "end", full)
    failed = recorder.execute(run.id)
    assert (failed.status, "is full: free some space" in failed.error) == ("failed", True)
    assert unfinished(run.folder) == []


def test_a_read_only_data_folder_is_one_sentence_everywhere(small_disk, capsys):
    votes = with_pairs()
    shown = votes.next_pair("ann", *POOL)
    for engine in engines._engines.values():
        engine.dispose()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(PlaygroundError, match=f"^The database .*: the data folder {home()} is read-only"):
        votes.vote(shown, "ann", "left")
    for arguments in (["runs", "list"], ["preferences", "stats"], ["loop", "--pairs", "8"]):
        engines._engines.clear()
        assert main(arguments) == 2
        told = capsys.readouterr().err.splitlines()
        assert len(told) == 1 and f"playground.db: the data folder {home()} is read-only" in told[0], told
    assert main(["preferences", "simulate", "--out", str(small_disk / "x.jsonl")]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"error: {small_disk / 'x.jsonl'} cannot be written: the folder {small_disk} is read-only")


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(PlaygroundError, match=r"file/home cannot be made .*RLHF_PLAYGROUND_HOME"):
        home()


@pytest.fixture
def impatient(monkeypatch):
    """Writers wait 0.2 s for a locked database, and not half a minute."""
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.2)
    monkeypatch.setattr(engines, "_engines", {})


@contextlib.contextmanager
def locked() -> Iterator[None]:
    connection = sqlite3.connect(home() / "playground.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


def test_a_vote_on_a_locked_database_is_refused_and_can_be_given_again(impatient):
    votes = with_pairs()
    shown = votes.next_pair("ann", *POOL)
    with locked():
        with pytest.raises(PlaygroundError, match="database is locked"):
            votes.vote(shown, "ann", "left")
        assert votes.votes("ann") == []  # readers do not wait
    votes.vote(shown, "ann", "left")
    assert len(votes.votes("ann")) == 1


def test_a_run_whose_database_is_locked_too_long_fails_with_that_reason_and_resumes(impatient, monkeypatch):
    store = RunStore()
    run = store.create(WalkJob(steps=6), queued=False)
    holding = contextlib.ExitStack()

    def lock(record):
        if record.stage == "walk" and record.step == 3:
            holding.enter_context(locked())

    monkeypatch.setattr(last_words, "time", SimpleNamespace(sleep=lambda seconds: holding.close()))
    failed = recorder.execute(run.id, on_record=lock)
    assert failed.status == "failed"
    assert "database is locked" in failed.error
    store.request(run.id, "resume")
    assert recorder.execute(run.id).status == "finished"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="RLIMIT_AS is kept by Linux alone")
def test_a_worker_without_memory_says_so_and_the_next_run_trains(store, execute_in_child):
    def little_memory():
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20,) * 2)

    run = store.create(HardJob(steps=40, memory=64), queued=False)
    pid = execute_in_child(run.id, prepare=little_memory)
    assert os.waitpid(pid, 0)[1] == 0
    failed = store.get(run.id)
    assert failed.status == "failed"
    assert failed.error.startswith("The machine ran out of memory: close other programs")
    assert "DefaultCPUAllocator" in failed.log.read_text()
    assert not locks.is_training()
    assert recorder.execute(store.create(WalkJob(steps=3), queued=False).id).status == "finished"


def test_an_update_that_never_ends_fails_its_run_and_frees_the_turn(store, execute_in_child, monkeypatch):
    monkeypatch.setenv("RLHF_PLAYGROUND_UPDATE_MINUTES", "0.02")
    run = store.create(HardJob(warm=2, steps=4, endless=True))
    pid = execute_in_child(run.id, from_queue=True)
    assert os.waitpid(pid, 0)[1] == 0
    failed = store.get(run.id)
    assert failed.status == "failed"
    assert failed.error.startswith("An update did not end within 0.02 minutes: make it smaller")
    assert len(store.steps(run.id)) == 2
    assert not locks.is_training()
    assert recorder.execute(store.create(WalkJob(steps=3), queued=False).id).status == "finished"


def test_a_wish_to_stop_is_granted_even_in_an_update_that_never_ends(store, execute_in_child, monkeypatch):
    monkeypatch.setattr(watchdog, "_STOP_SECONDS", 0.2)
    monkeypatch.setattr(watchdog, "_LOOK_SECONDS", 0.05)
    run = store.create(HardJob(warm=2, steps=4, endless=True))
    pid = execute_in_child(run.id, from_queue=True)
    eventually(lambda: len(store.steps(run.id)) == 2)
    store.request(run.id, "stop")
    assert os.waitpid(pid, 0)[1] == 0
    assert store.get(run.id).status == "stopped"
    assert "in the middle of an update" in store.get(run.id).error


def test_long_pauses_and_slow_updates_are_no_endless_ones(store, execute_in_child, monkeypatch):
    monkeypatch.setenv("RLHF_PLAYGROUND_UPDATE_MINUTES", "0.01")
    run = store.create(WalkJob(warm=0, steps=8, seconds=0.2))
    pid = execute_in_child(run.id, from_queue=True)
    eventually(lambda: store.steps(run.id))
    store.request(run.id, "pause")
    eventually(lambda: store.get(run.id).status == "paused")
    time.sleep(1.5)
    store.request(run.id, "resume")
    assert os.waitpid(pid, 0)[1] == 0
    assert store.get(run.id).status == "finished"


@pytest.mark.parametrize("given", ["soon", "0", "-1", "nan"])
def test_the_time_an_update_may_take_is_a_number(monkeypatch, given):
    monkeypatch.setenv("RLHF_PLAYGROUND_UPDATE_MINUTES", given)
    with pytest.raises(PlaygroundError, match="RLHF_PLAYGROUND_UPDATE_MINUTES is a number of minutes above 0"):
        watchdog.update_seconds()


def test_weights_that_burst_fail_the_run_in_words(store, job):  # noqa: F811
    broken = tiny.gpt2()
    torch.nn.init.constant_(broken.transformer.h[0].mlp.c_fc.weight, 3e38)  # finite, and no sum of them is
    broken.save_pretrained(job.model)
    failed = recorder.execute(store.create(job, queued=False).id)
    assert failed.status == "failed"
    assert failed.error.startswith("The numbers stopped being finite (")
    assert failed.error.endswith("start again with a lower learning rate.")


def test_a_run_goes_on_with_the_reward_model_it_began_with_or_not_at_all(store, job):  # noqa: F811
    run = store.create(job, queued=False)

    def leave(record):
        if record.step == 2:
            store.request(run.id, "stop")

    assert recorder.execute(run.id, on_record=leave, checkpoint_seconds=1e-9).status == "stopped"
    file = Path(job.reward_model) / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-4] + b"\x00\x00\x80\x3f")  # one weight is 1 now
    failed = recorder.execute(run.id)
    assert failed.status == "failed" and "another reward model than this run began with" in failed.error
    file.write_bytes(whole)
    assert recorder.execute(run.id).status == "finished"


def test_a_policy_that_never_ends_its_text_is_cut_and_told(store, job):  # noqa: F811
    """The end token's logit is the lowest there is: every response is cut at its longest, and the run goes on."""
    endless = tiny.gpt2()
    with torch.no_grad():
        endless.lm_head.weight[0] = 0.0
        endless.transformer.ln_f.bias.fill_(0.0)
    endless.save_pretrained(job.model)
    done = recorder.execute(store.create(job, queued=False).id)
    assert done.status == "finished"
    assert len(store.steps(done.id)) == PPO.updates
    assert isinstance(job, PPOJob)


@pytest.mark.parametrize("given", ["abc", "0", "-1", "nan"])
def test_a_time_between_checkpoints_that_is_none_is_told_before_anything_runs(store, monkeypatch, given):
    run = store.create(WalkJob(), queued=False)
    monkeypatch.setenv("RLHF_PLAYGROUND_CHECKPOINT_SECONDS", given)
    with pytest.raises(PlaygroundError, match="RLHF_PLAYGROUND_CHECKPOINT_SECONDS is a number of seconds above 0"):
        recorder.execute(run.id)
    assert store.steps(run.id) == []


def test_the_time_between_checkpoints_is_kept_at_the_command_line_too(store, monkeypatch):
    monkeypatch.setattr(recorder, "_CHECKPOINT_SHARE", 1e9)
    seen = {}
    for often in ("1e-9", "1000"):
        run = store.create(WalkJob(warm=0, steps=6), queued=False)
        monkeypatch.setenv("RLHF_PLAYGROUND_CHECKPOINT_SECONDS", often)
        recorder.execute(run.id)
        seen[often] = checkpoints.kept(run.folder / "checkpoints")
    assert seen == {"1e-9": [5, 6], "1000": [1]}

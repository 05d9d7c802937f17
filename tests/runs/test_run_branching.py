"""A branch without changes is the run it came from; with changes, the run that was changed at that step."""

import pytest
from run_helpers import changes_of, curve, true_curve
from walk_job import WalkJob

from core.cli.main import main
from core.errors import PlaygroundError
from core.runs import branching, checkpoints, recorder, supervisor

JOB = WalkJob(warm=3, steps=12, seed=5)


@pytest.fixture
def finished(store, monkeypatch):
    """A walk with a checkpoint behind every step of which two are kept, changed on the way at its sixth step."""
    monkeypatch.setattr(recorder, "_CHECKPOINT_SHARE", 1e9)
    run = store.create(JOB, "origin", queued=False)

    def change(record):
        if record.stage == "walk" and record.step == 2:
            store.set_control(run.id, "learning_rate", 0.4)

    return recorder.execute(run.id, on_record=change, checkpoint_seconds=0.0)


def test_without_a_change_the_branch_is_its_origin_bit_for_bit(store, finished):
    points = branching.branch_points(finished)
    assert points == [14, 15]
    new = branching.branch("origin", "twin", at=14)
    assert new.status == "interrupted"
    assert [step.number for step in store.steps("twin")] == list(range(1, 15))
    assert changes_of(store, "twin") == changes_of(store, "origin") == {6: {"learning_rate": 0.4}}
    assert store.samples("twin", 13) == store.samples("origin", 13) != []
    assert recorder.execute("twin").status == "finished"
    assert curve(store.steps("twin")) == curve(store.steps("origin"))
    assert store.get("twin").result == finished.result
    assert branching.origin_of(new) == branching.Origin("origin", 14)
    assert branching.origin_of(finished) is None


def test_a_change_takes_hold_at_the_very_next_step(store, finished, tmp_path):
    branching.branch("origin", "faster", at=14, changes={"learning_rate": 2.0})
    recorder.execute("faster")
    assert changes_of(store, "faster") == {6: {"learning_rate": 0.4}, 15: {"learning_rate": 2.0}}
    assert curve(store.steps("faster")) == true_curve(JOB, tmp_path / "true", changes_of(store, "faster"))
    assert curve(store.steps("faster"))[:14] == curve(store.steps("origin"))[:14]
    assert curve(store.steps("faster")) != curve(store.steps("origin"))


def test_changes_of_the_origin_behind_the_branch_point_are_not_the_branchs(store, monkeypatch):
    monkeypatch.setattr(recorder, "_CHECKPOINT_SHARE", 1e9)
    run = store.create(JOB, "late", queued=False)

    def change(record):
        if record.stage == "walk" and record.step == 11:
            store.set_control(run.id, "learning_rate", 3.0)

    recorder.execute(run.id, on_record=change, checkpoint_seconds=0.0)
    assert changes_of(store, "late") == {15: {"learning_rate": 3.0}}
    branching.branch("late", "plain", at=14)
    assert store.controls("plain") == []


def test_the_point_of_a_branch_is_kept_while_the_origin_goes_on(store, tmp_path):
    folder = tmp_path / "origin"
    for number in (1, 2):
        checkpoints.save(folder, number, {"number": number})
    checkpoints.copy_pinned(folder, 1, tmp_path / "branch", "branch")
    for number in (3, 4, 1, 5):  # 1 again: a resumed run writes over what was there
        checkpoints.save(folder, number, {"number": number})
    assert checkpoints.kept(folder) == [1, 4, 5]
    assert checkpoints.load(tmp_path / "branch") == (1, {"number": 1})


def test_a_checkpoint_is_let_go_with_the_last_branch_that_began_there(store, tmp_path):
    folder = tmp_path / "origin"
    checkpoints.save(folder, 1, {"number": 1})
    for name in ("one", "other"):
        checkpoints.copy_pinned(folder, 1, tmp_path / name, name)
    for number in (2, 3):
        checkpoints.save(folder, number, {"number": number})
    checkpoints.unpin(folder, 1, "one")
    checkpoints.unpin(folder, 7, "one")
    assert checkpoints.kept(folder) == [1, 2, 3]
    checkpoints.unpin(folder, 1, "other")
    assert checkpoints.kept(folder) == [2, 3]
    checkpoints.copy_pinned(folder, 3, tmp_path / "newest", "newest")
    checkpoints.unpin(folder, 3, "newest")
    assert checkpoints.kept(folder) == [2, 3]  # it is one of the newest two anyway


def test_deleting_a_branch_and_a_branch_that_fails_leave_no_pin(store, finished):
    pins = finished.folder / "checkpoints"
    branching.branch("origin", "gone", at=14)
    assert list(pins.glob("*/pinned"))
    store.delete("gone")
    with pytest.raises(PlaygroundError, match="pace"):
        branching.branch("origin", "never", at=14, changes={"pace": 1.0})
    assert not list(pins.glob("*/pinned")) and checkpoints.kept(pins) == [14, 15]


def test_the_newest_is_branched_when_none_is_named(store, finished):
    assert branching.origin_of(branching.branch("origin")) == branching.Origin("origin", 15)


@pytest.mark.parametrize(
    ("at", "changes", "words"),
    [(7, {}, "those kept lie behind 14, 15"), (14, {"learning_rate": 99.0}, "learning"), (14, {"pace": 1.0}, "pace")],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(store, finished, at, changes, words):
    with pytest.raises(PlaygroundError, match=words):
        branching.branch("origin", "never", at=at, changes=changes)
    assert [run.id for run in store.list()] == ["origin"]
    assert not (finished.folder.parent / "never").exists()


def test_a_branch_begins_by_itself(store, finished, walk_workers):
    new = supervisor.branch("origin", at=14)
    assert store.get(new).status in ("queued", "running", "finished")


def test_from_the_command_line(store, finished, capsys):
    arguments = ["runs", "branch", "origin", "--run-id", "cli", "--at", "14", "--learning-rate", "1.5"]
    assert main(arguments) == 0
    assert "finished" in capsys.readouterr().out
    assert changes_of(store, "cli")[15] == {"learning_rate": 1.5}
    assert main(["runs", "branch", "origin", "--at", "3"]) == 2
    assert "those kept lie behind 14, 15" in capsys.readouterr().err

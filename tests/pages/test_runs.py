"""Runs: the list, one run's details, several runs over each other, and what can be taken away or thrown away."""

import io
import json
import zipfile

import pytest

from core.errors import PlaygroundError
from core.runs import locks
from core.runs.store import RunStore
from pages._runs.listing import ago, megabytes
from tests.pages.page_helpers import a_run, fine, loop_records, opened, said


@pytest.fixture(autouse=True)
def nobody_trains(monkeypatch):
    monkeypatch.setattr("core.runs.supervisor.tick", lambda: None)


def rows(at):
    (component,) = at.get("bidi_component")
    return json.loads(component.proto.json)["rows"]


def press(at, label):
    return fine(next(button for button in at.button if button.label == label).click().run())


def test_nothing_yet_says_where_to_begin():
    assert "Nothing has been trained here yet" in said(opened("runs"))


def test_the_list_has_every_run_newest_first_with_how_far_it_is():
    a_run("reward", "failed", preferences=["votes"], error="no votes", run_id="first")
    a_run("loop", "running", loop_records(), run_id="second")
    with locks.run_lock("second"):
        listed = rows(opened("runs"))
    assert [(row["id"], row["state"], row["chosen"]) for row in listed] == [
        ("second", "running · ppo 3 of 3", True),
        ("first", "failed", False),
    ]
    assert listed[0]["progress"] == 1.0


def test_one_run_shows_its_curve_settings_result_and_error():
    run = a_run("loop", "failed", loop_records({"kl": 8.75}), error="The loss is not a number.")
    run.log.write_text("Traceback: the end\n")
    at = opened("runs", show=run.id)
    words = said(at)
    assert "The loss is not a number." in words
    assert "Traceback: the end" in words
    assert json.loads(at.json[0].value)["annotator"] == "sunny"
    assert json.loads(at.json[1].value) == {"kl": 8.75}
    (metric,) = at.selectbox
    assert metric.value == "objective/scores"
    assert {"loss", "objective/kl_exact", "heldout/accuracy"} <= set(metric.options)
    assert "objective/scores against the step" in at.get("vega_lite_chart")[0].proto.alt


def test_the_url_chooses_runs_and_metric():
    for name in ("one", "two"):
        a_run("loop", records=loop_records(), run_id=name)
    a_run("reward", preferences=["votes"], run_id="three")
    at = opened("runs", show="one,two,three", metric="objective/kl")
    assert [row["chosen"] for row in rows(at)] == [True, True, True]
    spec = json.loads(at.get("vega_lite_chart")[0].proto.spec)
    assert set(spec["encoding"]["color"]["scale"]["domain"]) == {"one", "two"}
    assert "Without this metric: three." in said(at)


def test_a_run_is_paused_resumed_and_stopped_from_here():
    run = a_run("loop", "running", loop_records())
    with locks.run_lock(run.id):
        press(opened("runs"), "Pause")
        assert RunStore().get(run.id).requested == "pause"
    press(opened("runs"), "Resume")
    assert RunStore().get(run.id).status == "queued"
    press(opened("runs"), "Stop")
    assert RunStore().get(run.id).status == "stopped"


def test_a_run_is_deleted_only_after_a_second_yes():
    run = a_run("loop", records=loop_records())
    at = press(opened("runs"), "Delete")
    assert RunStore().get(run.id).folder.exists()
    assert "go for good" in said(at)
    press(at, "Delete it for good")
    with pytest.raises(PlaygroundError):
        RunStore().get(run.id)
    assert not run.folder.exists()


def test_a_run_gets_a_name_of_ones_own():
    run = a_run("loop", records=loop_records())
    at = opened("runs")
    at.text_input(key=f"name-{run.id}").set_value("High β")
    press(at, "Rename it")
    assert RunStore().get(run.id).name == "High β"


def test_downloads_hold_the_metrics_and_the_weights():
    from pages._runs.details import events_file, metrics_file, weights_file

    run = a_run("loop", records=loop_records())
    (run.folder / "policy").mkdir()
    (run.folder / "policy" / "model.safetensors").write_bytes(b"weights")
    lines = metrics_file(run.id).splitlines()
    assert lines[0].startswith("number,stage,step,time,loss,margin")
    assert len(lines) == 1 + len(loop_records())
    with zipfile.ZipFile(io.BytesIO(weights_file(run.id).read())) as archive:
        assert archive.read(f"{run.id}/policy/model.safetensors") == b"weights"
    events = events_file(run.id).read()
    assert b"brain.Event:2" in events and b"objective/kl" in events
    assert {"Metrics (CSV)", "TensorBoard", "Weights (zip)"} <= {
        button.proto.label for button in opened("runs").get("download_button")
    }


def test_what_made_room_is_said():
    run = a_run("loop", records=loop_records())
    (run.folder / "shelf_removed").write_text("12")
    assert "12 of its oldest rollouts" in said(opened("runs"))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "5 s ago"), (120, "2 min ago"), (7200, "2 h ago"), (3 * 86_400, "3 days ago"), (-3, "0 s ago")],
)
def test_times_as_people_say_them(seconds, words):
    assert ago(1000.0, now=1000.0 + seconds) == words


def test_sizes():
    assert (megabytes(1_500_000), megabytes(2_300_000_000)) == ("1.5 MB", "2.3 GB")

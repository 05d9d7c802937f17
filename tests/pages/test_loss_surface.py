"""The loss surface page: all three parts, every control, what is cached, what is measured, and URLs that mean harm."""

import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.alignment.loss_surface.surface_view import VIEW_FILE
from core.alignment.pair_term import pair_term
from core.feedback.annotators import get_annotator
from core.feedback.quartets import fill_pool
from core.feedback.store import FeedbackStore
from core.gallery import FOLDER, load_entry
from core.record import Record
from core.runs import locks
from core.runs.jobs import job_from
from core.runs.store import RunStore
from tests.pages.page_helpers import a_run, fine, opened, said

ONE, TWO, REAL = PARTS = ("One comparison", "Two weights", "The real model")


def claim(at) -> str:
    return next(element.proto.body for element in at.get("html") if 'class="claim"' in element.proto.body)


def terrain(at):
    """What the surface component was given."""
    for element in at.get("bidi_component"):
        given = json.loads(element.proto.json)
        if "walks" in given:
            return given
    raise AssertionError("no surface on the page")


@pytest.mark.parametrize("part", PARTS)
def test_each_part_opens_filled_without_a_model(part):
    at = opened("loss_surface", part=part)
    given = terrain(at)
    assert (
        given["walks"] and len(given["values"]) == len(given["xs"]) * len(given["ys"]) and None not in given["values"]
    )
    assert any(character.isdigit() for character in claim(at))
    assert not at.error and not at.warning and given["alt"]


def test_no_heavy_library_is_imported():
    program = (
        "import sys\n"
        "from tests.pages.page_helpers import opened\n"
        f"for part in {PARTS}: opened('loss_surface', part=part)\n"
        "print([name for name in ('torch', 'transformers', 'sklearn', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_one_comparison_says_the_numbers_of_the_step_shown():
    at = opened("loss_surface", part=ONE, r_w="-3.0", r_l="2.0", one_step="0")
    term = pair_term(-3, 2)
    words = said(at)
    assert f"{1 - term.probability:+.3f}" in words and f"{term.loss:.3f}" in "".join(one.value for one in at.latex)
    walk = terrain(at)["walks"][0]
    assert walk["points"][0] == pytest.approx([-3, 2, term.loss], abs=1e-4)
    arrow = np.subtract(walk["arrows"][0], walk["points"][0][:2])
    assert arrow[0] == pytest.approx(-arrow[1], abs=1e-4) and arrow[0] > 0
    fine(at.slider(key="r_w").set_value(4.0).run())
    assert terrain(at)["walks"][0]["points"][0][0] == 4.0
    shown = int(re.search(r"After step (\d+)", said(at))[1])
    loss = terrain(at)["walks"][0]["points"][shown][2]
    assert f"{1 - math.exp(-loss):.0%} of the greatest pull is left" in said(at)  # 1 − σ(Δ), and L = −log σ(Δ)


def test_a_larger_rate_makes_longer_steps_and_a_prediction_is_revealed_with_what_was_measured():
    slow = terrain(opened("loss_surface", part=ONE, one_rate="0.1"))["walks"][0]["points"]
    fast = terrain(opened("loss_surface", part=ONE, one_rate="5.0"))["walks"][0]["points"]
    assert fast[1][0] - fast[0][0] == pytest.approx(50 * (slow[1][0] - slow[0][0]), rel=1e-3)
    at = opened("loss_surface", part=ONE, one_guess="four times as hard")
    assert "You said:" in said(at) and "1.13 times" in said(at)
    assert "As you said." in said(opened("loss_surface", part=ONE, one_guess="hardly any harder"))


def test_two_weights_take_the_votes_the_features_and_the_penalty():
    at = opened("loss_surface", part=TWO)
    assert "make one bowl" in claim(at) and "simulated" in said(at)
    assert [walk["name"] for walk in terrain(at)["walks"]] == ["gradient descent", "momentum", "Adam"]
    fine(at.radio(key="two_case").set_value("agreeing alone").run())
    assert "no minimum" in claim(at) and "falls for ever" in said(at) and not terrain(at)["marks"]
    assert not any(button.key == "two_below" for button in at.button)
    fine(at.select_slider(key="two_l2").set_value(0.1).run())
    assert "These votes and the penalty make one bowl" in claim(at) and terrain(at)["marks"]
    assert "Of the votes' own loss, no." in said(at)
    fine(at.selectbox(key="two_across").set_value("length").run())
    assert terrain(at)["axes"][0] == "weight of length" and terrain(at)["axes"][1] != "weight of length"


def test_the_buttons_set_a_rate_below_and_above_the_measured_limit():
    at = opened("loss_surface", part=TWO, two_guess="it never settles")
    fine(at.button(key="two_above").click().run())
    above = at.number_input(key="two_rate").value
    assert "is above 2/λ_max, and gradient descent **jumps to and fro" in said(at)
    fine(at.button(key="two_below").click().run())
    assert at.number_input(key="two_rate").value == pytest.approx(above * 0.9 / 1.15, rel=1e-2)
    assert "is below 2/λ_max, and gradient descent **settled" in said(at)


def test_a_clicked_start_is_where_all_walks_begin_and_a_wild_one_is_brought_in():
    starts = [walk["points"][0][:2] for walk in terrain(opened("loss_surface", part=TWO, two="0.5_-1.25"))["walks"]]
    assert starts == [[0.5, -1.25]] * 3
    given = terrain(opened("loss_surface", part=TWO, two="900_-900"))
    assert given["walks"][0]["points"][0][:2] == [given["xs"][-1], given["ys"][0]]


@pytest.mark.parametrize("hostile", ["nan_inf", "<b>x</b>", "1_2_3", "_", "1e400_0", "٣_٤"])
def test_a_url_that_means_harm_changes_nothing(hostile):
    for part in PARTS:
        at = opened("loss_surface", part=part, two=hostile, two_step=hostile, one_step=hostile, one_view=hostile)
        assert np.isfinite(terrain(at)["walks"][0]["points"]).all()
    at = opened("loss_surface", part=REAL, run="<script>")
    assert at.warning and "script" in at.warning[0].value


def test_own_votes_can_be_walked_on():
    store, sunny = FeedbackStore(), get_annotator("sunny")
    fill_pool(store)
    for _ in range(24):
        pair = store.next_pair("ada", "storyteller", "stories")
        better = sunny.utility(pair.prompt, pair.left) >= sunny.utility(pair.prompt, pair.right)
        store.vote(pair, "ada", "left" if better else "right")
    at = opened("loss_surface", part=TWO, two_votes="votes of ada")
    assert "votes of ada" in said(at) and "24 votes" in said(at)


def test_the_gallerys_surface_is_a_real_runs():
    from core.language.registry import STORYTELLER, model_hash

    for name in ("loss_surface", "loss_surface_random"):
        entry = load_entry(name)
        view = entry["data"]
        assert entry["model_hash"] == model_hash(STORYTELLER)
        assert view["pairs"] == 64 and len(view["xs"]) == 25 == len(view["values"])
        assert all(value is not None for row in view["values"] for value in row)
        start, *kept = view["places"]
        assert start["step"] == 0 and start["measured"] == pytest.approx(np.log(2), abs=1e-4)
        assert len(kept) == entry["key"]["config"]["weights_kept"]
        for place in kept:
            assert place["measured"] == pytest.approx(place["recorded"], abs=2e-5)
        assert kept[-1]["below"] == pytest.approx(kept[-1]["measured"], abs=2e-5)
        assert (FOLDER / f"{name}.json").stat().st_size < 100_000
    assert sum(load_entry("loss_surface")["data"]["shares"]) > 0.5
    assert sum(load_entry("loss_surface_random")["data"]["shares"]) < 0.01


def test_a_run_without_kept_weights_is_not_offered_and_one_with_them_is_measured(monkeypatch):
    at = opened("loss_surface", part=REAL)
    assert not any(button.key == "real_measure" for button in at.button)
    run = a_run("reward", records=[Record(1, {"loss": 0.7}, "reward", 1)], preferences=["bundled:sunny"])
    for number in (1, 2, 3):
        (run.folder / "weights" / f"{number:08d}").mkdir(parents=True)
    submitted = []

    def submit(job):
        submitted.append(job)
        return RunStore().create(job, run_id="surface-1").id

    monkeypatch.setattr("core.runs.supervisor.submit", submit)
    at = opened("loss_surface", part=REAL, real_plane="random directions")
    fine(at.button(key="real_measure").click().run())
    assert submitted == [job_from("surface", {"run": run.id, "plane": "random"})]
    assert "waiting for its turn" in said(at)
    at = opened("loss_surface", part=REAL, real_plane="random directions")
    fine(at.button(key="real_measure").click().run())
    assert len(submitted) == 1  # the same again is opened, not measured twice


def half_measured():
    view = json.loads(json.dumps(load_entry("loss_surface")["data"]))
    for row, values in enumerate(view["values"]):
        view["values"][row] = [value if row % 4 == column % 4 == 0 else None for column, value in enumerate(values)]
    for place in view["places"]:
        place["measured"] = place["below"] = None
    return view


def test_a_surface_being_measured_fills_in_and_says_how_far_it_is():
    run = a_run("surface", "running", [Record(8, {"points": 49.0}, "surface", 110)], run="reward-x")
    (run.folder / VIEW_FILE).write_text(json.dumps(half_measured()))
    with locks.run_lock(run.id):
        at = opened("loss_surface", run=run.id)
        assert "49 of 625 points measured, the others borrow" in said(at)
        assert None not in terrain(at)["values"]


@pytest.mark.parametrize("plane", ["path", "random"])
@pytest.mark.parametrize("status", ["paused", "stopped"])
def test_a_surface_that_stopped_before_its_places_were_measured_is_shown_as_far_as_it_came(plane, status):
    view = half_measured() | {"plane": plane}
    for place in view["places"]:
        place["measured"] = place["below"] = None
    run = a_run("surface", status, [Record(8, {"points": 49.0}, "surface", 110)], run="reward-x", plane=plane)
    (run.folder / VIEW_FILE).write_text(json.dumps(view))
    with locks.run_lock(run.id):
        words = said(opened("loss_surface", run=run.id))
    assert "once the losses at the path's own places are measured" in words


def test_a_finished_surface_is_explained():
    run = a_run("surface", "finished", [Record(110, {}, "surface", 110)], run="reward-x")
    (run.folder / VIEW_FILE).write_text(json.dumps(load_entry("loss_surface")["data"]))
    at = opened("loss_surface", run=run.id)
    assert "625 of 625 points measured" in said(at) and "of the variance" in said(at) and "live" in said(at)
    assert "million weights walked from a loss of 0.693" in claim(at)


def test_of_a_path_that_was_taken_back_it_says_where_training_had_been():
    def page(view) -> None:
        from pages._loss_surface.real_picture import explain

        explain(view, 0)

    place = {"x": 0.0, "y": 0.0, "beside": 0.1, "far": 0.2, "recorded": 0.6, "measured": 0.6, "below": 0.61}
    view = {
        "places": [place | {"step": step} for step in (0, 30, 50)],
        "plane": "path",
        "shares": [0.7, 0.2],
        "xs": [-1.0, 0.0, 1.0],
        "ys": [-1.0, 0.0, 1.0],
        "values": [[0.6] * 3] * 3,
        "weights": 1_000_000,
        "rounding": None,
        "pairs": 64,
        "of": 64,
    }
    for went_to, said_so in ((70, True), (50, False)):
        at = AppTest.from_function(page, args=(view | {"went_to": went_to},)).run()
        words = " ".join(one.value for one in at.markdown)
        assert ("early stopping put back" in words and "to step 70" in words) == said_so, at.exception

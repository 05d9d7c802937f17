"""Reward model as a person meets it: a result at once, training on chosen votes, and the score of any text."""

import json
import math

import pytest
from streamlit.testing.v1 import AppTest

from core.feedback.store import FeedbackStore, NewPair
from core.record import Record
from core.runs import locks
from core.runs.store import RunStore
from tests.pages.page_helpers import LOOP_RESULT, a_run, fine, opened, said

PAIRS = [
    NewPair(f"Once there was a cat {n}.", f" It was happy and ran {n}.", f" It was sad.{n}", "storyteller", "stories")
    for n in range(12)
]
BINS = [{"confidence": 0.6, "accuracy": 0.5, "pairs": 60}, {"confidence": 0.9, "accuracy": 0.8, "pairs": 40}]
RESULT = {
    "accuracy_heldout": 0.75, "log_loss_heldout": 0.52, "calibration_error_heldout": 0.04,
    "pairs_train": 460, "pairs_heldout": 100, "pairs_per_second": 88.0, "seconds": 5.0,
}  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch):
    """Runs are queued and stay so: what a worker does is tested elsewhere."""
    monkeypatch.setattr("core.runs.supervisor.tick", lambda: None)
    monkeypatch.setattr("core.feedback.sources.bundled_pairs", lambda: PAIRS)


def steps(accuracy: float = 0.75, result: dict | None = None) -> list[Record]:
    first = {"loss": 0.693, "accuracy": 0.5, "margin": 0.0, "grad_norm": 3.0}
    last = {"loss": 0.5, "accuracy": 0.8, "margin": 0.9, "grad_norm": 1.5}
    held = {"heldout/accuracy": accuracy, "heldout/log_loss": 0.52, "heldout/calibration_error": 0.04}
    return [Record(1, first, "reward", 2), Record(2, last | held, "reward", 2, result=result)]


def charts(at: AppTest) -> int:
    return len(at.get("vega_lite_chart"))


def test_opens_on_the_cached_result(tmp_path, monkeypatch):
    rows = [{"step": record.step, "time": 0.0} | record.metrics for record in steps()]
    entry = {
        "model": "storyteller", "model_hash": "0", "annotator": "sunny", "seed": 3, "command": "python -m core loop",
        "config": {"pairs": 512}, "result": LOOP_RESULT, "examples": [], "curves": {"reward": rows, "ppo": []},
    }  # fmt: skip
    (tmp_path / "loop.json").write_text(json.dumps(entry))
    monkeypatch.setattr("core.gallery.FOLDER", tmp_path)
    at = opened("reward_model")
    assert "predicts 71% of votes it has never seen" in said(at)  # the loop's own measurement on fresh pairs
    assert "82% at best" in said(at)
    assert {metric.label: metric.value for metric in at.metric}["Skill"] == "66%"
    assert "cached real result" in said(at)
    assert "seed 3" in said(at)
    assert charts(at) == 4


def test_before_anything_it_says_how_to_begin(tmp_path, monkeypatch):
    monkeypatch.setattr("core.gallery.FOLDER", tmp_path)
    at = opened("reward_model")
    assert "Nothing has been trained yet" in said(at)
    assert not at.button(key="reward_train").disabled


def trained_on(at: AppTest) -> dict:
    at = fine(at.button(key="reward_train").click().run())
    (run,) = RunStore().list("reward")
    assert at.query_params["run"] == run.id
    assert "waiting for its turn" in said(at)
    return run.config


def test_trains_on_a_simulated_annotator():
    at = opened("reward_model")
    at.selectbox(key="reward_annotator").select("terse")
    at.number_input(key="reward_pairs").set_value(128).run()
    assert trained_on(at)["preferences"] == ["simulated:terse:128"]


def test_trains_on_the_bundled_pairs():
    at = opened("reward_model")
    at.segmented_control(key="reward_pairs_from").set_value("bundled").run()
    assert "12 pairs" in said(at)
    assert trained_on(at)["preferences"] == ["bundled:sunny"]


def test_trains_on_a_mix_with_my_votes():
    store = FeedbackStore()
    store.add_pairs(PAIRS, "test")
    for choice in ("left", "right", "tie"):
        store.vote(store.next_pair("ada", "storyteller", "stories"), "ada", choice)
    at = opened("reward_model", reward_votes="ada")
    at.pills(key="reward_sources").set_value(["My votes", "A simulated annotator"]).run()
    assert "514 pairs" in said(at)
    assert trained_on(at)["preferences"] == ["votes:ada", "simulated:sunny:512"]


def test_coming_from_label_its_votes_are_chosen():
    store = FeedbackStore()
    store.add_pairs(PAIRS, "test")
    for name in ("ada", "bob"):
        store.vote(store.next_pair(name, "storyteller", "stories"), name, "left")
    at = opened("reward_model", reward_sources="My votes", reward_votes="bob")
    assert trained_on(at)["preferences"] == ["votes:bob"]


def test_every_setting_of_the_config_is_there_and_reaches_the_run():
    at = opened("reward_model", reward_seed="5")
    at.number_input(key="reward_learning_rate").set_value(1e-4)
    at.number_input(key="reward_epochs").set_value(2).run()
    reward = trained_on(at)["reward"]
    assert (reward["learning_rate"], reward["epochs"], reward["seed"]) == (1e-4, 2, 5)


def test_no_source_no_training():
    at = opened("reward_model")
    at.pills(key="reward_sources").set_value([]).run()
    assert at.button(key="reward_train").disabled


def test_a_finished_run_is_told_by_its_numbers():
    run = a_run("reward", records=steps(result=RESULT), preferences=["bundled:sunny"])
    at = opened("reward_model", run=run.id)
    assert "predicts 75% of votes it has never seen" in said(at)
    assert {metric.label: metric.value for metric in at.metric}["Held-out log-loss"] == "0.520"
    assert charts(at) == 4
    assert f"run {run.id}" in said(at)
    assert f"exp(−0.520) = **{math.exp(-0.52):.0%}**" in said(at)


def test_calibration_is_drawn_and_its_lean_said():
    run = a_run("reward", records=steps(result=RESULT | {"calibration": BINS}), preferences=["bundled:sunny"])
    at = opened("reward_model", run=run.id)
    assert len(at.get("plotly_chart")) == 1
    assert "**too sure**" in said(at)
    assert "10.0 points above" in said(at)


def test_guessing_is_called_guessing():
    run = a_run("reward", records=steps(0.52, RESULT), preferences=["bundled:sunny"])
    assert "no better than guessing" in said(opened("reward_model", run=run.id))


def test_a_failure_is_shown_with_its_reason():
    run = a_run("reward", "failed", steps(), error="votes:ada: no decided comparisons there", preferences=["votes:ada"])
    at = opened("reward_model", run=run.id)
    assert "failed" in said(at)
    assert "no decided comparisons" in at.error[0].value


def test_pause_stop_and_resume_are_asked_of_the_run():
    run = a_run("reward", "running", steps(), preferences=["bundled:sunny"])
    with locks.run_lock(run.id):  # a living worker
        at = opened("reward_model", run=run.id)
        assert "step 2 of 2" in said(at)
        at = fine(at.button(key="run_pause").click().run())
        assert RunStore().get(run.id).requested == "pause"
        assert "pause asked" in said(at)
    at = opened("reward_model", run=run.id)  # the worker is gone
    assert "interrupted" in said(at)
    fine(at.button(key="run_resume").click().run())
    assert RunStore().get(run.id).status == "queued"


def test_an_unknown_run_is_said_and_the_page_goes_on():
    at = opened("reward_model", run="nobody")
    assert "no run named nobody" in at.warning[0].value.replace("\\", "")
    assert at.button(key="reward_train")


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """A reward model that has learned nothing but has an opinion: the storyteller's trunk under a random head."""
    import torch

    from core.alignment.reward_model import Normalisation, new_reward_model, save_reward_model
    from core.language.registry import load_policy

    policy, tokenizer = load_policy("storyteller")
    model = new_reward_model(policy, tokenizer)
    torch.manual_seed(0)
    torch.nn.init.normal_(model.score.weight, std=0.05)
    folder = tmp_path_factory.mktemp("judge") / "reward_model"
    save_reward_model(model, tokenizer, Normalisation(0.5, 2.0), folder)
    return folder


@pytest.fixture
def finished(judge):
    run = a_run("reward", records=steps(result=RESULT), preferences=["bundled:sunny"])
    run.folder.mkdir(parents=True, exist_ok=True)
    (run.folder / "reward_model").symlink_to(judge)
    return run


def test_any_two_texts_are_scored_as_core_scores_them(finished, judge):
    from core.alignment.reward_model import load_reward_model, score

    at = opened("reward_model", run=finished.id)
    at.text_area(key="try_prompt").set_value("The dog")
    at.text_area(key="try_a").set_value(" barked.")
    at.text_area(key="try_b").set_value(" slept all day.")
    at = fine(at.run())
    model = load_reward_model(judge)
    a, b = score(model.model, model.tokenizer, ["The dog"] * 2, [" barked.", " slept all day."]).tolist()
    found = {metric.label: (metric.value, metric.delta) for metric in at.metric}
    assert found["Score of A"] == (f"{a:+.3f}", f"{(a - 0.5) / 2:+.2f} sd")
    assert found["Score of B"] == (f"{b:+.3f}", f"{(b - 0.5) / 2:+.2f} sd")
    probability = f"{1 / (1 + math.exp(b - a)):.1%}"
    assert f"A wins with probability **{probability}**" in said(at)
    at = fine(at.slider(key="try_shift").set_value(7.0).run())
    assert f"Scores {a + 7:+.2f} and {b + 7:+.2f}: probability **{probability}**" in said(at)


def test_the_equation_takes_the_vote_it_is_given(finished):
    at = opened("reward_model", run=finished.id)
    formulas = []
    for vote in ("A", "B"):
        at = fine(at.segmented_control(key="try_vote").set_value(vote).run())
        formulas.append(at.latex[-1].value)
    assert formulas[0] != formulas[1]
    pulls = [float(text.split("**")[1]) for text in said(at).splitlines() if "in the chosen score is" in text]
    assert -1 <= pulls[0] <= 0


def test_what_it_latched_on_to_is_measured_on_demand(finished):
    at = opened("reward_model", run=finished.id)
    assert "on 24 responses" not in said(at)
    at = fine(at.toggle(key="reward_traits").set_value(True).run())
    assert "on 24 responses" in said(at)

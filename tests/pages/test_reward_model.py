"""Reward model as a person meets it: a result at once, training on chosen votes, and the score of any text."""

import json
import math

from streamlit.testing.v1 import AppTest

from core.alignment.configs import LARGE_POLICY
from core.feedback.interchange import import_preferences, write_preferences
from core.feedback.pairs import PreferencePair
from core.feedback.store import FeedbackStore
from core.runs import locks
from core.runs.store import RunStore
from tests.pages.page_helpers import LOOP_RESULT, a_run, fine, opened, said
from tests.pages.reward_helpers import PAIRS, RESULT, charts, nothing_starts, steps  # noqa: F401 - one is a fixture

BINS = [{"confidence": 0.6, "accuracy": 0.5, "pairs": 60}, {"confidence": 0.9, "accuracy": 0.8, "pairs": 40}]


def test_opens_on_the_cached_result(tmp_path, monkeypatch):
    rows = [{"step": record.step, "time": 0.0} | record.metrics for record in steps()]
    entry = {
        "model": "storyteller", "model_hash": "0", "annotator": "sunny", "seed": 3, "command": "python -m core loop",
        "config": {"pairs": 512}, "result": LOOP_RESULT | {"reward_calibration": BINS},
        "examples": [], "curves": {"reward": rows, "ppo": []},
    }  # fmt: skip
    (tmp_path / "loop.json").write_text(json.dumps(entry))
    monkeypatch.setattr("core.gallery.FOLDER", tmp_path)  # without the other entries: the page opens all the same
    at = opened("reward_model")
    assert "Of 100 pairs that the policy wrote and the annotator voted on for this measurement" in said(at)
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


def test_trains_on_several_voters_and_several_data_sets(tmp_path):
    store = FeedbackStore()
    store.add_pairs(PAIRS, "test")
    for name in ("ada", "bob"):
        store.vote(store.next_pair(name, "storyteller", "stories"), name, "left")
    for name in ("first", "second"):
        write_preferences([PreferencePair("p", " a", " b")] * 3, tmp_path / f"{name}.jsonl")
        import_preferences(tmp_path / f"{name}.jsonl", store)
    at = opened("reward_model", reward_sources=["My votes", "Imported data"])
    at.multiselect(key="reward_votes").set_value(["ada", "bob"]).run()
    at.multiselect(key="reward_dataset").set_value(["1", "2"]).run()
    assert "8 pairs" in said(at)
    assert "75% of these 8 pairs are not the votes of ada and bob" in said(at)
    assert trained_on(at)["preferences"] == ["votes:ada", "votes:bob", "dataset:1", "dataset:2"]
    (run,) = RunStore().list("reward")
    assert run.name == "Reward model on votes of ada, votes of bob, first.jsonl, second.jsonl"
    at.multiselect(key="reward_votes").set_value([]).run()
    at.multiselect(key="reward_dataset").set_value([]).run()
    assert at.button(key="reward_train").disabled


def test_every_setting_of_the_config_is_there_and_reaches_the_run():
    at = opened("reward_model", reward_seed="5")
    at.number_input(key="reward_learning_rate").set_value(1e-4)
    at.number_input(key="reward_epochs").set_value(2).run()
    reward = trained_on(at)["reward"]
    assert (reward["learning_rate"], reward["epochs"], reward["seed"]) == (1e-4, 2, 5)


def test_a_large_policy_opens_with_its_own_settings(monkeypatch):
    monkeypatch.setattr("core.alignment.configs.LORA_FROM", 1)  # now the storyteller is one
    at = opened("reward_model")
    assert at.number_input(key="reward_large_batch_pairs").value == LARGE_POLICY["reward"]["batch_pairs"]
    fine(at.button(key="reward_train").click().run())
    (run,) = RunStore().list("reward")
    assert run.config["reward"] == run.config["reward"] | LARGE_POLICY["reward"]


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


def test_what_chance_alone_could_make_is_not_called_a_lean():
    bins = [{"confidence": 0.6, "accuracy": 0.52, "pairs": 60}, {"confidence": 0.9, "accuracy": 0.82, "pairs": 28}]
    found = RESULT | {"calibration": bins, "accuracy_heldout": 0.59, "pairs_heldout": 88}
    run = a_run("reward", records=steps(0.59, found), preferences=["bundled:sunny"])
    at = opened("reward_model", run=run.id)
    words = said(at)
    assert "no better than guessing, as far as so few can tell" in words
    assert "it may be as sure as it should be" in words and "chance alone makes 9.2 either way" in words
    metrics = {metric.label: metric for metric in at.metric}
    assert metrics["Held-out accuracy"].delta == "+9.0 points against guessing"
    assert metrics["Calibration error"].delta == "4.9% by chance alone"


def test_a_handful_of_unseen_votes_is_no_verdict():
    result = RESULT | {"accuracy_heldout": 0.0, "pairs_heldout": 1}
    run = a_run("reward", records=steps(0.0, result), preferences=["votes:me"])
    words = said(opened("reward_model", run=run.id))
    assert "1 vote was held out, and it predicts 0 of it: too few to judge it by" in words
    assert "too sure" not in words and "against guessing" not in words


def test_a_first_loss_above_log_two_is_explained_by_the_strengths():
    from pages._reward_model.learning import _with_margins

    assert _with_margins(math.log(2)) == _with_margins(0.69317) == ""
    assert "log(1 + eᵐ)" in _with_margins((15 * math.log(2) + math.log(1 + math.e**2)) / 16)


def test_a_typed_answer_is_joined_as_a_policy_would_write_it():
    from pages._reward_model.views import spaced

    assert spaced("To the park.", "She ran") == " She ran"
    for prompt, kept in (("", "She"), ("Hi\n", "She"), ("The end", "."), ("The end", " She"), ("The end", "")):
        assert spaced(prompt, kept) == kept


def test_guessing_is_called_guessing():
    result = RESULT | {"accuracy_heldout": 0.52}
    run = a_run("reward", records=steps(0.52, result), preferences=["bundled:sunny"])
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


def test_with_enough_votes_of_ones_own_those_are_suggested(monkeypatch):
    monkeypatch.setattr("pages._reward_model.sources._ENOUGH", 2)
    store = FeedbackStore()
    store.add_pairs(PAIRS, "test")
    for name in ("ada", "bob", "bob"):
        store.vote(store.next_pair(name, "storyteller", "stories"), name, "left")
    assert trained_on(opened("reward_model"))["preferences"] == ["votes:bob"]

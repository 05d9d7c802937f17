"""PPO as a person meets it: a start from any reward model, curves that are read for them, knobs that work while it runs."""

import json

import pytest

from core.alignment.configs import PPOConfig
from core.record import Record
from core.runs import locks
from core.runs.store import RunStore
from pages._ppo.reveal import outcome
from tests.pages.page_helpers import LOOP_RESULT, a_run, fine, opened, said

SAMPLE = {"prompt": "Once :red[x]", "response": " <b>bold</b> $x$", "score": 1.25, "kl": 3.5}


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch):
    """Runs are queued and stay so: what a worker does is tested elsewhere."""
    monkeypatch.setattr("core.runs.supervisor.tick", lambda: None)


@pytest.fixture(autouse=True)
def gallery(tmp_path, monkeypatch):
    """An empty gallery; tests that want the cached result write it."""
    folder = tmp_path / "gallery"
    folder.mkdir()
    monkeypatch.setattr("core.gallery.FOLDER", folder)
    return folder


def updates(kl: float = 2.0, count: int = 6) -> list[Record]:
    return [
        Record(
            n,
            {
                "objective/scores": 0.5 * n, "objective/kl": kl * n - 0.1, "objective/kl_exact": kl * n,
                "objective/rlhf_reward": 0.5 * n - 0.1 * kl * n, "kl_coef": 0.1, "lr": 3e-5,
                "policy/entropy_avg": 3.0, "policy/clipfrac_avg": 0.1, "loss/value_avg": 1.0 / n, "response_length": 30.0,
            },
            "ppo",
            count,
            samples=[SAMPLE],
        )
        for n in range(1, count + 1)
    ]  # fmt: skip


def a_reward_model(**config) -> str:
    """A finished run whose folder holds something that looks like a reward model; returns its id."""
    result = {"accuracy_heldout": 0.75}
    run = a_run("reward", records=[Record(1, {}, "reward", 1, result=result)], preferences=["bundled:sunny"], **config)
    (run.folder / "reward_model").mkdir(parents=True)
    (run.folder / "reward_model" / "config.json").write_text("{}")
    return run.id


def a_ppo(status: str = "finished", records: list[Record] | None = None, **ppo):
    config = {"reward_model": "somewhere", "ppo": ppo}
    return a_run("ppo", status, updates() if records is None else records, **config)


def test_without_a_reward_model_one_is_a_button_away():
    at = opened("ppo")
    assert "none on this machine yet" in said(at)
    at = fine(at.button(key="ppo_make_reward").click().run())
    (run,) = RunStore().list("reward")
    assert run.config["preferences"] == ["simulated:sunny:512"]


def test_opens_on_the_cached_result(gallery):
    rows = [{"step": record.step, "time": 0.0} | record.metrics for record in updates()]
    example = {
        "prompt": "One day",
        "reference_response": " a.",
        "tuned_response": " happy.",
        "gold_reference": 0,
        "gold_tuned": 1,
    }
    entry = {
        "model": "storyteller", "model_hash": "0", "annotator": "sunny", "seed": 3, "command": "python -m core loop",
        "config": {"ppo": {"kl_coef": 0.1}}, "result": LOOP_RESULT, "examples": [example],
        "curves": {"reward": [], "ppo": rows},
    }  # fmt: skip
    (gallery / "loop.json").write_text(json.dumps(entry))
    at = opened("ppo")
    assert "cached real result" in said(at)
    assert "The mean score rose by 2.5" in said(at)
    assert " happy." in said(at)
    assert len(at.get("vega_lite_chart")) == 6


def test_starts_from_the_chosen_reward_model_with_every_setting():
    first, second = a_reward_model(), a_reward_model(model="smollm2-135m")
    at = opened("ppo", ppo_updates="4", ppo_rollout_batch="8")
    at.selectbox(key="ppo_reward").select(first)
    at.number_input(key="ppo_learning_rate").set_value(1e-5)
    at.number_input(key="ppo_seed").set_value(9)
    at.number_input(key="ppo_cliprange").set_value(0.3)
    at.selectbox(key="ppo_prompts").select("chat")
    at = fine(at.run())
    at = fine(at.button(key="ppo_start").click().run())
    (run,) = RunStore().list("ppo")
    assert at.query_params["run"] == run.id
    assert run.config["model"] == "storyteller"
    assert run.config["reward_model"] == str(RunStore().get(first).folder / "reward_model")
    assert run.config["prompts"] == "chat"
    ppo = run.config["ppo"]
    settings = ("updates", "rollout_batch", "learning_rate", "seed", "cliprange")
    assert [ppo[name] for name in settings] == [4, 8, 1e-5, 9, 0.3]
    assert first != second
    assert "waiting for its turn" in said(at)


def test_a_value_out_of_bounds_is_refused_in_words():
    a_reward_model()
    at = opened("ppo")
    at.number_input(key="ppo_learning_rate").set_value(0.0)
    at = fine(at.run())
    at = fine(at.button(key="ppo_start").click().run())
    assert "learning" in at.error[0].value
    assert RunStore().list("ppo") == []


def test_curves_stand_beside_what_they_are_and_what_they_say():
    run = a_ppo()
    at = opened("ppo", run=run.id)
    assert len(at.get("vega_lite_chart")) == 6
    words = said(at)
    for title in ("Score", "KL to the reference", "Entropy", "Clip fraction", "Value loss", "Response length"):
        assert f"**{title}**" in words
    assert "Rose from 0.50 to 3.00" in words
    assert "12.0 nats a response, mean of the last updates" in words
    assert words.count("*Healthy:*") == 6


def test_the_reading_follows_the_numbers():
    run = a_ppo(records=updates(kl=6.0))
    assert "✗ trouble" in said(opened("ppo", run=run.id))


def test_the_equation_holds_for_the_numbers_put_in():
    words = said(opened("ppo", run=a_ppo().id))
    assert "score **3.00** − β **0.1** × KL **12.00** = **1.80**" in words


def test_samples_are_shown_and_never_interpreted():
    words = said(opened("ppo", run=a_ppo().id))
    assert "Once :red[x]" in words
    assert "&lt;b&gt;bold&lt;/b&gt; $x$" in words
    assert "score +1.25 · KL 3.5 nats" in words


def test_knobs_turn_while_it_runs():
    run = a_ppo("running")
    with locks.run_lock(run.id):
        at = opened("ppo", run=run.id)
        at.number_input(key=f"steer_kl_coef_{run.id}").set_value(0.4)
        at = fine(at.button(key="steer_apply").click().run())
        (control,) = RunStore().controls(run.id)
        assert (control.field, control.value) == ("kl_coef", 0.4)
        assert "waiting for the next update" in said(at)
        assert at.button(key="run_pause")
        assert at.button(key="run_stop")


def test_a_knob_out_of_bounds_is_refused_in_words():
    run = a_ppo("running")
    with locks.run_lock(run.id):
        at = opened("ppo", run=run.id)
        at.number_input(key=f"steer_learning_rate_{run.id}").set_value(5.0)
        at = fine(at.button(key="steer_apply").click().run())
        assert "learning" in at.error[0].value
        assert RunStore().controls(run.id) == []


def test_another_beta_asks_for_a_prediction_first_and_reveals_the_measured_end():
    a_reward_model()
    usual = PPOConfig().kl_coef
    before = a_ppo(kl_coef=usual)
    at = opened("ppo", run=before.id)
    assert not at.button(key="ppo_start").disabled
    at = fine(at.number_input(key="ppo_kl_coef").set_value(4 * usual).run())
    assert f"used β = {usual:g} and ended 12.0 nats" in said(at)
    assert at.button(key="ppo_start").disabled
    at = fine(at.pills(key="beta_guess-guess").set_value("closer to the reference").run())
    at = fine(at.button(key="beta_guess-commit").click().run())
    at = fine(at.button(key="ppo_start").click().run())
    url = at.query_params
    assert (url["guess"], url["against"]) == ("closer to the reference", before.id)
    assert url["run"] != before.id

    after = a_ppo(records=updates(kl=0.5), kl_coef=0.4)
    at = opened("ppo", run=after.id, guess="closer to the reference", against=before.id)
    assert "As you said" in at.success[0].value
    at = opened("ppo", run=after.id, guess="farther away", against=before.id)
    assert "You said: farther away" in at.success[0].value
    assert "closer to the reference" in at.success[0].value


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [(8.0, 3.0, "closer"), (3.0, 8.0, "farther"), (8.0, 8.5, "about as far"), (0.0, 0.0, "about as far")],
)
def test_outcome_follows_the_measured_distances(before, after, says):
    assert says in outcome(before, after)

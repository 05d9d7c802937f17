"""PPO as a person meets it: a start from any reward model, curves that are read for them, knobs that work while it runs."""

import json

import pytest

from core.alignment.configs import PPOConfig
from core.record import Record
from core.runs import locks
from core.runs.store import RunStore
from pages._ppo.reveal import outcome
from tests.pages.page_helpers import LOOP_RESULT, a_run, fine, loop_records, opened, said
from tests.pages.reward_helpers import a_reward_model, nothing_starts  # noqa: F401 - one is a fixture

WATCHED = [
    {"kind": "watched", "update": n, "prompt": "The cat", "response": f" was {n} *big*.", "score": n / 4, "gold": 1.0}
    for n in (0, 2, 4)
]
SAMPLE = {"prompt": "Once :red[x]", "response": " <b>bold</b> $x$", "score": 1.25, "kl": 3.5}


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
                "loss/policy_avg": -0.02 * n, "val/explained_variance": n / 10, "val/num_eos_tokens": 32.0,
                "val/ratio": 1.001, "optimizer_steps": 8.0,
                "time/sampling": 0.5, "time/scoring": 0.75, "time/optimisation": 1.0,
            },
            "ppo",
            count,
            samples=[SAMPLE, *[one for one in WATCHED if one["update"] in (n, 0 if n == 1 else n)]],
        )
        for n in range(1, count + 1)
    ]  # fmt: skip


def a_ppo(status: str = "finished", records: list[Record] | None = None, **ppo):
    config = {"reward_model": "somewhere", "ppo": ppo}
    return a_run("ppo", status, updates() if records is None else records, **config)


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
    assert len(at.get("vega_lite_chart")) == 3
    assert "Update 6 of 6" in said(at)  # beside the picture, never an empty column
    assert "checks, nothing wrong" in said(at)
    assert " happy." in said(opened("ppo", ppo_view="Texts"))


def test_curves_stand_beside_what_they_are_and_what_they_say():
    run = a_ppo()
    at = opened("ppo", run=run.id)
    assert len(at.get("vega_lite_chart")) == 3
    words = said(at)
    for title in ("Score", "KL to the reference", "Response length"):
        assert f"**{title}**" in words
    assert "Rose from 0.50 to 3.00" in words
    assert "12.0 nats per response, mean of the last updates" in words
    assert words.count("*Healthy:*") == 3
    words = said(opened("ppo", run=run.id, ppo_view="Optimiser"))
    for title in ("Entropy", "Clip fraction", "Value loss"):
        assert f"**{title}**" in words
    assert words.count("*Healthy:*") == 3


def test_the_reading_follows_the_numbers():
    run = a_ppo(records=updates(kl=6.0))
    assert "✗ trouble" in said(opened("ppo", run=run.id))


def test_the_equation_holds_for_the_numbers_put_in():
    words = said(opened("ppo", run=a_ppo().id, ppo_view="Objective"))
    assert "score **3.00** − β **0.1** × KL **12.00** = **1.80**" in words


def test_samples_are_shown_and_never_interpreted():
    words = said(opened("ppo", run=a_ppo().id, ppo_view="Texts"))
    assert "Once :red[x]" in words
    assert "&lt;b&gt;bold&lt;/b&gt; $x$" in words
    assert "score +1.25 · KL 3.5 nats" in words


def test_knobs_turn_while_it_runs():
    run = a_ppo("running")
    with locks.run_lock(run.id):
        at = opened("ppo", run=run.id)
        at.number_input(key=f"steer_kl_coef_{run.id}").set_value(0.4)
        at = fine(at.button(key="steer_apply").click().run())
        at = fine(at.button(key="steer_apply").click().run())  # once more: the same wish
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
    assert not at.success and "You said: farther away" in at.info[0].value
    assert "closer to the reference" in at.info[0].value


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [(8.0, 3.0, "closer"), (3.0, 8.0, "farther"), (8.0, 8.5, "about as far"), (0.0, 0.0, "about as far")],
)
def test_outcome_follows_the_measured_distances(before, after, says):
    assert says in outcome(before, after)


def test_the_loss_of_any_update_is_put_together_from_its_terms():
    run = a_ppo(vf_coef=0.5, entropy_coef=0.01)
    at = opened("ppo", run=run.id, ppo_view="Objective", ppo_update="2")
    (numbers,) = [one.value for one in at.latex if "0.5" in one.value]
    assert r"L = -0.0400 + 0.5 \times 0.5000 - 0.01 \times 3.000 = 0.1800" in numbers
    assert "score **1.00** − β **0.1** × KL **4.00** = **0.60**" in said(at)
    at = fine(at.select_slider[0].set_value(4).run())
    assert at.query_params["ppo_update"] == "4"
    assert "score **2.00** − β **0.1** × KL **8.00** = **1.20**" in said(at)


def test_the_same_prompts_are_read_again_at_every_update():
    run = a_ppo()
    at = opened("ppo", run=run.id, ppo_view="Texts")
    words = said(at)
    assert " was 4 *big*." in words and "score +1.00 · gold +1.00" in words
    assert words.count(" was 0 *big*.") == 1  # among all the answers to the prompt, folded away
    at = fine(at.select_slider[0].set_value(0).run())
    assert at.query_params["watched"] == "0"
    assert said(at).count(" was 0 *big*.") == 2


def test_is_this_normal_reads_the_whole_run():
    run = a_ppo(records=updates(kl=6.0))
    words = said(opened("ppo", run=run.id, ppo_view="Is this normal?"))
    assert "Not quite." in words
    assert words.index("KL is running away") < words.index("Reward hacking cannot be seen here")
    assert words.index("Reward hacking cannot be seen here") < words.index("Entropy is kept")
    assert "36.0 nats per response" in words and "Raise β" in words
    assert "KL is running away" in said(opened("ppo", run=run.id))  # and beside the curves
    words = said(opened("ppo", run=a_ppo(records=updates(kl=1.0)).id, ppo_view="Is this normal?"))
    assert "**Mostly.** None of the" in words and "one thing worth knowing" in words


def test_what_flows_says_this_updates_numbers_also_to_a_screen_reader():
    run = a_ppo(rollout_batch=16)
    at = opened("ppo", run=run.id, ppo_view="What flows", ppo_update="3")
    (drawn,) = [one for one in at.get("bidi_component") if "the policy writes" in str(one.proto)]
    text = str(drawn.proto.json)
    assert "16 \\u00d7 30" in text or "16 × 30" in text
    assert "1.50" in text and "8 optimiser steps" in text
    assert "finished" in said(at) or "The run is over." in said(at)


def test_every_knob_is_in_one_group_with_its_range():
    from pages._ppo.knobs import GROUPS, UNITS

    named = [name for names in GROUPS.values() for name in names]
    assert sorted(named) == sorted(PPOConfig.model_fields)
    assert set(UNITS) <= set(named)
    at = opened("ppo", run=a_ppo(kl_coef=0.4).id, ppo_view="Knobs")
    (row,) = [row for table in at.table for row in table.value.to_dict("records") if row.get("knob") == "`kl_coef`"]
    assert (row["this run"], row["default"]) == ("0.4", "0.055")
    assert row["range"] == "from 0 to 10"
    assert "nat" in row["what it does"]


def test_other_runs_are_laid_beside_it():
    one, other = a_ppo(), a_ppo(kl_coef=0.4)
    at = opened("ppo", run=one.id, ppo_with=other.id)
    (select,) = at.multiselect
    assert select.value == [other.id]
    drawn = str(at.get("vega_lite_chart")[0].proto.spec)
    assert one.id in drawn and other.id in drawn


def test_a_branch_begins_behind_a_checkpoint_with_what_was_changed():
    from core.runs import checkpoints
    from core.runs.branching import Origin, origin_of

    run = a_ppo("stopped", kl_coef=0.1)
    for number in (2, 4):
        checkpoints.save(run.folder / "checkpoints", number, {"update": number})
    at = opened("ppo", run=run.id)
    at.selectbox(key=f"branch_at_{run.id}").select(2)
    at = fine(at.run())
    at.number_input(key=f"branch_kl_coef_{run.id}_2").set_value(0.3)
    at = fine(at.run())
    at = fine(at.button(key="branch_start").click().run())
    new = RunStore().get(at.query_params["run"])
    assert new.id != run.id and at.query_params["ppo_with"] == run.id
    assert origin_of(new) == Origin(run.id, 2)
    assert [step.number for step in RunStore().steps(new.id)] == [1, 2]
    assert [(one.field, one.value, one.number) for one in RunStore().controls(new.id)] == [("kl_coef", 0.3, None)]
    assert f"Branched from `{run.id}` after its step 2" in said(at)


def test_the_newest_checkpoint_is_offered_until_another_is_chosen():
    from core.runs import checkpoints

    run = a_ppo("stopped")
    folder, key = run.folder / "checkpoints", f"branch_at_{run.id}"
    checkpoints.save(folder, 2, {"update": 2})
    at = opened("ppo", run=run.id)
    assert at.selectbox(key=key).value == 2
    checkpoints.save(folder, 4, {"update": 4})
    at = fine(at.run())
    assert at.selectbox(key=key).value == 4
    at = fine(at.selectbox(key=key).select(2).run())
    at = fine(at.run())
    assert at.selectbox(key=key).value == 2


def test_true_utility_is_measured_of_whoever_taught_the_reward_model():
    run = a_run("reward", records=[Record(1, {}, "reward", 1)], preferences=["simulated:terse:64"])
    (run.folder / "reward_model").mkdir(parents=True)
    (run.folder / "reward_model" / "config.json").write_text("{}")
    at = opened("ppo")
    fine(at.button(key="ppo_start").click().run())
    (started,) = RunStore().list("ppo")
    assert started.config["gold"] == "terse"


def test_an_example_is_called_one_beside_runs_of_ones_own(gallery):
    assert "Example: " not in said(opened("ppo"))
    a_ppo()
    assert "Example: The policy writes" in said(opened("ppo"))


def test_an_example_leads_to_the_reader_s_own_run_and_a_queued_one_says_that_it_waits():
    assert not [link for link in opened("ppo").get("page_link") if "Yours" in link.proto.label]
    mine = a_ppo(status="queued", records=[])
    (link,) = [link.proto for link in opened("ppo").get("page_link") if "Yours" in link.proto.label]
    assert f"run={mine.id}" in link.query_string
    assert "waits for its turn" in said(opened("ppo", run=mine.id))


def test_the_texts_of_a_finished_loop_are_those_of_its_last_update():
    measured = {"prompt": "A pig", "reference_response": " grunted.", "tuned_response": " smiled."}
    last = {"objective/scores": 1.0, "objective/kl_exact": 6.0, "objective/gold": 4.0}
    update = Record(3, last, "ppo", 3, samples=[SAMPLE])
    records = [*loop_records()[:-1], update, Record(1, {}, "evaluation", 1, samples=[measured])]
    run = a_run("loop", records=records)
    words = said(opened("ppo", run=run.id, ppo_view="Texts"))
    assert "**Fresh responses** of update 3" in words and "bold" in words and "grunted" not in words


def test_a_run_that_its_kl_budget_ended_says_so():
    judge = str(RunStore().get(a_reward_model()).folder / "reward_model")
    for asked, told in ((20, True), (6, False)):
        run = a_run("ppo", records=updates(), reward_model=judge, ppo={"updates": asked, "kl_budget": 9.0})
        words = said(opened("ppo", run=run.id))
        assert ("20 were asked for: its KL budget of 9 nats per response was spent before" in words) == told


@pytest.mark.parametrize(("estimator", "sign"), [("k1", r"\log\frac"), ("k2", r"\tfrac{1}{2}"), ("k3", "- 1 -")])
def test_the_objective_shows_the_kl_that_this_run_was_charged(estimator, sign):
    run = a_ppo(kl_estimator=estimator)
    at = opened("ppo", run=run.id, ppo_view="Objective")
    assert f"from the sampled tokens, by {estimator}." in said(at)
    assert any(r"\mathbb{1}[t = T]" in one.value and sign in one.value.partition("KL")[0] for one in at.latex)

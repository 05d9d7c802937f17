"""PPO's page before a run: the reward model chosen, what is said of it, every setting, and what is refused."""

import pytest

from core.alignment.configs import LARGE_POLICY
from core.runs.store import RunStore
from tests.pages.page_helpers import fine, opened, said
from tests.pages.reward_helpers import RESULT, a_reward_model, nothing_starts  # noqa: F401 - one is a fixture


def test_without_a_reward_model_one_is_a_button_away():
    at = opened("ppo")
    assert "none on this machine yet" in said(at)
    at = fine(at.button(key="ppo_make_reward").click().run())
    (run,) = RunStore().list("reward")
    assert run.config["preferences"] == ["simulated:sunny:512"]


def test_starts_from_the_chosen_reward_model_with_every_setting():
    first, second = a_reward_model(), a_reward_model(model="smollm2-135m")
    at = opened("ppo", ppo_updates="4", ppo_rollout_batch="8")
    at = fine(at.selectbox(key="ppo_reward").select(first).run())
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


def test_a_large_policy_opens_with_its_own_settings():
    a_reward_model(model="smollm2-135m")
    at = opened("ppo")
    assert at.number_input(key="ppo_large_rollout_batch").value == LARGE_POLICY["ppo"]["rollout_batch"]
    at.number_input(key="ppo_large_seed").set_value(9)
    fine(at.button(key="ppo_start").click().run())
    (run,) = RunStore().list("ppo")
    assert run.config["ppo"] == run.config["ppo"] | LARGE_POLICY["ppo"] | {"seed": 9}


def test_a_value_out_of_bounds_is_refused_in_words():
    a_reward_model()
    at = opened("ppo")
    at.number_input(key="ppo_learning_rate").set_value(0.0)
    at = fine(at.run())
    at = fine(at.button(key="ppo_start").click().run())
    assert "learning" in at.error[0].value
    assert RunStore().list("ppo") == []


@pytest.mark.parametrize(
    ("accuracy", "pairs", "words"),
    [(0.625, 8, "predicts 5 of 8: no better than guessing"), (0.52, 200, "predicts 52%: no better"), (0.7, 200, "")],
)
def test_a_reward_model_no_better_than_guessing_is_told(accuracy, pairs, words):
    a_reward_model(RESULT | {"accuracy_heldout": accuracy, "pairs_heldout": pairs})
    text = said(opened("ppo"))
    assert words in text if words else "no better than guessing" not in text

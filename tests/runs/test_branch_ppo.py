"""PPO itself, and DPO, branched from a checkpoint: the same policy, optimiser and curve, to the last bit."""

import pytest

from core.alignment.configs import DPOConfig, PPOConfig
from core.alignment.reward_folders import save_reward_model
from core.feedback.interchange import write_preferences
from core.feedback.pairs import PreferencePair
from core.runs import branching, recorder, shelf
from core.runs.jobs import DPOJob, PPOJob
from tests import tiny
from tests.alignment.test_ppo import judge

PPO = PPOConfig(updates=4, rollout_batch=4, max_new_tokens=6, minibatches=2, learning_rate=3e-4, weights_every=2)


@pytest.fixture
def job(tmp_path):
    policy, reward, prompts = tmp_path / "tiny", tmp_path / "reward", tmp_path / "prompts.txt"
    tiny.gpt2().save_pretrained(policy)
    tiny.tokenizer().save_pretrained(policy)
    one = judge()
    save_reward_model(one.model, one.tokenizer, one.normalisation, reward)
    prompts.write_text("\n".join(tiny.PROMPTS), encoding="utf-8")
    return PPOJob(model=str(policy), reward_model=str(reward), prompts=str(prompts), ppo=PPO)


def measured(store, run_id):
    """Every metric but those of the clock, and every text."""
    return [
        (
            step.number,
            {k: v for k, v in step.metrics.items() if not k.startswith("time/") and k != "eps"},
            store.samples(run_id, step.number),
        )
        for step in store.steps(run_id)
    ]


def test_a_branch_of_ppo_retraces_it_and_another_beta_does_not(store, job, monkeypatch):
    monkeypatch.setattr(recorder, "_CHECKPOINT_SHARE", 1e9)
    origin = store.create(job, "origin", queued=False)

    def change(record):
        if record.step == 1:
            store.set_control(origin.id, "kl_coef", 0.3)

    assert recorder.execute("origin", on_record=change, checkpoint_seconds=0.0).status == "finished"
    assert [step.metrics["kl_coef"] for step in store.steps("origin")] == [0.055, 0.3, 0.3, 0.3]
    assert branching.branch_points(origin) == [3, 4]

    branching.branch("origin", "twin", at=3)
    assert list(shelf.rollout_files(store.get("twin").folder)) == [1, 2, 3]
    assert list(shelf.weight_folders(store.get("twin").folder)) == [2]
    assert recorder.execute("twin").status == "finished"
    assert measured(store, "twin") == measured(store, "origin")

    branching.branch("origin", "other", at=3, changes={"kl_coef": 2.0})
    recorder.execute("other")
    assert measured(store, "other")[:3] == measured(store, "origin")[:3]
    assert store.steps("other")[3].metrics["kl_coef"] == 2.0
    assert measured(store, "other")[3] != measured(store, "origin")[3]


def test_a_branch_of_dpo_learns_the_votes_it_began_with(store, job, tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "_CHECKPOINT_SHARE", 1e9)
    votes = tmp_path / "votes.jsonl"
    write_preferences([PreferencePair(f"Day {n}:", " was good", f" was bad {n}") for n in range(20)], votes)
    dpo = DPOConfig(batch_pairs=5, epochs=2, learning_rate=3e-4)
    store.create(DPOJob(preferences=(str(votes),), model=job.model, dpo=dpo), "origin", queued=False)
    assert recorder.execute("origin", checkpoint_seconds=0.0).status == "finished"
    write_preferences([PreferencePair("Other", " votes", " now")] * 9, votes)
    at = branching.branch_points(store.get("origin"))[0]
    branching.branch("origin", "twin", at=at)
    assert recorder.execute("twin").status == "finished"
    assert measured(store, "twin") == measured(store, "origin")
    assert store.get("twin").result["accuracy_heldout"] == store.get("origin").result["accuracy_heldout"]

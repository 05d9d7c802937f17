"""A policy too large to be tuned whole has defaults of its own, wherever its reward model is trained."""

import pytest
import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, Phi3Config, Phi3ForCausalLM

from core.alignment.configs import KL_BUDGET, LARGE_POLICY, LoopConfig, PPOConfig, RewardConfig
from core.alignment.stages import ready_to_tune
from core.errors import PlaygroundError
from core.language.adapters import with_adapters
from core.runs.jobs import PPOJob, RewardJob
from tests import tiny


@pytest.mark.parametrize(
    "made",
    [
        lambda reward: LoopConfig(model="smollm2-135m", reward=reward).reward,
        lambda reward: RewardJob(preferences=("votes:me",), model="smollm2-135m", reward=reward).reward,
    ],
)
def test_what_is_not_asked_for_is_the_large_policys(made):
    asked = made({"epochs": 3, "learning_rate": 1e-4})
    assert (asked.epochs, asked.learning_rate) == (3, 1e-4)
    assert asked.lora_rank == LARGE_POLICY["reward"]["lora_rank"] == 0
    assert asked.head_learning_rate == LARGE_POLICY["reward"]["head_learning_rate"]


def test_ppo_alone_is_fitted_like_the_loops():
    job = PPOJob(reward_model="somewhere", model="smollm2-135m", ppo={"updates": 3})
    assert job.ppo == PPOConfig(**LARGE_POLICY["ppo"] | {"updates": 3})
    assert PPOJob(reward_model="somewhere", ppo={"updates": 30}).ppo == PPOConfig(updates=30)  # all of them


def test_a_run_whose_length_is_not_asked_for_ends_where_its_budget_is_spent():
    assert PPOJob(reward_model="somewhere").ppo == PPOConfig(kl_budget=KL_BUDGET)
    assert PPOJob(reward_model="somewhere", ppo={"kl_budget": None}).ppo == PPOConfig()
    stored = PPOJob(reward_model="somewhere", ppo={"updates": 30})
    assert PPOJob(**stored.model_dump()) == stored


def test_a_small_policy_has_the_plain_defaults():
    assert RewardJob(preferences=("votes:me",)).reward == RewardConfig()
    assert LoopConfig().reward.learning_rate == RewardConfig().learning_rate


def test_a_run_that_was_stored_stays_as_it_was():
    job = RewardJob(preferences=("votes:me",), model="smollm2-135m", reward={"lora_rank": 8})
    assert RewardJob(**job.model_dump()) == job and job.reward.lora_rank == 8


def test_rank_zero_trains_all_weights_of_a_large_model(monkeypatch):
    monkeypatch.setattr("core.language.adapters.LORA_FROM", 1)
    whole, adapted = (with_adapters(tiny.gpt2(), rank, "CAUSAL_LM", 0) for rank in (0, 4))
    assert all(p.requires_grad for p in whole.parameters())
    trained = [name for name, p in adapted.named_parameters() if p.requires_grad]
    assert trained and all("lora" in name for name in trained)


def test_adapters_are_drawn_from_their_seed_whatever_was_drawn_before(monkeypatch):
    for module in ("core.language.adapters", "core.alignment.stages"):
        monkeypatch.setattr(f"{module}.LORA_FROM", 1)

    def drawn(seed):
        tuned, _ = ready_to_tune(tiny.gpt2(), 4, seed)
        return {name: p.detach() for name, p in tuned.named_parameters() if "lora_A" in name}

    first, _, again, other = drawn(3), torch.rand(5), drawn(3), drawn(4)
    assert first and all(torch.equal(again[name], value) for name, value in first.items())
    assert not any(torch.equal(other[name], value) for name, value in first.items())


@pytest.mark.parametrize("task", ["CAUSAL_LM", "SEQ_CLS"])
def test_adapters_go_where_each_family_keeps_query_and_value(task, monkeypatch):
    monkeypatch.setattr("core.language.adapters.LORA_FROM", 1)
    shape = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    pythia = GPTNeoXForCausalLM(GPTNeoXConfig(**shape, num_attention_heads=2, pad_token_id=1))
    phi = Phi3ForCausalLM(Phi3Config(**shape, num_attention_heads=2, num_key_value_heads=2, pad_token_id=1))
    places = {"c_attn": tiny.gpt2(), "q_proj": tiny.llama(), "query_key_value": pythia, "qkv_proj": phi}
    for where, policy in places.items():
        adapted = with_adapters(policy, 2, task, 0)
        trained = {name for name, p in adapted.named_parameters() if p.requires_grad and "score" not in name}
        assert trained and all("lora" in name for name in trained) and any(where in name for name in trained)


def test_a_family_whose_projections_are_not_known_is_told_so(monkeypatch):
    monkeypatch.setattr("core.language.adapters.LORA_FROM", 1)
    policy = tiny.gpt2()
    for block in policy.transformer.h:
        block.attn.query = block.attn.__dict__["_modules"].pop("c_attn")
    policy.config.model_type = "homemade"
    for task, advice in (("CAUSAL_LM", ""), ("SEQ_CLS", " With a lora_rank of 0 .*")):  # which only rewards take
        with pytest.raises(
            PlaygroundError, match=f"'homemade' cannot be tuned through adapters: .* not known.{advice}$"
        ):
            with_adapters(policy, 2, task, 0)

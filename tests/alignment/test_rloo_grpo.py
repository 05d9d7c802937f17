"""RLOO and GRPO: advantages by brute force, the gradient against the policy gradient, resuming."""

import pytest
import torch

from core.alignment.actor_critic import Sequences, of_tokens, response_distribution
from core.alignment.configs import GroupConfig
from core.alignment.group_advantages import group_relative, leave_one_out
from core.alignment.group_rollouts import judge_groups, summarise
from core.alignment.rloo_grpo import optimise, train_grouped
from core.errors import PlaygroundError
from core.language.configs import SamplingConfig
from core.language.sampling import sample
from tests import tiny
from tests.alignment.test_ppo import judge

CONFIG = GroupConfig(
    updates=4, rollout_batch=8, group_size=4, max_new_tokens=8, learning_rate=3e-4, epochs=2, minibatches=2, seed=1
)
ALGORITHMS = ("rloo", "grpo")


def run(algorithm, state=None, **changes):
    config = CONFIG.model_copy(update={"algorithm": algorithm} | changes)
    return train_grouped(tiny.gpt2(), tiny.gpt2(), judge(), tiny.PROMPTS, config, tiny.tokenizer(), state=state)


def test_advantages_by_brute_force():
    torch.manual_seed(0)
    rewards = torch.randn(3, 5, dtype=torch.float64)
    for row, advantages, relative in zip(rewards, leave_one_out(rewards), group_relative(rewards), strict=True):
        for i in range(5):
            others = [row[j].item() for j in range(5) if j != i]
            assert advantages[i].item() == pytest.approx(row[i].item() - sum(others) / 4)
            spread = (sum((x - row.mean().item()) ** 2 for x in row.tolist()) / 4) ** 0.5
            assert relative[i].item() == pytest.approx((row[i] - row.mean()).item() / (spread + 1e-4))


def rollout_of(policy):
    queries = [prompt for prompt in tiny.PROMPTS[:2] for _ in range(4)]
    return sample(policy, tiny.tokenizer(), queries, SamplingConfig(max_new_tokens=8, seed=3))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_a_response_is_paid(algorithm):
    policy, reference = tiny.gpt2(seed=2), tiny.gpt2()
    config = CONFIG.model_copy(update={"algorithm": algorithm, "missing_end_penalty": 0.7})
    rollout = rollout_of(policy)
    t = judge_groups(policy, reference, judge(), rollout, config, 0.2)
    paid = t["scores"] - 0.7 * (~rollout.ended).float()
    if algorithm == "rloo":
        paid = paid - 0.2 * ((t["logprobs"] - t["ref_logprobs"]) * t["mask"]).sum(-1)
    of = leave_one_out if algorithm == "rloo" else group_relative
    torch.testing.assert_close(t["advantages"], of(paid.view(2, 4)).flatten())
    if algorithm == "rloo":
        recorded = summarise(rollout, t, config, 0.2)["objective/rlhf_reward"]
        assert recorded == pytest.approx(paid.mean().item(), abs=1e-5)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_first_gradient_is_the_policy_gradient(algorithm):
    """At ratio 1 the step's gradient is that of −Σ A log π / tokens, for GRPO plus β k3's."""
    policy, reference = tiny.gpt2(seed=2), tiny.gpt2()
    config = CONFIG.model_copy(update={"algorithm": algorithm, "epochs": 1, "minibatches": 1, "grad_clip": 1e9})
    rollout = rollout_of(policy)
    tensors = judge_groups(policy, reference, judge(), rollout, config, 0.2)
    sequences = Sequences.of(rollout, policy.device)
    logprobs = sequences.spread(of_tokens(response_distribution(policy, sequences, 1.0), sequences.tokens))
    mask = tensors["mask"]
    loss = -(tensors["advantages"].unsqueeze(-1) * logprobs * mask).sum() / mask.sum()
    if algorithm == "grpo":
        difference = tensors["ref_logprobs"] - logprobs
        loss = loss + 0.2 * ((difference.exp() - 1 - difference) * mask).sum() / mask.sum()
    trained = list(policy.parameters())
    expected = torch.autograd.grad(loss, trained)
    norm = torch.stack([g.norm() for g in expected]).norm().item()
    optimizer = torch.optim.SGD(trained, lr=1.0)
    before = [p.detach().clone() for p in trained]
    statistics = optimise(policy, optimizer, trained, rollout, tensors, config, 0.2, update=1)
    assert statistics["grad_norm"] == pytest.approx(norm, rel=1e-4)
    assert statistics["val/ratio"] == pytest.approx(1.0, abs=1e-5) and statistics["policy/clipfrac_avg"] == 0
    for was, now, gradient in zip(before, trained, expected, strict=True):
        torch.testing.assert_close(was - now.detach(), gradient, atol=2e-5, rtol=1e-3)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_resumed_run_equals_the_uninterrupted_one(algorithm):
    whole = list(run(algorithm))
    begun = run(algorithm)
    state = [next(begun) for _ in range(2)][-1].state()
    rest = list(run(algorithm, state=state))
    assert [one.metrics for one in rest] == [one.metrics for one in whole[2:]]
    assert whole[0].metrics["objective/kl_exact"] == pytest.approx(0, abs=1e-4)
    assert whole[-1].metrics["objective/kl_exact"] > 1e-3 and whole[-1].result["kl_exact"] > 1e-3
    assert list(run(algorithm, state=whole[-1].state())) == []


def test_every_prompt_is_asked_group_size_times():
    record = next(run("rloo"))
    ids = record.rollout["query_ids"]
    assert (ids[:4] == ids[0]).all() and (ids[4:] == ids[4]).all() and (ids[0] != ids[4]).any()


def test_a_rollout_is_a_whole_number_of_groups():
    with pytest.raises(PlaygroundError, match="whole number of groups"):
        GroupConfig.checked(rollout_batch=10, group_size=4)
    with pytest.raises(PlaygroundError, match="no prompts"):
        next(train_grouped(tiny.gpt2(), tiny.gpt2(), judge(), [], CONFIG, tiny.tokenizer()))

"""What is said of an update, against sums over its tokens written out: padding holds numbers that would show."""

import numpy as np
import pytest
import torch

from core.alignment.configs import PPOConfig
from core.alignment.ppo_metrics import summarise
from core.language.sampling import Rollout

LENGTHS = (6, 3, 1)
MASK = torch.tensor([[place < length for place in range(6)] for length in LENGTHS]).float()
PER_TOKEN = ("logprobs", "ref_logprobs", "exact_kl", "kl", "values", "returns")


def random_update():
    generator = torch.Generator().manual_seed(3)
    tensors = {name: torch.randn(3, 6, generator=generator) * MASK for name in PER_TOKEN}
    tensors |= {name: torch.randn(3, generator=generator) for name in ("scores", "raw_scores")}
    nothing = torch.zeros(3, 2)
    ended = torch.tensor([True, False, True])
    rollout = Rollout(["p"] * 3, ["r"] * 3, nothing, nothing, nothing, MASK.bool(), nothing, ended, [0] * 3)
    return rollout, tensors | {"mask": MASK}


def summarised(rollout, tensors):
    statistics = {"loss/policy_avg": [0.5, 1.5], "val/ratio": [0.9, 1.2]}
    return summarise(rollout, tensors, statistics, PPOConfig(missing_end_penalty=0.7), 0.3)


def test_explained_variance_is_one_less_the_share_of_the_returns_variance_left_over():
    rollout, tensors = random_update()
    returns, values = (tensors[name][MASK > 0].numpy() for name in ("returns", "values"))
    expected = 1 - np.sum((returns - values) ** 2) / np.sum((returns - returns.mean()) ** 2)
    tensors["values"] = tensors["values"] + 9.0 * (1 - MASK)  # said of padding, where nothing is to be explained
    assert summarised(rollout, tensors)["val/explained_variance"] == pytest.approx(expected, abs=1e-5)


def test_a_perfect_critic_explains_all_and_a_constant_one_nothing():
    rollout, tensors = random_update()
    perfect = summarised(rollout, tensors | {"values": tensors["returns"]})
    mean = (tensors["returns"].sum() / MASK.sum()).expand(3, 6)
    assert perfect["val/explained_variance"] == 1.0
    assert summarised(rollout, tensors | {"values": mean})["val/explained_variance"] == pytest.approx(0, abs=1e-6)


def test_what_a_response_has_drifted_and_was_paid_is_summed_over_its_tokens():
    rollout, tensors = random_update()
    found = summarised(rollout, tensors)
    rows = {name: [row[:n].sum().item() for row, n in zip(tensors[name], LENGTHS, strict=True)] for name in PER_TOKEN}
    paid = [score - 0.3 * kl for score, kl in zip(tensors["scores"].tolist(), rows["kl"], strict=True)]
    expected = {
        "objective/kl": np.mean(rows["logprobs"]) - np.mean(rows["ref_logprobs"]),
        "objective/kl_exact": np.mean(rows["exact_kl"]),
        "objective/entropy": -np.mean(rows["logprobs"]),
        "objective/non_score_reward": -0.3 * np.mean(rows["kl"]),
        "objective/rlhf_reward": np.mean(paid) - 0.7 / 3,  # one of three never ended
        "response_length": 10 / 3,
        "val/num_eos_tokens": 2,
        "optimizer_steps": 2,
        "loss/policy_avg": 1.0,
        "val/ratio_var": 0.15**2,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-5)

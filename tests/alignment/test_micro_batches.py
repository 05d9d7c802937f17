"""Gradient accumulation: a step taken in passes is the step taken at once."""

import pytest
import torch

from core.alignment import dpo, reward_training
from core.alignment.configs import DPOConfig, GroupConfig, PPOConfig, RewardConfig
from core.alignment.dpo import train_dpo
from core.alignment.minibatches import passes
from core.alignment.ppo import train_ppo
from core.alignment.reward_model import Normalisation, RewardModel, new_reward_model, score
from core.alignment.reward_training import train_reward_model
from core.alignment.rloo_grpo import train_grouped
from core.feedback.pairs import PreferencePair
from tests import tiny

SMALL = {"updates": 2, "rollout_batch": 12, "minibatches": 2, "epochs": 2, "max_new_tokens": 10, "learning_rate": 3e-4}


def curve_and_weights(records, policy):
    rows = [{k: v for k, v in r.metrics.items() if not k.startswith("time/") and k != "eps"} for r in records]
    return rows, {name: p.detach().clone() for name, p in policy.named_parameters()}


def assert_the_same(run, config, passes_of):
    curve, weights = run(config)
    in_passes, weights_in_passes = run(config.model_copy(update={"micro_batch": passes_of}))
    for ours, theirs in zip(in_passes, curve, strict=True):
        assert ours == pytest.approx(theirs, rel=2e-3, abs=2e-4)
    for name, weight in weights.items():
        torch.testing.assert_close(weights_in_passes[name], weight, atol=2e-5, rtol=1e-4)
    return curve


def judge():
    model = new_reward_model(tiny.gpt2(seed=5), tiny.tokenizer())
    torch.nn.init.normal_(model.score.weight, generator=torch.Generator().manual_seed(0))
    return RewardModel(model, tiny.tokenizer(), Normalisation(0.2, 1.5, "tiny"))


def test_passes_are_all_rows_in_their_order():
    rows = torch.randperm(11).numpy()
    assert [len(part) for part in passes(rows, 4)] == [4, 4, 3]
    assert [row for part in passes(rows, 4) for row in part] == list(rows)
    (all_at_once,) = passes(rows, 0)
    assert list(all_at_once) == list(rows)


@pytest.mark.parametrize("value_model", ["shared", "separate"])
def test_ppo_in_passes_is_ppo(value_model):
    def run(config):
        policy = tiny.gpt2()
        records = train_ppo(policy, tiny.gpt2(), judge(), tiny.PROMPTS, config, tiny.tokenizer())
        return curve_and_weights(list(records), policy)

    config = PPOConfig(**SMALL, value_model=value_model, entropy_coef=0.01)
    assert_the_same(run, config, 4)  # 6 rows a step: passes of 4 and of 2, of unlike numbers of tokens


@pytest.mark.parametrize("algorithm", ["rloo", "grpo"])
def test_groups_in_passes_are_the_groups(algorithm):
    def run(config):
        policy = tiny.gpt2()
        records = train_grouped(policy, tiny.gpt2(), judge(), tiny.PROMPTS, config, tiny.tokenizer())
        return curve_and_weights(list(records), policy)

    assert_the_same(run, GroupConfig(**SMALL, algorithm=algorithm), 1)


PAIRS = [PreferencePair(f"Day {i}:", " a happy day" + " and on" * (i % 4), f" a sad day {i}", i % 3) for i in range(20)]


def gradients(model):
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_reward_model_has_the_same_gradient_in_passes(family):
    model, tokenizer = new_reward_model(tiny.FAMILIES[family](), tiny.tokenizer()), tiny.tokenizer()
    torch.nn.init.normal_(model.score.weight, generator=torch.Generator().manual_seed(0))
    sides = [tokenizer([p.prompt + getattr(p, side) for p in PAIRS])["input_ids"] for side in ("chosen", "rejected")]
    margins = torch.tensor([float(p.margin) for p in PAIRS])
    seen = []
    for micro_batch in (0, 7):
        model.zero_grad()
        scores = reward_training.add_gradients(model, tuple(sides), margins, tokenizer.pad_token_id, micro_batch)
        seen.append((torch.stack(scores), gradients(model)))
    torch.testing.assert_close(seen[0][0].flatten(), score_of(model, tokenizer), atol=1e-4, rtol=0)
    torch.testing.assert_close(seen[1], seen[0], atol=1e-5, rtol=1e-4)
    assert max(g.abs().max() for g in seen[0][1].values()) > 1e-2


def score_of(model, tokenizer):
    texts = [p.chosen for p in PAIRS] + [p.rejected for p in PAIRS]
    return score(model, tokenizer, [p.prompt for p in PAIRS] * 2, texts)


def test_dpo_has_the_same_gradient_in_passes():
    policy, reference, tokenizer = tiny.gpt2(seed=1), tiny.gpt2(), tiny.tokenizer()
    seen = []
    for micro_batch in (0, 7):
        policy.zero_grad()
        config = DPOConfig(micro_batch=micro_batch)
        seen.append((dpo.add_gradients(policy, reference, PAIRS, config, tokenizer), gradients(policy)))
    torch.testing.assert_close(seen[1], seen[0], atol=1e-4, rtol=1e-4)
    assert max(g.abs().max() for g in seen[0][1].values()) > 1e-2


def test_their_curves_in_passes_are_their_curves():
    curves = []
    for size in (0, 3):
        model = new_reward_model(tiny.gpt2(), tiny.tokenizer())
        config = RewardConfig(epochs=2, batch_pairs=7, heldout_share=0.2, micro_batch=size)
        rewards = [r.metrics for r in train_reward_model(model, tiny.tokenizer(), PAIRS, config)]
        config = DPOConfig(batch_pairs=8, micro_batch=size)
        dpos = [r.metrics for r in train_dpo(tiny.gpt2(), tiny.gpt2(), PAIRS, config, tiny.tokenizer())]
        curves.append(rewards + dpos)
    for ours, theirs in zip(*curves, strict=True):
        assert ours == pytest.approx(theirs, rel=2e-3, abs=2e-4)

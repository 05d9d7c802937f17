"""Every figure of the microscope against autograd, the run's own tensors and the formulas written out."""

import math

import pytest
import torch
from safetensors.torch import save_file

from core.alignment.configs import PPOConfig
from core.alignment.microscope import COLOURED, clip_curve, coloured_by, load_rollout, look_at
from core.alignment.ppo_losses import policy_loss
from core.errors import PlaygroundError
from tests.alignment.test_ppo import CONFIG, run

WIDE = CONFIG.model_copy(update={"epochs": 3, "learning_rate": 3e-3, "cliprange": 0.05, "missing_end_penalty": 0.4})


@pytest.fixture(scope="module")
def record():
    records = run(WIDE)
    next(records)
    return next(records)  # the second update: the policy has left the reference


def tokens(rollout):
    return [
        (row, place) for row, length in enumerate(rollout["mask"].sum(-1).int().tolist()) for place in range(length)
    ]


def test_rewards_deltas_and_the_gae_sum_are_the_runs_own(record):
    t, beta = record.rollout, record.metrics["kl_coef"]
    for row, place in tokens(t):
        view = look_at(t, WIDE.model_dump(), beta, row, place)
        last = place == int(t["mask"][row].sum()) - 1
        assert view.kl_charge == pytest.approx(-beta * (view.logprob - view.ref_logprob), abs=1e-6)
        assert view.reward == pytest.approx(view.kl_charge + view.score_paid, abs=1e-6)
        if last:
            ended = t["response_ids"][row, place].item() == 0
            paid = t["scores"][row].item() - (0 if ended else WIDE.missing_end_penalty)
            assert view.score_paid == pytest.approx(paid, abs=1e-5) and view.next_value == 0
        else:
            assert view.score_paid == 0
        assert view.delta == pytest.approx(view.reward + WIDE.gamma * view.next_value - view.value, abs=1e-6)
        by_hand = math.fsum((WIDE.gamma * WIDE.lam) ** i * term.delta for i, term in enumerate(view.terms))
        assert view.raw_advantage == pytest.approx(by_hand, abs=1e-6)
        assert view.raw_advantage == pytest.approx(t["raw_advantages"][row, place].item(), abs=1e-5)
        assert view.value_target == pytest.approx(view.raw_advantage + view.value, abs=1e-5)


def test_the_active_branch_and_the_push_are_those_of_autograd(record):
    t = record.rollout
    clipped_somewhere = False
    for epoch in range(WIDE.epochs):
        log_ratio = t["ratio"][epoch].log().requires_grad_()
        loss, _, _ = policy_loss(log_ratio, torch.zeros_like(log_ratio), t["advantages"], t["mask"], WIDE.cliprange)
        (-loss * t["mask"].sum()).backward()
        for row, place in tokens(t):
            view = look_at(t, WIDE.model_dump(), 0.05, row, place).epochs[epoch]
            assert view.push == pytest.approx(log_ratio.grad[row, place].item(), abs=1e-5)
            assert (view.active == "clipped") == bool(t["clipped"][epoch, row, place])
            clipped_somewhere |= view.active == "clipped"
    assert clipped_somewhere


def test_the_direction_is_the_sign_of_the_advantage_unless_everything_was_clipped(record):
    t = record.rollout
    for row, place in tokens(t):
        view = look_at(t, WIDE.model_dump(), 0.05, row, place)
        if any(epoch.active == "unclipped" for epoch in view.epochs):
            assert view.push == ("up" if view.advantage > 0 else "down")
        else:
            assert view.push == "none"


def test_alternatives_hold_the_token_where_it_is_likely(record):
    t = record.rollout
    for row, place in tokens(t)[:10]:
        view = look_at(t, WIDE.model_dump(), 0.05, row, place)
        assert len(view.before) == 5 and [p for _, p in view.before] == sorted(
            (p for _, p in view.before), reverse=True
        )
        if view.token_id in dict(view.before):
            assert dict(view.before)[view.token_id] == pytest.approx(view.logprob, abs=1e-4)
        if view.token_id in dict(view.after):
            assert dict(view.after)[view.token_id] == pytest.approx(view.new_logprob, abs=1e-4)


@pytest.mark.parametrize("what", COLOURED)
def test_colours_are_zero_on_padding_and_those_of_the_token_elsewhere(record, what):
    t = record.rollout
    numbers = coloured_by(t, what)
    assert numbers[t["mask"] == 0].eq(0).all()
    row, place = tokens(t)[5]
    view = look_at(t, WIDE.model_dump(), 0.05, row, place)
    expected = {
        "log_ratio": view.new_logprob - view.logprob,
        "kl": view.exact_kl,
        "reward": view.reward,
        "value": view.value,
        "advantage": view.advantage,
        "return": view.value_target,
    }[what]
    assert numbers[row, place].item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("advantage", [1.5, -0.7])
def test_the_curve_is_flat_where_the_clip_holds(advantage):
    ratios, objective = clip_curve(advantage, 0.2)
    for ratio, height in zip(ratios, objective, strict=True):
        assert height == pytest.approx(min(ratio * advantage, min(max(ratio, 0.8), 1.2) * advantage), abs=1e-5)
    assert (objective[-1] == pytest.approx(1.2 * advantage)) == (advantage > 0)


def test_a_kept_file_opens_again_and_an_old_or_broken_one_is_named(record, tmp_path):
    whole = {name: torch.as_tensor(value).clone().contiguous() for name, value in record.rollout.items()}
    save_file(whole, tmp_path / "new.safetensors")
    assert look_at(load_rollout(tmp_path / "new.safetensors"), PPOConfig().model_dump(), 0.05, 0, 0).row == 0
    save_file({"mask": whole["mask"]}, tmp_path / "old.safetensors")
    with pytest.raises(PlaygroundError, match="earlier version"):
        load_rollout(tmp_path / "old.safetensors")
    (tmp_path / "half.safetensors").write_bytes((tmp_path / "new.safetensors").read_bytes()[:200])
    with pytest.raises(PlaygroundError, match="cannot be opened"):
        load_rollout(tmp_path / "half.safetensors")
    with pytest.raises(PlaygroundError, match="no token"):
        look_at(record.rollout, WIDE.model_dump(), 0.05, 0, 99)

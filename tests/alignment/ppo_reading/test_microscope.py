"""Every figure of the microscope against autograd, the run's own tensors and the formulas written out."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.alignment.ppo_losses import policy_loss
from core.alignment.ppo_reading.microscope import (
    COLOURED,
    alternatives,
    clip_curve,
    coloured_by,
    full_tint,
    look_at,
    telling_token,
)
from core.alignment.ppo_reading.slides import from_json, load_rollout, make_slide, pushes
from core.errors import PlaygroundError
from tests import tiny
from tests.alignment.test_ppo import CONFIG, run

WIDE = CONFIG.model_copy(update={"epochs": 3, "learning_rate": 3e-3, "cliprange": 0.05, "missing_end_penalty": 0.4})


def second(config):
    """The second update: the policy has left the reference."""
    records = run(config)
    next(records)
    return next(records)


def slide_of(record, config=WIDE, **metrics):
    arrays = {name: np.asarray(value) for name, value in record.rollout.items()}
    return make_slide(arrays, config.model_dump(), 2, record.metrics | metrics, tiny.tokenizer())


@pytest.fixture(scope="module")
def record():
    return second(WIDE)


@pytest.fixture(scope="module")
def slide(record):
    return slide_of(record)


def tokens(slide):
    return [(row, place) for row in range(len(slide.numbers)) for place in range(slide.length(row))]


def test_rewards_deltas_and_the_gae_sum_are_the_runs_own(record, slide):
    t, beta = record.rollout, record.metrics["kl_coef"]
    for row, place in tokens(slide):
        view = look_at(slide, row, place)
        last = place == slide.length(row) - 1
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
        assert view.of_score + view.of_kl + view.of_critic == pytest.approx(view.raw_advantage, abs=1e-6)
        facts = slide.facts
        assert (view.raw_advantage - facts.raw_mean) / facts.raw_sd == pytest.approx(view.advantage, abs=1e-4)


def test_whitened_rewards_are_taken_apart_too():
    config = WIDE.model_copy(update={"whiten_rewards": True, "missing_end_penalty": 0.0})
    record = second(config)
    slide = slide_of(record, config)
    plain = -record.metrics["kl_coef"] * record.rollout["kl"]
    ends = record.rollout["mask"].sum(-1).long() - 1
    plain[torch.arange(len(plain)), ends] += record.rollout["scores"]
    scale = 1 / plain[record.rollout["mask"] > 0].std().item()
    assert slide.facts.reward_scale == pytest.approx(scale, rel=1e-3)
    for row, end in enumerate(ends.tolist()):
        view = look_at(slide, row, 0)
        assert view.terms[-1].score_paid == pytest.approx(record.rollout["scores"][row].item() * scale, abs=1e-4)
        assert [term.kl_charge + term.score_paid + term.shift for term in view.terms] == pytest.approx(
            record.rollout["rewards"][row, : end + 1].tolist(), abs=1e-5
        )
        parts = view.of_score + view.of_kl + view.of_critic + view.of_shift
        assert parts == pytest.approx(record.rollout["raw_advantages"][row, 0].item(), abs=1e-4)


def test_the_active_branch_and_the_push_are_those_of_autograd(record, slide):
    t = record.rollout
    clipped_somewhere, total = False, torch.zeros_like(t["mask"])
    for epoch in range(WIDE.epochs):
        log_ratio = t["ratio"][epoch].log().requires_grad_()
        loss, _, _ = policy_loss(log_ratio, torch.zeros_like(log_ratio), t["advantages"], t["mask"], WIDE.cliprange)
        (-loss * t["mask"].sum()).backward()
        total += log_ratio.grad
        for row, place in tokens(slide):
            view = look_at(slide, row, place).epochs[epoch]
            assert view.push == pytest.approx(log_ratio.grad[row, place].item(), abs=1e-5)
            assert (view.active == "clipped") == bool(t["clipped"][epoch, row, place])
            clipped_somewhere |= view.active == "clipped"
    assert clipped_somewhere
    np.testing.assert_allclose(pushes(slide.tensors, slide.steps), total.numpy(), atol=1e-5)


def test_the_direction_is_the_sign_of_the_advantage_unless_everything_was_clipped(slide):
    for row, place in tokens(slide):
        view = look_at(slide, row, place)
        if any(epoch.active == "unclipped" for epoch in view.epochs):
            assert view.push == ("up" if view.advantage > 0 else "down")
        else:
            assert view.push == "none"


def test_the_facts_count_every_token_once(slide):
    views = [look_at(slide, row, place) for row, place in tokens(slide)]
    facts = slide.facts
    assert facts.tokens == len(views) and facts.responses == WIDE.rollout_batch
    assert facts.pushed_up == sum(view.push == "up" for view in views)
    assert facts.pushed_down == sum(view.push == "down" for view in views)
    assert facts.followed == sum(view.push != "none" and view.push == view.moved for view in views)
    assert facts.clipped_tokens == sum(any(e.active == "clipped" for e in view.epochs) for view in views)


def test_the_first_minibatch_met_the_policy_that_wrote_it(slide):
    """Whose turn came first is recomputed from the seed: had it been another's, its ratios would not be one."""
    first = slide.steps[0] == 0
    off = np.abs(slide.tensors["ratio"][0] - 1).max(-1)
    assert 0 < first.sum() < WIDE.rollout_batch
    assert off[first].max() < 1e-5 < off[~first].min()
    assert sorted(set(slide.steps.ravel().tolist())) == list(range(WIDE.epochs * WIDE.minibatches))


def test_an_update_ended_early_shows_no_epoch_that_never_was(record):
    slide = slide_of(record, optimizer_steps=3.0)  # two minibatches an epoch: one and a half epochs
    seen = {row: len(look_at(slide, row, 0).epochs) for row in range(WIDE.rollout_batch)}
    assert sorted(seen.values()) == [1] * 4 + [2] * 4
    assert pushes(slide.tensors, slide.steps)[:, 0] == pytest.approx(
        [sum(epoch.push for epoch in look_at(slide, row, 0).epochs) for row in seen], abs=1e-5
    )


def test_alternatives_are_the_token_and_the_likeliest_others(slide):
    for row, place in tokens(slide)[:10]:
        view = look_at(slide, row, place)
        assert len(view.before) == 5 and [p for _, p in view.before] == sorted(
            (p for _, p in view.before), reverse=True
        )
        if view.token_id in dict(view.before):
            assert dict(view.before)[view.token_id] == pytest.approx(view.logprob, abs=1e-4)
        if view.token_id in dict(view.after):
            assert dict(view.after)[view.token_id] == pytest.approx(view.new_logprob, abs=1e-4)
        found = alternatives(view)
        assert found[0] == (view.token_id, math.exp(view.logprob), math.exp(view.new_logprob))
        assert {i for i, _, _ in found} == {view.token_id, *dict(view.before), *dict(view.after)}
        for i, before, after in found[1:]:
            assert (before is None) == (i not in dict(view.before)) and (after is None) == (i not in dict(view.after))
        assert slide.texts[view.token_id] == view.text


@pytest.mark.parametrize(
    "surprise", [1.0, 0.02]
)  # tokens that were hardly expected, and tokens that were nearly certain
def test_the_telling_token_has_the_most_to_move(slide, surprise):
    logprobs = slide.tensors["logprobs"] * np.float32(surprise)
    slide = replace(slide, tensors={**slide.tensors, "logprobs": logprobs})

    def worth(row, place):
        view = look_at(slide, row, place)
        p = math.exp(view.logprob)
        return abs(sum(epoch.push for epoch in view.epochs)) * p * (1 - p)

    inner = [(row, place) for row, place in tokens(slide) if place < slide.length(row) - 1]
    assert telling_token(slide) in inner
    assert worth(*telling_token(slide)) == pytest.approx(max(worth(*each) for each in inner))
    for row in range(len(slide.numbers)):
        found = telling_token(slide, row)
        assert found[0] == row
        assert worth(*found) == pytest.approx(max(worth(*each) for each in inner if each[0] == row))


@pytest.mark.parametrize("what", COLOURED)
def test_colours_are_zero_on_padding_and_those_of_the_token_elsewhere(slide, what):
    numbers = coloured_by(slide, what)
    assert (numbers[slide.tensors["mask"] == 0] == 0).all()
    row, place = tokens(slide)[5]
    view = look_at(slide, row, place)
    expected = {
        "log_ratio": view.new_logprob - view.logprob,
        "kl": view.exact_kl,
        "reward": view.reward,
        "value": view.value,
        "advantage": view.advantage,
        "return": view.value_target,
    }[what]
    assert numbers[row, place].item() == pytest.approx(expected, abs=1e-6)
    shown = np.abs(numbers[slide.tensors["mask"] > 0])
    assert np.median(shown) <= full_tint(slide, what) <= 1.1 * shown.max()


@pytest.mark.parametrize("advantage", [1.5, -0.7])
def test_the_curve_is_flat_where_the_clip_holds(advantage):
    ratios, objective = clip_curve(advantage, 0.2)
    for ratio, height in zip(ratios, objective, strict=True):
        assert height == pytest.approx(min(ratio * advantage, min(max(ratio, 0.8), 1.2) * advantage), abs=1e-5)
    assert (objective[-1] == pytest.approx(1.2 * advantage)) == (advantage > 0)


def test_some_rows_through_the_gallerys_json_are_the_same_tokens(slide):
    few = from_json(json.loads(json.dumps(slide.rows([5, 2]).to_json())), WIDE.model_dump())
    assert few.numbers == (5, 2) and few.facts == slide.facts and few.prompts[1] == slide.prompts[2]
    for row, whole in enumerate(few.numbers):
        for place in range(slide.length(whole)):
            one, other = look_at(few, row, place), look_at(slide, whole, place)
            assert (one.push, one.epochs, one.before, one.text) == (
                other.push, other.epochs, other.before, other.text
            )  # fmt: skip
            assert one.raw_advantage == pytest.approx(other.raw_advantage)


def test_a_kept_file_opens_again_and_an_old_or_broken_one_is_named(record, slide, tmp_path):
    whole = {name: torch.as_tensor(value).clone().contiguous() for name, value in record.rollout.items()}
    save_file(whole, tmp_path / "new.safetensors")
    kept = load_rollout(tmp_path / "new.safetensors")
    again = make_slide(kept, WIDE.model_dump(), 2, record.metrics, tiny.tokenizer())
    assert look_at(again, 0, 0) == look_at(slide, 0, 0)
    save_file({"mask": whole["mask"]}, tmp_path / "old.safetensors")
    with pytest.raises(PlaygroundError, match="`look_again` is off, or it was kept by an earlier version"):
        load_rollout(tmp_path / "old.safetensors")
    (tmp_path / "half.safetensors").write_bytes((tmp_path / "new.safetensors").read_bytes()[:200])
    with pytest.raises(PlaygroundError, match="cannot be opened"):
        load_rollout(tmp_path / "half.safetensors")
    with pytest.raises(PlaygroundError, match="no token"):
        look_at(slide, 0, 99)

"""Losses and gradients against TRL 1.12.0's formulas, written out again here on plain tensors, padding in every batch."""

import pytest
import torch

from core.alignment.configs import PPOConfig
from core.alignment.kl import adapted_coefficient, exact_kl, kl_estimate
from core.alignment.masked import masked_mean, masked_var, masked_whiten
from core.alignment.ppo_losses import entropy, policy_loss, shaped_rewards, value_loss
from core.errors import PlaygroundError

GENERATOR = torch.Generator().manual_seed(1)
MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0]]).float()


def draw(scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(3, 6, generator=GENERATOR)


def trl_masked_mean(values, mask):
    return (values * mask).sum() / mask.sum()


def test_policy_loss_and_gradient_equal_trl():
    logprobs, advantages = draw(), draw()
    new = (logprobs + draw(0.4)).requires_grad_(True)
    loss, ratio, clipped = policy_loss(new, logprobs, advantages, MASK, 0.2)
    (gradient,) = torch.autograd.grad(loss, new)

    theirs = new.detach().clone().requires_grad_(True)
    trl_ratio = torch.exp(theirs - logprobs)
    pg_losses = -advantages * trl_ratio
    pg_losses2 = -advantages * torch.clamp(trl_ratio, 1.0 - 0.2, 1.0 + 0.2)
    expected = trl_masked_mean(torch.max(pg_losses, pg_losses2), MASK)
    (expected_gradient,) = torch.autograd.grad(expected, theirs)
    torch.testing.assert_close(loss, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-7, rtol=0)
    torch.testing.assert_close(masked_mean(clipped, MASK), trl_masked_mean((pg_losses2 > pg_losses).float(), MASK))
    torch.testing.assert_close(ratio, trl_ratio)


def test_a_clipped_token_has_no_gradient_and_the_others_have_minus_advantage_times_ratio():
    logprobs, advantages, mask = torch.zeros(1, 4), torch.tensor([[1.0, 1.0, -1.0, -1.0]]), torch.ones(1, 4)
    new = torch.tensor([[0.5, -0.5, 0.5, -0.5]], requires_grad=True)
    loss, ratio, clipped = policy_loss(new, logprobs, advantages, mask, 0.2)
    (gradient,) = torch.autograd.grad(loss, new)
    assert clipped.tolist() == [[1, 0, 0, 1]]
    torch.testing.assert_close(gradient, -advantages * ratio * (1 - clipped) / 4)


def test_value_loss_and_gradient_equal_trl():
    values, returns = draw(), draw()
    new = (values + draw(0.4)).requires_grad_(True)
    loss, share = value_loss(new, values, returns, MASK, 0.2)
    (gradient,) = torch.autograd.grad(loss, new)

    theirs = new.detach().clone().requires_grad_(True)
    clipped = torch.clamp(theirs, values - 0.2, values + 0.2)
    losses1, losses2 = torch.square(theirs - returns), torch.square(clipped - returns)
    expected = 0.5 * trl_masked_mean(torch.max(losses1, losses2), MASK)
    (expected_gradient,) = torch.autograd.grad(expected, theirs)
    torch.testing.assert_close(loss, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-7, rtol=0)
    torch.testing.assert_close(share, trl_masked_mean((losses2 > losses1).float(), MASK))


def test_rewards_are_the_kl_charge_everywhere_and_the_score_at_the_last_token():
    scores, kl = torch.tensor([2.0, -1.0, 0.5]), draw()
    rewards = shaped_rewards(scores, kl, MASK, 0.1)
    expected = -0.1 * kl * MASK
    for row, last in enumerate((5, 2, 0)):
        expected[row, last] += scores[row]
    torch.testing.assert_close(rewards, expected)


def test_whitening_equals_the_statistics_of_the_unpadded_values():
    x = draw(3.0) + 2.0
    real = x[MASK.bool()]
    torch.testing.assert_close(masked_var(x, MASK), real.var())
    torch.testing.assert_close(
        masked_whiten(x, MASK)[MASK.bool()], (real - real.mean()) * torch.rsqrt(real.var() + 1e-8)
    )
    unshifted = (real - real.mean()) * torch.rsqrt(real.var() + 1e-8) + real.mean()
    torch.testing.assert_close(masked_whiten(x, MASK, shift_mean=False)[MASK.bool()], unshifted)
    poisoned = torch.where(MASK.bool(), x, torch.tensor(1e6))
    torch.testing.assert_close(masked_whiten(poisoned, MASK), masked_whiten(x, MASK))


def test_estimators_agree_with_exact_kl_in_expectation():
    logits, ref_logits = torch.randn(7, generator=GENERATOR), torch.randn(7, generator=GENERATOR)
    p, log_p, log_q = logits.softmax(-1), logits.log_softmax(-1), ref_logits.log_softmax(-1)
    exact = exact_kl(log_p, log_q)
    torch.testing.assert_close(exact, torch.nn.functional.kl_div(log_q, log_p, reduction="sum", log_target=True))
    for estimator, unbiased in (("k1", True), ("k2", False), ("k3", True)):
        expectation = (p * kl_estimate(log_p, log_q, estimator)).sum()  # over every token, not a sample
        assert torch.isclose(expectation, exact, atol=1e-6) == unbiased
    assert kl_estimate(log_p, log_q, "k1").min() < 0  # an estimator may be negative; KL is not
    assert kl_estimate(log_p, log_q, "k3").min() >= 0
    with pytest.raises(ValueError, match="k4"):
        kl_estimate(log_p, log_q, "k4")


def test_entropy_equals_that_of_the_categorical_distribution():
    logits = torch.randn(4, 11, generator=GENERATOR)
    torch.testing.assert_close(
        entropy(logits.log_softmax(-1)), torch.distributions.Categorical(logits=logits).entropy()
    )


def test_the_adaptive_coefficient_moves_toward_its_target_and_by_a_fifth_at_most():
    assert adapted_coefficient(0.1, 6.0, 6.0, 1000, 64) == pytest.approx(0.1)
    assert adapted_coefficient(0.1, 60.0, 6.0, 1000, 64) == pytest.approx(0.1 * (1 + 0.2 * 64 / 1000))
    assert adapted_coefficient(0.1, 0.0, 6.0, 1000, 64) == pytest.approx(0.1 * (1 - 0.2 * 64 / 1000))


def test_an_update_that_could_turn_beta_round_is_refused():
    with pytest.raises(PlaygroundError, match=r"kl_horizon 100 is too short for a rollout_batch of 1024.*above 204.8"):
        PPOConfig.checked(kl_target=6.0, kl_horizon=100.0, rollout_batch=1024)
    assert PPOConfig.checked(kl_target=6.0, kl_horizon=205.0, rollout_batch=1024).kl_horizon == 205.0
    assert PPOConfig.checked(kl_horizon=100.0, rollout_batch=1024).kl_target is None  # nothing is adapted

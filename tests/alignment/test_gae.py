"""GAE against the sum it abbreviates."""

import torch

from core.alignment.gae import gae


def test_equals_the_quadratic_sum_on_ragged_rows():
    generator = torch.Generator().manual_seed(0)
    rewards, values = (torch.randn(5, 9, generator=generator) for _ in range(2))
    lengths = [9, 1, 4, 7, 0]
    mask = torch.tensor([[t < n for t in range(9)] for n in lengths]).float()
    for gamma, lam in ((1.0, 0.95), (0.9, 0.5), (1.0, 1.0), (0.99, 0.0)):
        advantages, returns = gae(rewards, values, mask, gamma, lam)
        for row, length in enumerate(lengths):
            v = [*values[row, :length].tolist(), 0.0]
            delta = [rewards[row, t].item() + gamma * v[t + 1] - v[t] for t in range(length)]
            for t in range(9):
                expected = sum((gamma * lam) ** (k - t) * delta[k] for k in range(t, length))
                assert abs(advantages[row, t].item() - expected) < 1e-5
                assert abs(returns[row, t].item() - (expected + v[t] if t < length else 0.0)) < 1e-5


def test_lambda_one_returns_are_the_discounted_rewards_to_come():
    rewards, mask = torch.rand(3, 6), torch.ones(3, 6)
    _, returns = gae(rewards, torch.randn(3, 6), mask, 1.0, 1.0)
    torch.testing.assert_close(returns, rewards.flip(-1).cumsum(-1).flip(-1), atol=1e-5, rtol=0)


def test_padding_changes_nothing():
    rewards, values, mask = torch.randn(2, 4), torch.randn(2, 4), torch.ones(2, 4)
    wide = [torch.cat([x, torch.full((2, 3), 99.0)], dim=1) for x in (rewards, values)]
    wide_mask = torch.cat([mask, torch.zeros(2, 3)], dim=1)
    plain, padded = gae(rewards, values, mask, 1.0, 0.95), gae(*wide, wide_mask, 1.0, 0.95)
    for a, b in zip(plain, padded, strict=True):
        assert torch.equal(a, b[:, :4]) and b[:, 4:].eq(0).all()

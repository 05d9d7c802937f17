"""The last-layer Laplace against autograd's Hessian, and features against the score they make."""

import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from core.alignment.cross_examination.head_posterior import (
    averaged_probability,
    best_posterior,
    head_features,
    head_posterior,
)
from core.alignment.reward_model import new_reward_model, pairwise_loss, score
from tests import tiny


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_features_times_the_heads_weights_are_the_score(family):
    model, tokenizer = new_reward_model(tiny.FAMILIES[family](), tiny.tokenizer()), tiny.tokenizer()
    torch.nn.init.normal_(model.score.weight, generator=torch.Generator().manual_seed(0))
    responses = [" upon a time.", " and happy all day long.", "!", " pie"]
    features = head_features(model, tokenizer, tiny.PROMPTS, responses)
    expected = score(model, tokenizer, tiny.PROMPTS, responses)
    torch.testing.assert_close(features @ model.score.weight[0].detach(), expected, atol=1e-4, rtol=0)


def drawn(pairs=30, width=5):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(pairs, width, generator=generator), torch.randn(width, generator=generator)


def test_covariance_is_the_inverse_hessian_of_the_ranking_loss():
    differences, weights = drawn()
    d, zeros = differences.double(), torch.zeros(30, dtype=torch.double)

    def loss(w):
        return 30 * pairwise_loss(d @ w, zeros) + 0.5 * 2.0 * w @ w

    hessian = torch.autograd.functional.hessian(loss, weights.double())
    posterior = head_posterior(differences, weights, 2.0)
    torch.testing.assert_close(posterior.covariance, torch.linalg.inv(hessian))
    one = differences[3].double()
    assert posterior.sd(differences[3]).item() == pytest.approx((one @ posterior.covariance @ one).sqrt().item())


def test_averaging_is_close_to_the_integral():
    for delta, sd in ((0.5, 0.3), (2.0, 1.5), (-1.0, 3.0)):
        exact = quad(lambda x: norm.pdf(x, delta, sd) / (1 + torch.exp(torch.tensor(-x)).item()), -40, 40)[0]  # noqa: B023
        found = averaged_probability(torch.tensor(delta), torch.tensor(sd)).item()
        assert found == pytest.approx(exact, abs=0.02)


def test_more_votes_make_it_surer():
    differences, weights = drawn(200)
    few, many = head_posterior(differences[:20], weights, 1.0), head_posterior(differences, weights, 1.0)
    assert (many.sd(differences) < few.sd(differences)).all()


def test_the_prior_is_the_one_the_heldout_votes_like_best():
    differences, weights = drawn(120)
    wrong = -10 * weights.sign() * torch.ones(20, 5)  # votes it is sure of, and wrong about: only a wide prior helps
    assert best_posterior(differences, wrong, weights).prior_precision == 1e-3

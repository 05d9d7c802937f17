"""The toy language against enumeration by hand: probabilities, the optimum, best of n, and the KL estimators."""

import itertools
import math

import numpy as np
import pytest
import torch

from core.alignment.best_of_n import kl_bound
from core.alignment.experiments.toy import (
    best_of_n_logprobs,
    climb,
    estimator_errors,
    expected_reward,
    kl,
    make_toy,
    optimal_logprobs,
)

TOY = make_toy(vocabulary=3, length=3, seed=1)


def test_probabilities_are_products_down_the_tree():
    tables = {}
    rows = iter(TOY.ref_logits.softmax(-1).tolist())
    for length in range(3):
        for prefix in itertools.product(range(3), repeat=length):
            tables[prefix] = next(rows)
    for sequence, logprob in zip(TOY.sequences.tolist(), TOY.ref_logprobs.tolist(), strict=True):
        product = math.prod(tables[tuple(sequence[:t])][sequence[t]] for t in range(3))
        assert math.exp(logprob) == pytest.approx(product, rel=1e-12)
    assert TOY.ref_logprobs.exp().sum().item() == pytest.approx(1)
    assert expected_reward(TOY, TOY.ref_logprobs).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("beta", [0.2, 1.0, 5.0])
def test_nothing_beats_the_optimum(beta):
    best = optimal_logprobs(TOY, beta)
    p, r, q = best.exp().numpy(), TOY.rewards.numpy(), TOY.ref_logprobs.exp().numpy()
    z = (q * np.exp(r / beta)).sum()
    np.testing.assert_allclose(p, q * np.exp(r / beta) / z, rtol=1e-10)
    value = expected_reward(TOY, best) - beta * kl(best, TOY.ref_logprobs)
    assert value.item() == pytest.approx(beta * math.log(z))  # Donsker and Varadhan: the optimum's worth is β log Z
    torch.manual_seed(0)
    for _ in range(50):
        other = (best + 0.3 * torch.randn(len(best))).log_softmax(-1)
        assert expected_reward(TOY, other) - beta * kl(other, TOY.ref_logprobs) < value


def test_the_exact_gradient_climbs_to_the_optimum_and_samples_come_near():
    best = optimal_logprobs(TOY, 0.5)
    top = expected_reward(TOY, best) - 0.5 * kl(best, TOY.ref_logprobs)
    *_, exact = climb(TOY, 0.5, 1500, 0.05)
    assert kl(exact, best).item() < 1e-4
    *_, sampled = climb(TOY, 0.5, 400, 0.05, batch=64)
    reached = expected_reward(TOY, sampled) - 0.5 * kl(sampled, TOY.ref_logprobs)
    assert top.item() - 0.15 < reached.item() <= top.item()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_best_of_n_by_every_draw(n):
    p = TOY.ref_logprobs.exp().numpy()
    kept = np.zeros(len(p))
    for drawn in itertools.product(range(len(p)), repeat=n):
        kept[max(drawn, key=lambda i: TOY.rewards[i].item())] += math.prod(p[i] for i in drawn)
    np.testing.assert_allclose(best_of_n_logprobs(TOY, n).exp().numpy(), kept, atol=1e-12)
    assert kl(best_of_n_logprobs(TOY, n), TOY.ref_logprobs).item() <= kl_bound(n) + 1e-12


def test_estimators_have_the_bias_that_enumeration_says():
    log_p, log_q = optimal_logprobs(TOY, 0.7), TOY.ref_logprobs
    p, q = log_p.exp().numpy(), log_q.exp().numpy()
    true = (p * np.log(p / q)).sum()
    values = {"k1": np.log(p / q), "k2": np.log(p / q) ** 2 / 2, "k3": q / p - 1 - np.log(q / p)}
    for error in estimator_errors(log_p, log_q, samples=200_000):
        mean = (p * values[error.estimator]).sum()
        sd = math.sqrt((p * (values[error.estimator] - mean) ** 2).sum())
        assert error.bias == pytest.approx(mean - true, abs=1e-10)
        assert error.sd == pytest.approx(sd, abs=1e-10)
        assert error.measured_bias == pytest.approx(error.bias, abs=5 * sd / math.sqrt(200_000))
    by_name = {error.estimator: error for error in estimator_errors(log_p, log_q, 10)}
    assert by_name["k1"].bias == pytest.approx(0, abs=1e-12) and by_name["k3"].bias == pytest.approx(0, abs=1e-12)
    assert abs(by_name["k2"].bias) > 1e-3


def test_a_toy_too_large_to_write_down_is_refused():
    with pytest.raises(ValueError, match="too many"):
        make_toy(10, 6)

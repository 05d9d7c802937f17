"""The regression against scikit-learn and the sandwich written out; traits that must come out as what made the score."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from core.alignment.cross_examination.trait_coefficients import standardised_fit, trait_coefficients


def drawn(seed=0, groups=40, each=3, k=4):
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(groups), each)
    x = rng.normal(size=(groups * each, k)) * [1, 5, 0.1, 2] + [0, 3, 1, -1]
    y = x @ [1.0, -0.2, 0, 0.3] + rng.normal(size=groups)[clusters] + rng.normal(size=len(x))
    return x, y, clusters


def test_coefficients_and_explained_variance_are_scikit_learns():
    x, y, clusters = drawn()
    beta, _, explained = standardised_fit(x, y, clusters)
    z, target = StandardScaler().fit_transform(x), StandardScaler().fit_transform(y[:, None])[:, 0]
    fit = LinearRegression().fit(z, target)
    np.testing.assert_allclose(beta, fit.coef_, atol=1e-10)
    assert explained == pytest.approx(fit.score(z, target))


def test_errors_are_the_cluster_sandwich_written_out():
    x, y, clusters = drawn()
    n, k = x.shape
    beta, errors, _ = standardised_fit(x, y, clusters)
    z = (x - x.mean(0)) / x.std(0, ddof=1)
    left = (y - y.mean()) / y.std(ddof=1) - z @ beta
    inverse, groups = np.linalg.inv(z.T @ z), clusters.max() + 1
    middle = np.zeros((k, k))
    for group in range(groups):
        pull = sum(left[i] * z[i] for i in range(n) if clusters[i] == group)
        middle += np.outer(pull, pull)
    variance = groups / (groups - 1) * (n - 1) / (n - k - 1) * inverse @ middle @ inverse
    np.testing.assert_allclose(errors, np.sqrt(np.diag(variance)), rtol=1e-10)


def test_intervals_cover_what_made_the_scores():
    """Of many drawn samples, about 95 in a hundred intervals hold the true coefficient."""
    covered = []
    for seed in range(200):
        x, y, clusters = drawn(seed, groups=200)
        beta, errors, _ = standardised_fit(x, y, clusters)
        true = np.array([1.0, -0.2, 0, 0.3]) * x.std(0, ddof=1) / y.std(ddof=1)
        covered += (abs(beta - true) < 1.96 * errors).tolist()
    assert 0.93 < np.mean(covered) < 0.97


def test_length_is_told_from_what_goes_along_with_it():
    """Longer texts hold more commas here; the score is made of the length alone."""
    rng = np.random.default_rng(0)
    texts = []
    for _ in range(200):
        words = rng.choice(["tree", "house", "walked", "a", "never"], size=rng.integers(3, 30)).tolist()
        texts.append(" " + " ".join(word + ("," if rng.random() < len(words) / 40 else "") for word in words) + ".")
    scores = [0.1 * len(text.split()) for text in texts]
    found = trait_coefficients([f"p{i // 2}" for i in range(200)], texts, scores)
    assert found.coefficients[0].name == "Length"
    assert found.coefficients[0].value == pytest.approx(1.0, abs=1e-6)
    assert all(abs(one.value) < 1e-6 for one in found.coefficients[1:])
    assert found.explained == pytest.approx(1.0)


def test_too_few_texts_are_refused():
    with pytest.raises(ValueError, match="too few"):
        standardised_fit(np.eye(3), np.arange(3.0), np.arange(3))

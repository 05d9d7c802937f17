"""What each trait adds to the score when all others are held still: a regression of scores on traits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.alignment.cross_examination.text_traits import text_traits
from core.quantiles import t_95


@dataclass(frozen=True)
class Coefficient:
    """One trait's share in the score: both in standard deviations."""

    name: str
    meaning: str
    value: float  # sd of score a sd of the trait, the other traits held still
    reach: float  # half-width of the 95 % interval


@dataclass(frozen=True)
class Regression:
    """The coefficients, strongest first, and how much of the score's variance the traits explain together."""

    coefficients: tuple[Coefficient, ...]
    explained: float  # R², 0 to 1
    texts: int


def trait_coefficients(prompts: Sequence[str], responses: Sequence[str], scores: Sequence[float]) -> Regression:
    """Scores on `text_traits()`, all standardised, by least squares; [N] each, N more than the traits and 2.

    A trait that never varies is left out. Texts of one prompt are not independent: intervals come from standard errors
    that allow for it (`standardised_fit`).
    """
    if not len(prompts) == len(responses) == len(scores):
        raise ValueError("every response needs its prompt and its score")
    traits = text_traits()
    table = np.array([[trait.read(p, r) for trait in traits] for p, r in zip(prompts, responses, strict=True)])
    varying = [place for place in range(len(traits)) if np.ptp(table[:, place]) > 0]
    clusters = np.unique(np.array(prompts), return_inverse=True)[1]
    beta, errors, explained = standardised_fit(table[:, varying], np.asarray(scores, float), clusters)
    quantile = t_95(int(clusters.max()))  # with few prompts errors are known badly: Cameron & Miller 2015, section VI
    found = [
        Coefficient(traits[place].name, traits[place].meaning, float(value), quantile * float(error))
        for place, value, error in zip(varying, beta, errors, strict=True)
    ]
    return Regression(tuple(sorted(found, key=lambda one: -abs(one.value))), explained, len(scores))


def standardised_fit(x: np.ndarray, y: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Least squares of standardised y [N] on standardised columns x [N, K]: coefficients, standard errors, R².

    β = (XᵀX)⁻¹Xᵀy. Errors are cluster-robust, V = c (XᵀX)⁻¹ (Σ_g X_gᵀe_g e_gᵀX_g) (XᵀX)⁻¹ with
    c = G/(G−1) · (N−1)/(N−K−1) over the G clusters (Liang & Zeger 1986, Biometrika 73:13; correction as in Cameron &
    Miller 2015, section II). Raises ValueError with fewer texts than K + 2 or fewer than two clusters.
    """
    n, k = x.shape
    groups = int(clusters.max()) + 1 if n else 0
    if n < k + 2 or groups < 2:
        raise ValueError(f"{n} texts on {groups} prompts are too few for {k} traits")
    z = (x - x.mean(0)) / x.std(0, ddof=1)
    target = (y - y.mean()) / (y.std(ddof=1) or 1.0)
    inverse = np.linalg.pinv(z.T @ z)
    beta = inverse @ z.T @ target
    left = target - z @ beta
    pulls = np.zeros((groups, k))
    np.add.at(pulls, clusters, z * left[:, None])
    scale = groups / (groups - 1) * (n - 1) / (n - k - 1)
    variance = scale * inverse @ (pulls.T @ pulls) @ inverse
    total = float(target @ target)
    return beta, np.sqrt(np.diag(variance)), 1 - float(left @ left) / total if total > 0 else 0.0

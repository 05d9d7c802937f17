"""What a reward model's errors do to best of n: small ones everywhere, or a few enormous ones. Errors are simulated.

The responses and their true utility are real; the proxy is the true utility plus an error drawn at random. With
Gaussian errors the best of n is truly better, less and less as n grows; with heavy tails the best of many is the one
with the luckiest error, and the gold comes back down to the average.
Source: Kwa, Thomas and Garriga-Alonso, "Catastrophic Goodhart" (2024), theorems on light and heavy tails.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.alignment.best_of_n import best_of_n_mean

Error = Literal["gaussian", "heavy"]
DEGREES = 1.5  # of freedom, of Student's t: heavy enough that the variance is infinite
_QUARTILE = 0.6744897501960817  # of the standard normal: errors are scaled to the same quartiles


def errors(kind: Error, size: float, count: int, seed: int) -> NDArray[np.float64]:
    """`count` errors whose quartiles are those of a normal of standard deviation `size`: [count].

    gaussian: normal; heavy: Student's t with `DEGREES` degrees of freedom.
    """
    from scipy.stats import t

    rng = np.random.default_rng(seed)
    if kind == "gaussian":
        return size * rng.standard_normal(count)
    scale = _QUARTILE / float(t.ppf(0.75, DEGREES))
    return size * scale * rng.standard_t(DEGREES, count)


def gold_of_the_best(
    golds: NDArray[np.float64], kind: Error, size: float, ns: tuple[int, ...], draws: int = 20, seed: int = 0
) -> list[dict[str, float]]:
    """Gold and proxy of the best of n by gold + error, over `draws` draws of the errors: a row for each n.

    `golds` [N] in standard deviations of their own; `mean` and `se` of the gold, `proxy` its mean.
    """
    found = np.zeros((2, draws, len(ns)))
    for draw in range(draws):
        proxy = golds + errors(kind, size, len(golds), seed + draw)
        for place, n in enumerate(ns):
            found[0, draw, place] = best_of_n_mean(proxy, golds, n)
            found[1, draw, place] = best_of_n_mean(proxy, proxy, n)
    means, spread = found.mean(1), found[0].std(0, ddof=1) / draws**0.5
    return [
        {"n": float(n), "gold": float(means[0, i]), "se": float(spread[i]), "proxy": float(means[1, i])}
        for i, n in enumerate(ns)
    ]

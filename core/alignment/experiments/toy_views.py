"""What the page Frontier shows of the toy language: the best there is, what reaches it, and how KL is estimated."""

from dataclasses import asdict
from typing import Any

from pydantic import Field

from core.config import Config

BETAS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0)  # points of the frontier, from far away to near
BEST_OF = (1, 2, 4, 8, 16, 32, 64)


class ToyConfig(Config):
    """The toy language and how it is climbed."""

    vocabulary: int = Field(4, ge=2, le=8, description="letters")
    length: int = Field(5, ge=2, le=6, description="letters a sequence")
    beta: float = Field(0.5, ge=0.05, le=5, description="β of the policies that climb, and of the estimators' policy")
    steps: int = Field(300, ge=1, le=2000, description="steps of Adam up the objective")
    batch: int = Field(64, ge=2, le=4096, description="sequences a step, of the climb by samples")
    samples: int = Field(10_000, ge=100, le=1_000_000, description="draws that the estimators are measured on")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes the language, its rewards and every draw")


def toy_view(config: ToyConfig) -> dict[str, Any]:
    """The frontier π_ref exp(r/β)/Z, best of n, two climbs (exact gradient, sampled), and the estimators' errors.

    Rewards in standard deviations of the reference's, KL in nats a sequence. `estimators` by β: at a policy that far
    from the reference.
    """
    from core.alignment.best_of_n import kl_bound
    from core.alignment.experiments import toy as toys

    toy = toys.make_toy(config.vocabulary, config.length, config.seed)

    def stands(log_p: Any) -> dict[str, float]:
        return {
            "kl": toys.kl(log_p, toy.ref_logprobs).item(),
            "reward": toys.expected_reward(toy, log_p).item(),
        }

    def climbed(batch: int) -> list[dict[str, float]]:
        path = toys.climb(toy, config.beta, config.steps, 0.05, batch, config.seed)
        return [stands(log_p) for step, log_p in enumerate(path) if step % max(1, config.steps // 60) == 0]

    best = {beta: toys.optimal_logprobs(toy, beta) for beta in sorted({*BETAS, config.beta})}
    return {
        "sequences": len(toy.sequences),
        "frontier": [{"beta": beta, **stands(log_p)} for beta, log_p in best.items()],
        "best_of_n": [{"n": n, **stands(toys.best_of_n_logprobs(toy, n)), "kl_bound": kl_bound(n)} for n in BEST_OF],
        "optimum": stands(best[config.beta]),
        "exact": climbed(0),
        "sampled": climbed(config.batch),
        "estimators": [
            {"beta": beta, "kl": stands(log_p)["kl"], **asdict(error)}
            for beta, log_p in best.items()
            for error in toys.estimator_errors(log_p, toy.ref_logprobs, config.samples, config.seed)
        ],
    }

"""A learning rate for each of the four: the same few rates tried for all, and the best one taken."""

from collections.abc import Iterable, Sequence

from core.anatomy.race_config import KINDS, SWEPT_DISTANCES, SWEPT_RATES, SWEPT_SEED, Kind, RaceConfig
from core.anatomy.recall_race import HELDOUT, Runner, batch_of, recall_accuracy, sequences


def sweep(
    config: RaceConfig,
    rates: Sequence[float] = SWEPT_RATES,
    distances: Sequence[int] = SWEPT_DISTANCES,
    kinds: Iterable[Kind] = KINDS,
) -> dict[Kind, dict[float, float]]:
    """Network -> learning rate -> held-out accuracy, averaged over a whole training and over `distances`.

    The average over training, and not its end, also tells apart rates that all arrive: the faster one is better.
    """
    return {
        kind: {
            rate: sum(_while_learning(kind, config, rate, distance) for distance in distances) / len(distances)
            for rate in rates
        }
        for kind in kinds
    }


def best_rate(found: dict[float, float]) -> float:
    """The rate with the highest accuracy; of equals, the smallest."""
    return max(sorted(found), key=lambda rate: found[rate])


def learning_curve(kind: Kind, config: RaceConfig) -> list[float]:
    """One network alone: its held-out accuracy after every `measure_every` optimiser steps."""
    runner = Runner(kind, config)
    heldout = sequences(config, HELDOUT, config.heldout)
    accuracies = []
    for step in range(1, config.steps + 1):
        runner.learn(batch_of(config, step))
        if step % config.measure_every == 0:
            accuracies.append(recall_accuracy(runner.model, heldout))
    return accuracies


def _while_learning(kind: Kind, config: RaceConfig, rate: float, distance: int) -> float:
    tried = config.model_copy(update={f"{kind}_lr": rate, "distance": distance, "seed": SWEPT_SEED})
    accuracies = learning_curve(kind, tried)
    return sum(accuracies) / len(accuracies)

"""What the page Why transformers opens on: gradients through time, a product of Jacobians, the race, and times."""

from collections.abc import Callable
from functools import partial
from typing import Any

from tqdm import tqdm

from core.anatomy import recurrence_views as views
from core.anatomy.flow_config import FlowConfig
from core.anatomy.layer_timing import measured_in_process
from core.anatomy.race_config import KINDS, SWEPT_DISTANCES, SWEPT_RATES, SWEPT_SEED, Kind, RaceConfig
from core.anatomy.race_sweep import best_rate, learning_curve, sweep
from core.anatomy.recall_race import run_race

DISTANCES = (5, 10, 20, 50, 100, 200)
SEEDS = (0, 1, 2)
GATES_AT, GATES = 50, (1.0, 3.0, 5.0)  # k, and biases of the LSTM's forget gate
BLIND = (10, 50)  # distances at which the transformer also learns without positions


def build(name: str) -> None:
    """Write the entry called `name`."""
    from core.gallery.build import write_view  # it lists the entries of this module

    write_view(name, *_VIEWS[name](), bundled=False)


def _flow() -> tuple[dict[str, Any], dict[str, Any]]:
    config = FlowConfig()
    return config.model_dump(), {kind: views.flow_view(kind, config) for kind in KINDS}


def _jacobians() -> tuple[dict[str, Any], dict[str, Any]]:
    config = FlowConfig(**views.JACOBIAN_DEFAULTS)
    return config.model_dump() | {"kind": "rnn"}, views.jacobian_view("rnn", config)


def _race() -> tuple[dict[str, Any], dict[str, Any]]:
    """The race at every distance and seed, each network at its own best learning rate."""
    config = RaceConfig()
    races: dict[int, list[list[dict[str, Any]]]] = {distance: [] for distance in DISTANCES}
    results: dict[int, list[dict[str, Any]]] = {distance: [] for distance in DISTANCES}
    with tqdm(total=len(DISTANCES) * len(SEEDS), desc="race", disable=None) as bar:
        for distance in DISTANCES:
            for seed in SEEDS:
                raced = config.model_copy(update={"distance": distance, "seed": seed})
                records = list(run_race(raced))
                races[distance].append([{"step": record.step, **record.metrics} for record in records])
                results[distance].append(records[-1].result or {})
                bar.update()
    return config.model_dump(), views.races_view(races, results) | {"seeds": list(SEEDS)}


def _gates() -> tuple[dict[str, Any], dict[str, Any]]:
    """The LSTM at one distance, its forget gate more or less open at the start; the transformer without positions."""
    config = RaceConfig(distance=GATES_AT)
    opened = {
        str(bias): [
            learning_curve("lstm", config.model_copy(update={"forget_bias": bias, "seed": seed}))[-1] for seed in SEEDS
        ]
        for bias in GATES
    }
    blind = {
        str(far): learning_curve("transformer", config.model_copy(update={"distance": far, "positions": False}))[-1]
        for far in BLIND
    }
    return config.model_dump(), {"accuracy": opened, "seeds": list(SEEDS), "without_positions": blind}


def _sweep() -> tuple[dict[str, Any], dict[str, Any]]:
    """Which learning rate is best for which network: what the defaults of `RaceConfig` are."""
    found: dict[Kind, dict[float, float]] = {}
    with tqdm(total=len(KINDS), desc="learning rates", disable=None) as bar:
        for kind in KINDS:
            found |= sweep(RaceConfig(), kinds=[kind])
            bar.update()
    best = {kind: best_rate(rates) for kind, rates in found.items()}
    return {"rates": list(SWEPT_RATES), "distances": list(SWEPT_DISTANCES), "seed": SWEPT_SEED}, {
        "accuracy": {kind: list(rates.values()) for kind, rates in found.items()},
        "best": best,
    }


def _cost() -> tuple[dict[str, Any], dict[str, Any]]:
    return {}, views.timings_view(measured_in_process()) | {"machine": "2-core CPU"}


_VIEWS: dict[str, Callable[[], tuple[dict[str, Any], dict[str, Any]]]] = {
    "why_transformers": _flow,
    "why_transformers_jacobians": _jacobians,
    "why_transformers_race": _race,
    "why_transformers_sweep": _sweep,
    "why_transformers_gates": _gates,
    "why_transformers_cost": _cost,
}

ENTRIES: dict[str, Callable[[], None]] = {name: partial(build, name) for name in _VIEWS}

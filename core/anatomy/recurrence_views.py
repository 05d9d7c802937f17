"""What the page Why transformers draws, as plain arrays and numbers: computed here for page and gallery alike."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from core.anatomy.flow_config import FlowConfig
from core.anatomy.flow_reading import band
from core.anatomy.gradient_flow import gradient_flow
from core.anatomy.jacobians import attention_jacobians, jacobian_product
from core.anatomy.layer_timing import REPEATS, WIDTH, Timing
from core.anatomy.race_config import KINDS, Kind
from core.anatomy.recurrence import initial_weights, spectral_radius

View = dict[str, Any]
JACOBIAN_DEFAULTS: dict[str, Any] = {"width": 16, "length": 100}


def flow_view(kind: Kind, config: FlowConfig) -> View:
    """One network's gradients, a row a seed: `state` and `input` [seeds, time], column n is ‖∂L_T/∂h_{T−n}‖ and
    ‖∂L_T/∂x_{T−n}‖; `weight_norms` [seeds]: ‖∂L_T/∂θ‖, what clipping looks at. An LSTM's also `cell`:
    `state` without feedback, what the cell's own path leaves."""
    flow = gradient_flow(kind, config)
    alone = {"cell": gradient_flow(kind, config, feedback=False).state_norms.numpy()} if kind == "lstm" else {}
    return alone | {
        "state": flow.state_norms.numpy(),
        "input": flow.input_norms.numpy(),
        "weight_norms": flow.weight_norms.numpy(),
    }


def jacobian_view(kind: Kind, config: FlowConfig) -> View:
    """The product of Jacobians of one recurrent network, after every factor.

    `values` [factors, state]: singular values, largest first. `products` [factors, state, state]: each divided by its
    largest singular value, so that a picture of one that has all but vanished shows its directions. `attention`
    [factors]: largest singular value of the transformer's one factor from as far back (NaN: beyond its first token).
    """
    product = jacobian_product(kind, config, config.length)
    largest = product.singular_values[:, :1, None]
    view: View = {
        "values": product.singular_values.numpy(),
        "products": (product.products / largest).numpy(),
        "attention": torch.cat(
            [torch.linalg.svdvals(attention_jacobians(config))[1:, 0], torch.tensor([torch.nan])]
        ).numpy(),
    }
    if kind == "rnn":
        alone = config.model_copy(update={"seeds": 1})
        view["radius"] = float(spectral_radius(initial_weights("rnn", alone)["W_h"])[0])
    return view


def races_view(
    races: Mapping[int, Sequence[Sequence[Mapping[str, float]]]], results: Mapping[int, Sequence[Mapping[str, Any]]]
) -> View:
    """Races by distance, several seeds each: accuracy and influence against the step, and the accuracy at the end.

    The curves are means over the seeds, of the influence the geometric one.
    """

    def over_seeds(seeds: Sequence[Sequence[Mapping[str, float]]], metric: str) -> np.ndarray:
        return np.array([[row[metric] for row in rows] for rows in seeds])

    return {
        "curves": {
            str(distance): {
                "step": [row["step"] for row in seeds[0]],
                **{f"accuracy/{kind}": over_seeds(seeds, f"accuracy/{kind}").mean(0) for kind in KINDS},
                **{f"influence/{kind}": band(over_seeds(seeds, f"influence/{kind}")).mean for kind in KINDS},
            }
            for distance, seeds in races.items()
        },
        "final": {
            str(distance): {kind: [result["accuracy"][kind] for result in seeds] for kind in KINDS}
            for distance, seeds in results.items()
        },
        "parameters": next(iter(results.values()))[0]["parameters"],
    }


def timings_view(timings: Iterable[Timing]) -> View:
    """Measured times by layer, in seconds, and how they were measured."""
    rows = [vars(timing) for timing in timings]
    return {"timings": rows, "width": WIDTH, "repeats": REPEATS}

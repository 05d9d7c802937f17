"""Why a recurrence forgets: ∂h_T/∂h_t is a product of T − t Jacobians, and its singular values say what gets through.

    ∂h_T/∂h_{T−n} = J_T · J_{T−1} · … · J_{T−n+1},   J_k = ∂h_k/∂h_{k−1}

Column vectors here, as in the equation: J[i, j] = ∂h_k[i]/∂h_{k−1}[j].
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from core.anatomy.flow_config import FlowConfig
from core.anatomy.race_config import Kind
from core.anatomy.recurrence import (
    CELLS,
    Weights,
    driven_by,
    initial_weights,
    question,
    states_of,
    transformer_layer,
)

_ROUNDING = 1e-12  # of the largest singular value: a float64 product of a hundred matrices is not exact below


@dataclass(frozen=True)
class JacobianProduct:
    """The product of one network, factor by factor; n = 1 … `factors`."""

    products: Tensor  # [factors, state, state]: [n − 1] is ∂h_T/∂h_{T−n}
    singular_values: Tensor  # [factors, state], largest first; NaN where float64 cannot tell them from rounding
    factors: Tensor  # [factors, state, state]: [n − 1] is J_{T−n+1}, the factor that step n multiplies by


def step_jacobians(kind: Kind, weights: Weights, x: Tensor) -> Tensor:
    """J_1 … J_T of one network (seed axis of size 1), by autograd through its cell: [time, state, state]."""
    states = torch.cat(states_of(kind, weights, x))[:, 0]  # [time, state]
    before = torch.cat([torch.zeros_like(states[:1]), states[:-1]])
    driven = driven_by(weights, x)[0]  # [time, gates · width]
    cell = CELLS[kind]

    def one_step(state: Tensor, drive: Tensor) -> Tensor:
        return cell(weights, drive[None, None], state[None, None])[0, 0]

    jacobians: Tensor = torch.func.vmap(torch.func.jacrev(one_step))(before, driven)
    return jacobians


def jacobian_product(kind: Kind, config: FlowConfig, factors: int) -> JacobianProduct:
    """∂h_T/∂h_{T−n} of the first seed's recurrent network, for n = 1 … `factors`.

    Singular values below 10⁻¹² of the largest are rounding for the most part, and given as NaN.
    Raises ValueError for the transformer, which multiplies nothing, and when there are more factors than tokens.
    """
    if kind not in CELLS:
        raise ValueError(f"a {kind} hands no state on: there is no product")
    if not 1 <= factors <= config.length:
        raise ValueError(f"{factors} factors need as many tokens (there are {config.length})")
    alone = config.model_copy(update={"seeds": 1})
    steps = step_jacobians(kind, initial_weights(kind, alone), question(alone).x)
    newest_first = steps.flip(0)[:factors]
    product = torch.eye(steps.shape[-1], dtype=steps.dtype)
    products = []
    for factor in newest_first:
        product = product @ factor
        products.append(product)
    stacked = torch.stack(products)
    values = torch.linalg.svdvals(stacked)
    told = values > _ROUNDING * values[:, :1]
    return JacobianProduct(stacked, values.where(told, torch.nan), newest_first)


def attention_jacobians(config: FlowConfig) -> Tensor:
    """∂y_T/∂h_{T−n} of the transformer layer (first seed), n = 0 … T − 1: one factor each. [time, width, width]."""
    alone = config.model_copy(update={"seeds": 1})
    weights = initial_weights("transformer", alone)
    h = question(alone).x + weights["positions"]

    def last_output(states: Tensor) -> Tensor:
        return transformer_layer(weights, states)[0, -1]

    jacobian: Tensor = torch.autograd.functional.jacobian(last_output, h)  # [width, 1, time, width]
    return jacobian[:, 0].transpose(0, 1).flip(0)

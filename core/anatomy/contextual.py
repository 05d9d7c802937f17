"""The same word in its places: how a token's vector changes from layer to layer with what stands before it."""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from core.anatomy.parts import captured, layers
from core.anatomy.vocabulary import principal_axes, units


@torch.inference_mode()
def residual_states(model: PreTrainedModel, ids: Sequence[int]) -> np.ndarray:
    """The residual stream before the first block and after each: [layers + 1, T, width], before the final norm."""
    blocks = layers(model)
    with (
        captured({"0": blocks[0].block}, "input") as before,
        captured({str(one.index + 1): one.block for one in blocks}) as after,
    ):
        model.base_model(torch.as_tensor([list(ids)]), use_cache=False)
    found = before | after
    return torch.cat([found[str(place)] for place in range(len(blocks) + 1)]).numpy()


def self_similarity(states: np.ndarray, content: np.ndarray, first: int, second: int) -> dict[str, np.ndarray]:
    """How alike two positions are at every depth, and how alike that layer's vectors are anyway.

    states: [layers + 1, T, width]; content: [T, width], the vectors the tokens came in with.

    `same`: cosine of the states at `first` and `second`, [layers + 1]. `others`: the mean cosine between either of them
    and every other position, [layers + 1]; NaN where there is no other. Without it a high cosine says little: the
    states of a layer tend to share one direction (anisotropy). `content`: the mean cosine of the two with their own
    content vectors: what is left of the word itself.

    Source: Ethayarajh, "How contextual are contextualized word representations?" (2019), section 3.3.
    """
    unit = states / np.maximum(np.linalg.norm(states, axis=-1, keepdims=True), 1e-12)
    cosines = np.einsum("ltd,lsd->lts", unit[:, [first, second]], unit)
    rest = [place for place in range(states.shape[1]) if place not in (first, second)]
    others = cosines[:, :, rest].mean(axis=(1, 2)) if rest else np.full(len(states), np.nan)
    own = np.einsum("lpd,pd->lp", unit[:, [first, second]], units(content[[first, second]])).mean(axis=1)
    return {"same": cosines[:, 0, second], "others": others, "content": own}


def trajectory(states: np.ndarray) -> dict[str, np.ndarray]:
    """Every position's way through the layers, in the plane where all of them together spread most.

    States are taken at length one first (their lengths differ a hundredfold, and cosines ignore them), then projected
    on the first two principal axes of all layers and positions: `points` [layers + 1, T, 2], `share` [2] of variance.
    """
    depth, length, width = states.shape
    flat = units(states.reshape(-1, width))
    axes = principal_axes(flat, 2)
    return {"points": axes.of(flat).reshape(depth, length, 2), "share": axes.share}

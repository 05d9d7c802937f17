"""How a sentence enters a model: each token's content vector, and the position added to it."""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from core.anatomy.parts import layers, position_embedding, rotate, rotation, token_embedding


@torch.inference_mode()
def content_plus_position(model: PreTrainedModel, ids: Sequence[int]) -> dict[str, np.ndarray | None]:
    """x_t = W_E[id_t] + W_P[t]: what the first block receives.

    Returns `content` [T, width], `position` [T, width] (None where positions rotate queries and keys instead) and
    `input` [T, width], their sum: the model's own hidden state before its first block.

    Source: Radford et al., "Improving language understanding by generative pre-training" (2018), section 3.1, h_0.
    """
    content = token_embedding(model)[torch.as_tensor(ids, dtype=torch.long)]
    learned = position_embedding(model)
    if learned is None:
        return {"content": content.numpy(), "position": None, "input": content.numpy()}
    position = learned[: len(ids)]
    return {"content": content.numpy(), "position": position.numpy(), "input": (content + position).numpy()}


@torch.inference_mode()
def turned_queries(model: PreTrainedModel, ids: Sequence[int], layer: int = 0, head: int = 0) -> dict[str, np.ndarray]:
    """One head's queries before and after RoPE, where the model has it: q_t = W_Q·norm(x_t), then R_t q_t.

    Where the family norms queries (Qwen 3), q_t is the normed one.

    Only for the first layer can this be read off the embeddings alone, so `layer` is the first unless the caller has a
    reason. Returns `query` and `turned`, [T, head_size] each; a rotation, so both have the same length.

    Source: Su et al., "RoFormer" (2021), equation 14.
    """
    part = layers(model)[layer]
    x = token_embedding(model)[torch.as_tensor(ids, dtype=torch.long)]
    query = part.vectors("q", part.attention_norm(x), head)
    cos, sin = rotation(model, torch.arange(len(ids)))
    return {"query": query.numpy(), "turned": rotate(query, cos, sin).numpy()}

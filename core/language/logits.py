"""From a trunk's last hidden states to the vocabulary's logits, as the model itself takes this step.

Training asks for the logits of a response's tokens alone, so it takes the step by itself. Most families multiply by a
matrix and that is all; some scale or bend what comes out.
"""

import torch
from torch import Tensor
from transformers import PreTrainedModel

from core.errors import PlaygroundError

_PIECE = 64  # of a row: as many values as are looked at together
_APART = 1e-3  # relative to the largest logit: rounding in bfloat16 is a third of it


def logits_of(model: PreTrainedModel, states: Tensor) -> Tensor:
    """The logits of `states`, which are behind the trunk's final norm: [..., width] -> [..., vocab], float32."""
    head, config = model.get_output_embeddings(), model.config
    logits: Tensor = head(states).float()
    if scale := getattr(config, "logit_scale", None):  # Cohere
        logits = logits * scale
    if scale := getattr(config, "logits_scaling", None):  # Granite
        logits = logits / scale
    if cap := getattr(config, "final_logit_softcapping", None):  # Gemma 2
        logits = cap * (logits / cap).tanh()
    return logits


def width_of(model: PreTrainedModel) -> int:
    """How wide the states are that `logits_of` takes; a family may project them down behind its last block (OPT)."""
    return int(model.get_output_embeddings().weight.shape[1])


def largest(x: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """`x.topk(count)` for rows as long as a vocabulary, three times as fast on a processor: [rows, vocab] -> values and
    indices, [rows, count] each, the largest first.

    A row's largest values lie in those of its pieces whose own largest are the largest; only these are looked through.
    """
    rest = x.shape[1] % _PIECE
    whole = x.shape[1] - rest
    if whole < 4 * count * _PIECE:
        found = x.topk(count, dim=-1)
        return found.values, found.indices
    pieces = x[:, :whole].unflatten(-1, (-1, _PIECE)).amax(-1).topk(count, dim=-1).indices
    columns = (pieces.unsqueeze(-1) * _PIECE + torch.arange(_PIECE, device=x.device)).flatten(1)
    if rest:
        columns = torch.cat([columns, torch.arange(whole, x.shape[1], device=x.device).expand(len(x), -1)], dim=1)
    values, places = x.gather(1, columns).topk(count, dim=-1)
    return values, columns.gather(1, places)


@torch.no_grad()
def check_logits(model: PreTrainedModel) -> None:
    """Raises PlaygroundError for a model whose own logits are others than `logits_of` its states.

    Its log-probabilities would be wrong in training and right in sampling, and the ratio of the two is what PPO is
    about.
    """
    ids = torch.arange(4, device=model.device)[None]
    own = model(input_ids=ids, use_cache=False).logits.float()
    ours = logits_of(model, model.base_model(input_ids=ids, use_cache=False)[0])
    if own.shape != ours.shape or (own - ours).abs().max() > _APART * own.abs().max():
        name = model.config.name_or_path or "this policy"
        raise PlaygroundError(
            f"{name}: how a {model.config.model_type} model comes from its states to its logits is not known here, so "
            "it cannot be tuned"
        )

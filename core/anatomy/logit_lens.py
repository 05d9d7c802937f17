"""The logit lens: what the model would say if it stopped after any layer.

Source: nostalgebraist, "Interpreting GPT: the logit lens" (2020). The residual stream has one width throughout, so the
final norm and the unembedding can be applied to it anywhere; only at the end were they trained to be.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from core.alignment.kl import exact_kl
from core.anatomy.parts import final_norm, logits_of, unembedding
from core.errors import PlaygroundError

SHOWN = 5  # likeliest tokens kept of each cell
_ROWS_AT_ONCE = 256  # of logits: a product with W_U costs little more for many states than for one
_MULTIPLICATIONS = 7e9  # of the products with W_U in one view: about a third of a second on two cores


@dataclass(frozen=True)
class Lens:
    """Row 0 is the embedded input, row l the stream behind layer l − 1; a column is a position."""

    ids: Tensor  # [rows, T, SHOWN], likeliest first
    probabilities: Tensor  # [rows, T, SHOWN]
    to_final: Tensor  # [rows, T], KL(final ‖ row) in nats: how far from what the model says in the end
    of_answer: Tensor  # [rows, T], probability of the token that the last row finds likeliest


def positions_at_once(model: PreTrainedModel, rows: int) -> int:
    """How many positions a view can show at once without keeping anybody waiting: at least four."""
    return max(4, int(_MULTIPLICATIONS / (rows * unembedding(model).numel())))


@torch.no_grad()
def logit_lens(model: PreTrainedModel, states: Tensor, shown: int = SHOWN) -> Lens:
    """softmax(W_U · Norm_final(h)) of each state h: states [rows, T, width], the last row what the final norm is given.

    The last row is the model's own next-token distribution.
    """
    final = logits_of(model, states[-1]).log_softmax(-1)
    answer = final.argmax(-1)
    certain = torch.special.entr(final.exp()).sum(-1)
    found = []
    for rows in states.split(max(1, _ROWS_AT_ONCE // states.shape[1])):
        logprobs = logits_of(model, rows).log_softmax(-1)
        best = logprobs.topk(shown)
        of_answer = logprobs.gather(-1, answer.expand(len(rows), -1).unsqueeze(-1)).squeeze(-1).exp()
        # KL(final ‖ row) = −H(final) − Σ p_final log p_row; rounding may leave a hair below zero
        distance = (-certain - torch.einsum("tv,rtv->rt", final.exp(), logprobs)).clamp(min=0)
        found.append((best.indices, best.values.exp(), distance, of_answer))
    return Lens(*(torch.cat(parts) for parts in zip(*found, strict=True)))


@torch.no_grad()
def lens_difference(model: PreTrainedModel, states: Tensor, reference: PreTrainedModel, its_states: Tensor) -> Tensor:
    """KL(model ‖ reference) of the two lenses in nats, at every row and position: states [rows, T, width] twice.

    Each is read through its own final norm and unembedding. PlaygroundError when the two have not the same rows or
    vocabulary.
    """
    if states.shape[:2] != its_states.shape[:2] or len(unembedding(model)) != len(unembedding(reference)):
        raise PlaygroundError("two models can be compared layer by layer when they have as many layers and tokens")
    return torch.stack(
        [
            exact_kl(logits_of(model, ours).log_softmax(-1), logits_of(reference, theirs).log_softmax(-1))
            for ours, theirs in zip(states, its_states, strict=True)
        ]
    )


def settled_at(likeliest: Tensor) -> Tensor:
    """The first row from which on the likeliest token is the final one: [rows, T] of tokens -> [T]."""
    same = likeliest == likeliest[-1]
    return len(likeliest) - same.flip(0).long().cumprod(0).sum(0)


@torch.no_grad()
def read_one(model: PreTrainedModel, state: Tensor, shown: int = SHOWN) -> tuple[Tensor, Tensor]:
    """The likeliest tokens of a single state and their probabilities: [..., width] -> [..., shown] twice."""
    best = torch.nn.functional.linear(final_norm(model)(state), unembedding(model)).softmax(-1).topk(shown)
    return best.indices, best.values

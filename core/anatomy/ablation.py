"""Does a head matter? Switch it off, and read the next-token distribution again."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import get_ident
from typing import Literal

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from core.alignment.kl import exact_kl
from core.anatomy.parts import layers
from core.errors import PlaygroundError

Method = Literal["zero", "mean"]
TOKENS_AT_ONCE = 2048  # of all copies of the sequence together: bounds the memory of one forward


@contextmanager
def heads_off(model: PreTrainedModel, off: Tensor, method: Method = "zero") -> Iterator[None]:
    """While inside, this thread's forwards run with some heads' outputs replaced, before W_O.

    Args:
        model: of the GPT-2 or Llama family; its weights stay as they are.
        off: [layers, heads], or [batch, layers, heads] for other heads in every row; True where a head is off.
        method: "zero" puts zeros; "mean" the head's mean output over all positions of the same row, so that what the
            head always says stays and what depends on the token goes.
    """
    blocks = layers(model)
    if off.shape[-2:] != (len(blocks), blocks[0].heads):
        raise PlaygroundError(
            f"heads to switch off are given as {list(off.shape)}, but the model has {len(blocks)} layers of "
            f"{blocks[0].heads} heads"
        )
    ours = get_ident()

    def replacing(closed: Tensor, size: int):  # type: ignore[no-untyped-def]
        dropped = closed.repeat_interleave(size, dim=-1)  # [..., heads * size]
        dropped = dropped if closed.ndim == 1 else dropped.unsqueeze(-2)  # [batch, 1, heads * size]

        def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            if get_ident() != ours:  # somebody else is using the same model
                return None
            mixed = inputs[0]
            instead = torch.zeros_like(mixed) if method == "zero" else mixed.mean(-2, keepdim=True)
            return (torch.where(dropped, instead, mixed), *inputs[1:])

        return hook

    with ExitStack() as stack:
        for block in blocks:
            closed = off[..., block.index, :].to(model.device)
            if closed.any():
                handle = block.output_projection.register_forward_pre_hook(replacing(closed, block.head_size))
                stack.callback(handle.remove)
        yield


@torch.no_grad()
def next_token_logits(model: PreTrainedModel, ids: Sequence[int], off: Tensor, method: Method = "zero") -> Tensor:
    """Logits behind the last of `ids` with heads switched off: off [N, layers, heads] -> [N, vocab].

    Each of the N rows is the same sequence with other heads off. PlaygroundError when there are no ids.
    """
    if not ids:
        raise PlaygroundError("there are no tokens: give at least one")
    row = torch.tensor(list(ids), device=model.device)
    at_once = max(1, TOKENS_AT_ONCE // len(row))
    parts = []
    for closed in off.split(at_once):
        with heads_off(model, closed, method):
            states = model.base_model(input_ids=row.expand(len(closed), -1), use_cache=False)[0][:, -1]
        # what the base model returns is behind its final norm already
        parts.append(nn.functional.linear(states, model.get_output_embeddings().weight))
    return torch.cat(parts)


def change_in_nats(before: Tensor, after: Tensor) -> Tensor:
    """KL(before ‖ after) of the next-token distributions, over the full vocabulary: logits [..., vocab] -> [...]."""
    return exact_kl(before.log_softmax(-1), after.log_softmax(-1))


def one_head_off(model: PreTrainedModel) -> Tensor:
    """Every head switched off alone, in the order of layers and heads: [layers * heads, layers, heads]."""
    blocks = layers(model)
    count = len(blocks) * blocks[0].heads
    return torch.eye(count, dtype=torch.bool).reshape(count, len(blocks), blocks[0].heads)

"""The loss of a reward model on fixed pairs as a function of its weights alone, fast to ask many times."""

import contextlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from core.alignment.probe import Probe
from core.feedback.pairs import PreferencePair
from core.language.adapters import bare
from core.language.context import context_of
from core.language.precision import autocast


class LossAt:
    """`loss_at(weights)`: the mean ranking loss on `pairs`, in float32, with `model`'s trained weights replaced.

    The model's parameters become views of one buffer, so that new weights are one copy; it is left with the last ones.
    """

    def __init__(
        self, model: nn.Module, tokenizer: PreTrainedTokenizerBase, pairs: Sequence[PreferencePair], max_tokens: int
    ) -> None:
        """`max_tokens`: what training cut its texts to."""
        self._model = model
        longest = min(max_tokens, context_of(bare(model)))
        trained = [p for p in model.parameters() if p.requires_grad]
        self._buffer = torch.empty(sum(p.numel() for p in trained), device=trained[0].device)
        first = 0
        for parameter in trained:
            view = self._buffer[first : first + parameter.numel()].view(parameter.shape)
            view.copy_(parameter.detach())
            parameter.data = view
            first += parameter.numel()
        self._probe = Probe(tokenizer, pairs, longest, bare(model).device)

    def __call__(self, weights: Tensor) -> float:
        """`weights`: all that is trained, in the order of the model's parameters: [weights]."""
        self._buffer.copy_(weights)
        return self._probe.loss(self._model)

    def on_plane(self, origin: Tensor, u: Tensor, v: Tensor, x: float, y: float, rounded: bool = False) -> float:
        """At θ = origin + x u + y v, without making a vector; all three where the model is.

        `rounded`: in training's precision (`precision.autocast`), which is bfloat16 where that is faster.
        """
        torch.add(origin, u, alpha=x, out=self._buffer)
        self._buffer.add_(v, alpha=y)
        with autocast(self._buffer.device) if rounded else contextlib.nullcontext():
            return self._probe.loss(self._model)

"""The loss of a reward model on fixed pairs as a function of its weights alone, fast to ask many times."""

from collections.abc import Sequence
from typing import TypeGuard

import torch
from torch import Tensor, nn
from transformers import GPT2ForSequenceClassification, PreTrainedTokenizerBase

from core.alignment.loss_surface.gpt2_passes import PairPasses
from core.alignment.probe import Probe
from core.alignment.reward_model import context_of, encode_texts, pairwise_loss
from core.feedback.pairs import PreferencePair
from core.language.adapters import bare


class LossAt:
    """`loss_at(weights)`: the mean ranking loss on `pairs`, float32, with `model`'s trained weights replaced.

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
        self._margins = torch.tensor([pair.margin or 0.0 for pair in pairs])
        self._passes: PairPasses | Probe
        if _plain_gpt2(model):
            prompts = [pair.prompt for pair in pairs]
            chosen = encode_texts(tokenizer, prompts, [pair.chosen for pair in pairs], longest)
            rejected = encode_texts(tokenizer, prompts, [pair.rejected for pair in pairs], longest)
            empty = [tokenizer.pad_token_id]  # as `pad_right` has it
            self._passes = PairPasses(model.config, [c or empty for c in chosen], [r or empty for r in rejected])
            self._weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
        else:
            self._passes = Probe(tokenizer, pairs, longest, bare(model).device)

    def __call__(self, weights: Tensor) -> float:
        """`weights`: all that is trained, in the order of the model's parameters: [weights]."""
        self._buffer.copy_(weights)
        return self._loss()

    def on_plane(self, origin: Tensor, u: Tensor, v: Tensor, x: float, y: float) -> float:
        """At θ = origin + x u + y v, without making a vector."""
        torch.add(origin, u, alpha=x, out=self._buffer)
        self._buffer.add_(v, alpha=y)
        return self._loss()

    def _loss(self) -> float:
        if isinstance(self._passes, PairPasses):
            both = self._passes.scores(self._weights)
        else:
            both = self._passes.scores(self._model)
        return pairwise_loss(*both, self._margins).item()


def _plain_gpt2(model: nn.Module) -> TypeGuard[GPT2ForSequenceClassification]:
    """Whether `PairPasses` computes exactly this model: a whole GPT-2 on the processor, with nothing unusual in it."""
    if not isinstance(model, GPT2ForSequenceClassification) or model.device.type != "cpu":
        return False
    config = model.config
    return bool(
        config.activation_function in ("gelu_new", "gelu_pytorch_tanh")
        and config.scale_attn_weights
        and not config.scale_attn_by_inverse_layer_idx
        and not config.add_cross_attention
    )

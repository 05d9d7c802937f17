"""A few fixed training pairs whose loss is measured again and again: along a run's training, and around its path."""

import random
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from core.alignment.pair_passes import PairPasses, can_pass
from core.alignment.reward_model import encode_texts, pad_right, pairwise_loss, raw_scores
from core.feedback.pairs import PreferencePair
from core.language.adapters import bare

SIZE = 64  # pairs
_BATCH = 16  # texts a pass: little padding, and what a pass needs stays in the processor's cache


def probe_pairs(train: Sequence[PreferencePair], seed: int, size: int = SIZE) -> list[PreferencePair]:
    """`size` of the training pairs, the same ones for the same seed; all of them where there are no more."""
    return random.Random(seed).sample(list(train), min(size, len(train)))


class Probe:
    """Pairs encoded once. `loss` is the training loss on them, in float32, without dropout.

    A GPT-2 on the processor takes the short way of `PairPasses`; any other model is asked through transformers.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, pairs: Sequence[PreferencePair], max_tokens: int, device: torch.device
    ) -> None:
        """`max_tokens`: what training cut its texts to. `device`: where the model is."""
        prompts, pad = [pair.prompt for pair in pairs], tokenizer.pad_token_id
        sides = [pair.chosen for pair in pairs] + [pair.rejected for pair in pairs]
        self._texts = [ids or [pad] for ids in encode_texts(tokenizer, prompts * 2, sides, max_tokens)]
        order = sorted(range(len(self._texts)), key=lambda row: len(self._texts[row]))
        parts = [order[first : first + _BATCH] for first in range(0, len(order), _BATCH)]
        self._batches = [(part, *pad_right([self._texts[row] for row in part], pad, device)) for part in parts]
        self._margins = torch.tensor([pair.margin or 0.0 for pair in pairs])
        self._passes: PairPasses | None = None

    @torch.no_grad()
    def scores(self, model: nn.Module) -> tuple[Tensor, Tensor]:
        """Raw scores of the chosen and of the rejected, in the order of the pairs: [pairs] twice."""
        if can_pass(model):
            half = len(self._texts) // 2
            self._passes = self._passes or PairPasses(model.config, self._texts[:half], self._texts[half:])
            return self._passes.scores({name: one.detach() for name, one in model.named_parameters()})
        scores = torch.zeros(len(self._texts))
        for part, input_ids, mask in self._batches:
            scores[part] = raw_scores(bare(model), input_ids, mask).cpu()
        chosen, rejected = scores.chunk(2)
        return chosen, rejected

    def loss(self, model: nn.Module) -> float:
        """The mean of −log σ(r_w − r_l − margin), in nats per pair."""
        return pairwise_loss(*self.scores(model), self._margins).item()

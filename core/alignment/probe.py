"""A few fixed training pairs whose loss is measured again and again: along a run's training, and around its path."""

import random
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from core.alignment.reward_model import encode_texts, pad_right, pairwise_loss, raw_scores
from core.feedback.pairs import PreferencePair
from core.language.adapters import bare

SIZE = 64  # pairs
_BATCH = 16  # texts a pass: little padding, and what a pass needs stays in the processor's cache


def probe_pairs(train: Sequence[PreferencePair], seed: int, size: int = SIZE) -> list[PreferencePair]:
    """`size` of the training pairs, the same ones for the same seed; all of them where there are no more."""
    return random.Random(seed).sample(list(train), min(size, len(train)))


class Probe:
    """Pairs encoded and padded once. `loss` is the training loss on them, in float32, without dropout."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        pairs: Sequence[PreferencePair],
        max_tokens: int,
        device: torch.device,
    ) -> None:
        """`max_tokens`: what training cut its texts to."""
        prompts = [pair.prompt for pair in pairs]
        texts = encode_texts(
            tokenizer, prompts * 2, [p.chosen for p in pairs] + [p.rejected for p in pairs], max_tokens
        )
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        parts = [order[first : first + _BATCH] for first in range(0, len(order), _BATCH)]
        self._batches = [
            (part, *pad_right([texts[row] for row in part], tokenizer.pad_token_id, device)) for part in parts
        ]
        self._margins = torch.tensor([pair.margin or 0.0 for pair in pairs])
        self._texts = len(texts)

    @torch.no_grad()
    def scores(self, model: nn.Module) -> tuple[Tensor, Tensor]:
        """Raw scores of the chosen and of the rejected, in the order of the pairs: [pairs] twice."""
        scores = torch.zeros(self._texts)
        for part, input_ids, mask in self._batches:
            scores[part] = raw_scores(bare(model), input_ids, mask).cpu()
        chosen, rejected = scores.chunk(2)
        return chosen, rejected

    def loss(self, model: nn.Module) -> float:
        """The mean of −log σ(r_w − r_l − margin), in nats a pair."""
        return pairwise_loss(*self.scores(model), self._margins).item()

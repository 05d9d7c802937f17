"""A GPT-2 reward model's scores of pairs: the numbers and gradients of transformers' own model, two thirds of the work.

What a pair allows beyond `gpt2_trunk`: the beginning that both texts share is read once for both, and only the last
tokens' states are asked for. Tested against transformers' own model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import torch
from torch import Tensor, nn
from transformers import GPT2ForSequenceClassification, PretrainedConfig

from core.alignment.gpt2_trunk import Reading, plain_gpt2, trunk_states

_WORTH_SHARING = (
    1 / 16
)  # of the two texts' tokens: what reading a beginning once has to save, for a row is twice as long


def can_pass(model: nn.Module) -> TypeGuard[GPT2ForSequenceClassification]:
    """Whether `PairPasses` computes exactly this model."""
    return isinstance(model, GPT2ForSequenceClassification) and plain_gpt2(model.transformer)


class PairPasses:
    """Pairs of token ids laid out once: shared beginning, then one tail, then the other, each seeing only its own.

    Pairs that share next to nothing are two rows instead: attention, whose cost is a row's square, is half as much.
    """

    def __init__(
        self,
        config: PretrainedConfig,
        chosen: Sequence[Sequence[int]],
        rejected: Sequence[Sequence[int]],
        at_once: int = 16,
    ) -> None:
        """`chosen` and `rejected`: token ids of the two texts of each pair, none empty. `at_once`: pairs a pass; few
        together need little padding, and their activations stay near the processor."""
        self._config = config
        order = sorted(range(len(chosen)), key=lambda pair: len(chosen[pair]) + len(rejected[pair]))
        parts = [order[first : first + at_once] for first in range(0, len(order), at_once)]
        self._order = torch.tensor(order)
        self._groups = [
            _Group([chosen[pair] for pair in part], [rejected[pair] for pair in part], config.n_head) for part in parts
        ]

    def scores(self, weights: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Raw scores of the chosen and the rejected under `weights` (transformers' names): [pairs] twice, float32."""
        both = torch.cat([self._pass(group, weights) for group in self._groups])[self._order.argsort()]
        return both[:, 0], both[:, 1]

    def _pass(self, group: "_Group", weights: Mapping[str, Tensor]) -> Tensor:
        """The scores of a group's pairs: [pairs, 2]."""
        states = trunk_states(weights, self._config, group.reading, prefix="transformer.")
        scores = (states * weights["score.weight"]).sum(-1)  # no product that bfloat16 would round
        return scores.view(2, -1).t() if group.apart else scores


class _Group:
    """Some pairs as one batch, padded to the longest row; padding sees itself and is seen by nobody."""

    def __init__(self, chosen: Sequence[Sequence[int]], rejected: Sequence[Sequence[int]], heads: int) -> None:
        shared = sum(_shared(c, r) for c, r in zip(chosen, rejected, strict=True))
        self.apart = shared < _WORTH_SHARING * sum(len(text) for text in [*chosen, *rejected])
        if self.apart:
            rows = [_Row.of_text(text) for text in [*chosen, *rejected]]
        else:
            rows = [_Row.of_pair(c, r) for c, r in zip(chosen, rejected, strict=True)]
        longest = max(len(row.ids) for row in rows)

        def padded(name: str, fill: int) -> Tensor:
            return torch.tensor([[*getattr(row, name), *[fill] * (longest - len(row.ids))] for row in rows])

        branches, ends = padded("branches", -1), torch.tensor([row.ends for row in rows])
        earlier = torch.ones(longest, longest, dtype=torch.bool).tril()
        seen, seeing = branches[:, None, :], branches[:, :, None]  # [rows, 1, key], [rows, query, 1]
        sees = earlier & ((seen == seeing) | (seen == 0))
        wanted = torch.arange(len(rows))[:, None].expand_as(ends), ends
        self.reading = Reading(padded("ids", 0), padded("positions", 0), sees, wanted, heads)


@dataclass(frozen=True)
class _Row:
    """One row of a batch: its tokens, the branch of each (0 shared, 1 chosen, 2 rejected), and where its texts end."""

    ids: Sequence[int]
    positions: Sequence[int]
    branches: Sequence[int]
    ends: Sequence[int]

    @classmethod
    def of_text(cls, ids: Sequence[int]) -> "_Row":
        return cls(ids, range(len(ids)), [0] * len(ids), [len(ids) - 1])

    @classmethod
    def of_pair(cls, chosen: Sequence[int], rejected: Sequence[int]) -> "_Row":
        shared = _shared(chosen, rejected)
        ids = [*chosen, *rejected[shared:]]
        branches = [0] * shared + [1] * (len(chosen) - shared) + [2] * (len(rejected) - shared)
        return cls(ids, [*range(len(chosen)), *range(shared, len(rejected))], branches, [len(chosen) - 1, len(ids) - 1])


def _shared(chosen: Sequence[int], rejected: Sequence[int]) -> int:
    """Tokens that both texts begin with; each keeps a tail of its own, be it the last token alone."""
    most = min(len(chosen), len(rejected)) - 1
    return next((i for i in range(most) if chosen[i] != rejected[i]), most)

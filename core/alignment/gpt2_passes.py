"""A GPT-2 reward model's scores of pairs: the numbers and gradients of transformers' own model, two thirds of the work.

What transformers computes, with what a pair allows: the beginning that both texts share is read once for both, and in
the last layer only the two last tokens, whose scores are asked for, go all the way. Tested against transformers' own
model.
"""

from collections.abc import Mapping, Sequence
from typing import TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import GPT2ForSequenceClassification, PretrainedConfig


def plain_gpt2(model: nn.Module) -> TypeGuard[GPT2ForSequenceClassification]:
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


class PairPasses:
    """Pairs of token ids laid out once: shared beginning, then one tail, then the other, each seeing only its own."""

    def __init__(
        self,
        config: PretrainedConfig,
        chosen: Sequence[Sequence[int]],
        rejected: Sequence[Sequence[int]],
        at_once: int = 16,
    ) -> None:
        """`chosen` and `rejected`: token ids of the two texts of each pair, none empty. `at_once`: pairs a pass; few
        together need little padding, and their activations stay near the processor."""
        self._layers, self._heads, self._eps = config.n_layer, config.n_head, config.layer_norm_epsilon
        laid = [_Layout(c, r) for c, r in zip(chosen, rejected, strict=True)]
        order = sorted(range(len(laid)), key=lambda pair: len(laid[pair].ids))
        self._groups = [
            (part, _Group([laid[pair] for pair in part]))
            for part in (order[first : first + at_once] for first in range(0, len(order), at_once))
        ]

    def scores(self, weights: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Raw scores of the chosen and the rejected under `weights` (transformers' names): [pairs] twice, float32."""
        both = torch.cat([self._pass(group, weights) for _, group in self._groups])
        both = both[torch.tensor([pair for part, _ in self._groups for pair in part]).argsort()]
        return both[:, 0], both[:, 1]

    def _pass(self, group: "_Group", weights: Mapping[str, Tensor]) -> Tensor:
        def norm(x: Tensor, name: str) -> Tensor:
            scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
            return F.layer_norm(x, x.shape[-1:], scale, shift, self._eps)

        def linear(x: Tensor, name: str) -> Tensor:  # transformers keeps GPT-2's matrices as [in, out]
            flat = torch.addmm(weights[f"{name}.bias"], x.reshape(-1, x.shape[-1]), weights[f"{name}.weight"])
            return flat.view(*x.shape[:-1], -1)

        def heads(x: Tensor) -> Tensor:  # [pairs, time, width] -> [pairs, head, time, width / heads]
            return x.unflatten(-1, (self._heads, -1)).transpose(1, 2)

        x = F.embedding(group.ids, weights["transformer.wte.weight"])
        x = x + F.embedding(group.positions, weights["transformer.wpe.weight"])
        for layer in range(self._layers):
            at = f"transformer.h.{layer}"
            query, key, value = linear(norm(x, f"{at}.ln_1"), f"{at}.attn.c_attn").chunk(3, dim=-1)
            mask = group.mask
            if layer == self._layers - 1:  # what follows is asked of the two last tokens alone
                rows = torch.arange(len(x))[:, None]
                query, mask, x = query[rows, group.ends], group.end_mask, x[rows, group.ends]
            mixed = _attend(heads(query), heads(key), heads(value), mask)
            x = x + linear(mixed.transpose(1, 2).flatten(2), f"{at}.attn.c_proj")
            inner = F.gelu(linear(norm(x, f"{at}.ln_2"), f"{at}.mlp.c_fc"), approximate="tanh")
            x = x + linear(inner, f"{at}.mlp.c_proj")
        return (norm(x, "transformer.ln_f") * weights["score.weight"]).sum(-1)  # no product that bfloat16 would round


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Fused in float32; in bfloat16, whose fused kernel is slow backwards on a processor, step by step."""
    if query.dtype == torch.float32:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    weights = (query @ key.transpose(-1, -2)) * query.shape[-1] ** -0.5
    return weights.masked_fill(~mask, torch.finfo(weights.dtype).min).softmax(-1).to(value.dtype) @ value


class _Layout:
    """One pair as a row: ids, positions, the branch of each token (0 shared, 1 chosen, 2 rejected), the last tokens."""

    def __init__(self, chosen: Sequence[int], rejected: Sequence[int]) -> None:
        shared = 0
        most = min(len(chosen), len(rejected)) - 1  # each text keeps a tail of its own, be it the last token alone
        while shared < most and chosen[shared] == rejected[shared]:
            shared += 1
        tails = chosen[shared:], rejected[shared:]
        self.ids = [*chosen, *tails[1]]
        self.positions = [*range(len(chosen)), *range(shared, len(rejected))]
        self.branches = [0] * shared + [1] * len(tails[0]) + [2] * len(tails[1])
        self.ends = [len(chosen) - 1, len(self.ids) - 1]


class _Group:
    """Some layouts as tensors, padded to the longest; padding sees itself and is seen by nobody."""

    def __init__(self, laid: Sequence[_Layout]) -> None:
        longest = max(len(one.ids) for one in laid)

        def padded(name: str, fill: int) -> Tensor:
            rows = [list(getattr(one, name)) + [fill] * (longest - len(one.ids)) for one in laid]
            return torch.tensor(rows)

        self.ids, self.positions, branches = padded("ids", 0), padded("positions", 0), padded("branches", -1)
        self.ends = torch.tensor([one.ends for one in laid])
        earlier = torch.ones(longest, longest, dtype=torch.bool).tril()
        seen, seeing = branches[:, None, :], branches[:, :, None]  # [pairs, 1, key], [pairs, query, 1]
        mask = earlier & ((seen == seeing) | (seen == 0))  # [pairs, query, key]
        self.mask = mask[:, None]
        self.end_mask = mask[torch.arange(len(laid))[:, None], self.ends][:, None]

"""GPT-2's trunk for training on a processor: the numbers and gradients of transformers' own, with less work.

The last layer is computed for those tokens alone whose states are asked for, masks are added within the product, and in
bfloat16 attention goes step by step. Tested against transformers' own model.
"""

from collections.abc import Mapping
from typing import TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import GPT2Model, PretrainedConfig

from core.language import onednn
from core.language.precision import tanh_gelu

Wanted = slice | tuple[Tensor, Tensor]  # columns, the same in every row; or rows and columns, [rows, wanted] each


def plain_gpt2(trunk: nn.Module) -> TypeGuard[GPT2Model]:
    """Whether `trunk_states` computes exactly this model: a whole GPT-2 on the processor, nothing unusual in it."""
    if type(trunk) is not GPT2Model or trunk.device.type != "cpu":
        return False
    config = trunk.config
    return bool(
        config.activation_function in ("gelu_new", "gelu_pytorch_tanh")
        and config.scale_attn_weights
        and not config.scale_attn_by_inverse_layer_idx
        and not config.add_cross_attention
        and not any("lora_" in name for name, _ in trunk.named_parameters())
    )


class Reading:
    """Rows of tokens, which token sees which, and the tokens whose last states are wanted."""

    def __init__(self, ids: Tensor, positions: Tensor, sees: Tensor, wanted: Wanted, heads: int) -> None:
        """`ids`, `positions`: [rows, time]. `sees`: [rows, query, key]; every token has to see one, be it itself."""
        self.ids, self.positions = ids, positions
        self._sees, self._wanted, self._heads = sees, wanted, heads
        self._masks: dict[torch.dtype, tuple[Tensor, Tensor]] = {}

    def masks(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """What is added before a softmax, for every token and for the wanted: [rows · heads, query, key] twice."""
        if dtype not in self._masks:
            added = torch.zeros(self._sees.shape, dtype=dtype).masked_fill(~self._sees, torch.finfo(dtype).min)
            every, wanted = (x.repeat_interleave(self._heads, dim=0) for x in (added, self.of_wanted(added)))
            self._masks[dtype] = every, wanted
        return self._masks[dtype]

    def of_wanted(self, x: Tensor) -> Tensor:
        """[rows, time, …] -> [rows, wanted, …]."""
        return x[:, self._wanted] if isinstance(self._wanted, slice) else x[self._wanted]


def trunk_states(weights: Mapping[str, Tensor], config: PretrainedConfig, reading: Reading, prefix: str = "") -> Tensor:
    """The last hidden states, behind the last norm, of the tokens that are wanted: [rows, wanted, width].

    `weights` by `GPT2Model`'s names, each behind `prefix`.
    """

    x = F.embedding(reading.ids, weights[f"{prefix}wte.weight"])
    x = x + F.embedding(reading.positions, weights[f"{prefix}wpe.weight"])
    learning = torch.is_grad_enabled() or torch.is_autocast_enabled("cpu")
    read_only = not learning and x.dtype == torch.float32 and onednn.available()

    def weight_and_bias(name: str) -> tuple[Tensor, Tensor]:
        return weights[f"{prefix}{name}.weight"], weights[f"{prefix}{name}.bias"]

    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], *weight_and_bias(name), eps=config.layer_norm_epsilon)

    def linear(x: Tensor, name: str, activated: bool = False) -> Tensor:
        weight, bias = weight_and_bias(name)  # transformers keeps GPT-2's matrices as [in, out]
        if read_only:
            return onednn.product(x, weight.t(), bias, onednn.TANH_GELU if activated else onednn.NONE)
        product = torch.addmm(bias, x.reshape(-1, x.shape[-1]), weight).view(*x.shape[:-1], -1)
        return tanh_gelu(product) if activated else product

    for layer in range(config.n_layer):
        at = f"h.{layer}"
        query, key, value = linear(norm(x, f"{at}.ln_1"), f"{at}.attn.c_attn").chunk(3, dim=-1)
        mask, wanted_mask = reading.masks(query.dtype)
        if layer == config.n_layer - 1:
            query, mask, x = reading.of_wanted(query), wanted_mask, reading.of_wanted(x)
        x = x + linear(_attend(query, key, value, mask, config.n_head), f"{at}.attn.c_proj")
        x = x + linear(linear(norm(x, f"{at}.ln_2"), f"{at}.mlp.c_fc", activated=True), f"{at}.mlp.c_proj")
    return norm(x, "ln_f")


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, count: int) -> Tensor:
    """Fused in float32; in bfloat16, whose fused kernel is slow backwards on a processor, step by step.

    query [rows, asked, width], key and value [rows, time, width], mask [rows · heads, asked, time], which is added;
    `count` heads -> [rows, asked, width].
    """

    def heads(x: Tensor) -> Tensor:  # [rows, time, width] -> [rows, head, time, width / heads]
        return x.unflatten(-1, (count, -1)).transpose(1, 2)

    if query.dtype == torch.float32:
        added = mask.unflatten(0, (-1, count))
        mixed = F.scaled_dot_product_attention(heads(query), heads(key), heads(value), attn_mask=added)
    else:
        asked, seen, given = (heads(x).flatten(0, 1) for x in (query, key, value))
        weights = torch.baddbmm(mask, asked, seen.transpose(1, 2), alpha=asked.shape[-1] ** -0.5)
        # In float32: a softmax in bfloat16 is three times as slow where a row is no multiple of its registers.
        mixed = (weights.float().softmax(-1).to(value.dtype) @ given).unflatten(0, (-1, count))
    return mixed.transpose(1, 2).flatten(2)

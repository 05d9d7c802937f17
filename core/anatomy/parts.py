"""The parts of a transformer by one set of names, whatever its family calls them.

GPT-2 fuses W_Q, W_K and W_V into one matrix stored the other way round, adds learned positions and normalises with
LayerNorm; Llama keeps three matrices, rotates queries and keys, shares keys among groups of query heads and normalises
with RMSNorm; Qwen 3 normalises each head's queries and keys too. What looks inside a model asks here, and knows none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import get_ident
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel

from core.errors import PlaygroundError


@dataclass(frozen=True)
class Layer:
    """One block: its modules, and its attention as plain matrices."""

    index: int
    block: nn.Module
    attention_norm: nn.Module
    attention: nn.Module
    output_projection: nn.Module  # W_O; its input is the heads' outputs, one beside the other
    feed_forward_norm: nn.Module
    feed_forward: nn.Module
    heads: int
    kv_heads: int
    head_size: int
    fused: bool  # GPT-2: one matrix for queries, keys and values, stored [in, out]

    @property
    def group(self) -> int:
        """Query heads that share one key and value head: 1 in plain multi-head attention."""
        return self.heads // self.kv_heads

    def projection(self, name: str) -> tuple[Tensor, Tensor | None]:
        """W and bias of "q", "k", "v" or "o", such that y = x W + b: W is [in, out], of all heads together."""
        if name == "o":
            return _matrix(self.output_projection, self.fused)
        if self.fused:
            weight, bias = _matrix(cast("nn.Module", self.attention.c_attn), True)
            part = "qkv".index(name)
            width = self.heads * self.head_size
            return weight[:, part * width : (part + 1) * width], bias[part * width : (part + 1) * width]  # type: ignore[index]
        return _matrix(cast("nn.Module", getattr(self.attention, f"{name}_proj")), False)

    def of_head(self, name: str, head: int) -> tuple[Tensor, Tensor | None]:
        """`projection` of one query head: [in, head_size] for q, k, v; [head_size, out] without bias for o.

        The key and value matrices are those of the head's group.
        """
        weight, bias = self.projection(name)
        place = head if name in ("q", "o") else head // self.group
        part = slice(place * self.head_size, (place + 1) * self.head_size)
        if name == "o":
            return weight[part], None
        return weight[:, part], None if bias is None else bias[part]

    def vectors(self, name: str, x: Tensor, head: int) -> Tensor:
        """One query head's "q", "k" or "v" before positions turn it: x [..., T, width] -> [..., T, head_size]."""
        return self.normed(name, affine(x, *self.of_head(name, head)))

    def normed(self, name: str, vectors: Tensor) -> Tensor:
        """Heads' vectors [..., head_size] behind the norm that the family gives its queries and keys: Qwen 3 alone."""
        norm = cast("nn.Module | None", getattr(self.attention, f"{name}_norm", None))
        return vectors if norm is None else normalised_with(norm, vectors, vectors)

    @property
    def norms_queries(self) -> bool:
        """Whether each head's queries and keys are normalised, before positions turn them."""
        return hasattr(self.attention, "q_norm")


def layers(model: PreTrainedModel) -> list[Layer]:
    """Every block of `model`, first to last. PlaygroundError for families whose inside is not known here."""
    config = model.config
    if config.model_type == "gpt2":
        size = config.n_embd // config.n_head
        return [
            Layer(i, b, b.ln_1, b.attn, b.attn.c_proj, b.ln_2, b.mlp, config.n_head, config.n_head, size, True)
            for i, b in enumerate(cast("Any", model.base_model).h)
        ]
    if config.model_type not in LLAMA_LIKE:
        raise PlaygroundError(
            f"a {config.model_type} model cannot be opened here: GPT-2 and Llama families can "
            f"({', '.join(('gpt2', *LLAMA_LIKE))})"
        )
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
    return [
        Layer(
            i,
            b,
            b.input_layernorm,
            b.self_attn,
            b.self_attn.o_proj,
            b.post_attention_layernorm,
            b.mlp,
            heads,
            kv_heads,
            size,
            False,
        )
        for i, b in enumerate(cast("Any", model.base_model).layers)
    ]


LLAMA_LIKE = ("llama", "mistral", "qwen2", "qwen3")  # one layout of modules, rotary positions, RMSNorm


def rotates(model: PreTrainedModel) -> bool:
    """Whether positions enter as rotations of queries and keys (RoPE) instead of as vectors added to the input."""
    return hasattr(model.base_model, "rotary_emb")


def rotation(model: PreTrainedModel, positions: Tensor) -> tuple[Tensor, Tensor]:
    """cos and sin of RoPE's angles, by the model's own frequencies: positions [..., T] -> [..., T, head_size] each."""
    like = torch.zeros(1, device=positions.device)
    flat = positions.reshape(-1, positions.shape[-1])
    cos, sin = cast("Any", model.base_model).rotary_emb(like, flat)
    return cos.reshape(*positions.shape, -1), sin.reshape(*positions.shape, -1)


def rotate(vectors: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """RoPE: dimension i of the first half and i of the second turn together by the angle of their position.

    vectors, cos, sin: [..., T, head_size]. Source: Su et al., "RoFormer" (2021), section 3.4.2, in the half-split
    layout that Llama's weights are stored for.
    """
    half = vectors.shape[-1] // 2
    turned = torch.cat([-vectors[..., half:], vectors[..., :half]], dim=-1)
    return vectors * cos + turned * sin


def final_norm(model: PreTrainedModel) -> nn.Module:
    """The norm behind the last block."""
    base = cast("Any", model.base_model)
    return cast("nn.Module", base.ln_f if hasattr(base, "ln_f") else base.norm)


def unembedding(model: PreTrainedModel) -> Tensor:
    """W_U, a row a token: [vocab, width]. Where input and output are tied it is the embedding itself."""
    return cast("Tensor", cast("Any", model.get_output_embeddings()).weight)


def token_embedding(model: PreTrainedModel) -> Tensor:
    """The content vectors, a row a token: [vocab, width]."""
    return cast("Tensor", cast("Any", model.get_input_embeddings()).weight)


def position_embedding(model: PreTrainedModel) -> Tensor | None:
    """Learned position vectors, a row a position: [context, width]; None where positions rotate."""
    base = cast("Any", model.base_model)
    return cast("Tensor", base.wpe.weight) if hasattr(base, "wpe") else None


def attention_mask_of(allowed: Tensor, causal: bool = True, window: int | None = None) -> Tensor:
    """0 where a query may look, −∞ where not: [..., T] of kept positions -> [..., T, T].

    With `causal` no query looks ahead; with `window` none looks further back than the last `window` positions, its own
    among them. A query whose every key is padding may look at itself, so that no row of the softmax is empty.
    """
    length = allowed.shape[-1]
    reach = torch.ones(length, length, dtype=torch.bool, device=allowed.device)
    reach = reach.tril() if causal else reach
    reach = reach if window is None else reach.triu(1 - window)
    seen = reach & allowed.bool().unsqueeze(-2)
    seen = seen | torch.eye(length, dtype=torch.bool, device=allowed.device)
    return torch.zeros(seen.shape, device=allowed.device).masked_fill(~seen, float("-inf"))


@contextmanager
def captured(modules: dict[str, nn.Module], what: str = "output") -> Iterator[dict[str, Tensor]]:
    """While inside, every forward of this thread leaves each module's output (or first "input") under its name.

    Readers share one model: what another thread sends through it meanwhile is not ours, and is let pass.
    """
    found: dict[str, Tensor] = {}
    ours = get_ident()

    def keep(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
            if get_ident() != ours:
                return
            value = output if what == "output" else (inputs[0] if inputs else named["hidden_states"])
            found[name] = value[0] if isinstance(value, tuple) else value

        return hook

    handles = [module.register_forward_hook(keep(name), with_kwargs=True) for name, module in modules.items()]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x W, plus the bias where there is one: [..., in] -> [..., out]."""
    return x @ weight if bias is None else x @ weight + bias


def _matrix(module: nn.Module, stored_in_out: bool) -> tuple[Tensor, Tensor | None]:
    weight, bias = cast("Tensor", module.weight), cast("Tensor | None", module.bias)
    return (weight if stored_in_out else weight.T), bias


def normalised_with(norm: nn.Module, x: Tensor, statistics_of: Tensor) -> Tensor:
    """`norm` of x without its additive bias, with mean and scale frozen at those of `statistics_of`: linear in x.

    LayerNorm: (x − mean(x)) / sqrt(var(s) + ε) · γ. RMSNorm: x / sqrt(mean(s²) + ε) · γ. Applied to the parts of a
    residual stream it gives parts that sum to the whole's norm (less LayerNorm's bias).
    """
    weight = cast("Tensor", norm.weight)
    if isinstance(norm, nn.LayerNorm):
        scale = (statistics_of.var(-1, unbiased=False, keepdim=True) + norm.eps).rsqrt()
        return (x - x.mean(-1, keepdim=True)) * scale * weight
    eps = cast("float", norm.variance_epsilon)
    return x * (statistics_of.square().mean(-1, keepdim=True) + eps).rsqrt() * weight


def logits_of(model: PreTrainedModel, states: Tensor) -> Tensor:
    """Final norm and unembedding applied to any residual state: [..., width] -> [..., vocab]."""
    return F.linear(final_norm(model)(states), unembedding(model))

"""A block that starts as the mean over the text read so far: what lets a large reward model learn from few votes.

A policy's last token knows what comes next, and its score head would have to be taught first to look back at all: a
few hundred votes are too few for that. In the block that is put on top here attention starts uniform, so that the last
token begins as the mean of what every token is; training may then look wherever it likes. It is an ordinary block of
the policy's own kind: plain transformers opens such a model, and scores with it.
"""

import re

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

_GAIN = 100.0  # the mean speaks that much louder than the last token: what that predicts next says little of the text
_SPREAD = 0.02  # of weights that start at random, as in the policies themselves
_LLAMA = ("self_attn.q_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.down_proj")
_LLAMA_NORMS = {"input_layernorm", "post_attention_layernorm"}  # before attention, before the feed-forward part
_GPT2 = ("attn.c_attn", "attn.c_proj", "mlp.c_proj")
_LAST_NORMS = ("norm.", "ln_f.")
_BLOCK = re.compile(r"^(?:layers|h)\.(\d+)\.")


def can_pool(policy: PreTrainedModel) -> bool:
    """Whether a pooling block can be put on this policy's trunk: the families of Llama and GPT-2.

    Not those that norm what a block adds (Gemma 2, OLMo 2): of the mean's loudness nothing would be left.
    """
    blocks = _blocks(policy)
    return blocks is not None and _attention(blocks[-1]) is not None


def trunk_below(policy: PreTrainedModel, blocks: int) -> dict[str, Tensor]:
    """The weights of the policy's embeddings, of its first blocks, and of what stands on them."""
    weights = policy.base_model.state_dict()
    place = {name: _BLOCK.match(name) for name in weights}
    return {name: weights[name] for name, found in place.items() if found is None or int(found[1]) < blocks}


def pooling_block(model: PreTrainedModel) -> nn.Module | None:
    """The pooling block of a reward model that has one."""
    blocks = _blocks(model) if getattr(model.config, "pooling_after", 0) else None
    return None if blocks is None else blocks[-1]


@torch.no_grad()
def start_as_mean(model: PreTrainedModel) -> None:
    """Make the last block of `model` the mean over the text, and the norm behind it neutral. The same every time.

    With q = 0 every place before it has the same weight. Values and output are orthogonal, so that little of what the
    tokens are is lost; the feed-forward part adds nothing yet.
    """
    blocks = _blocks(model)
    assert blocks is not None
    block, generator = blocks[-1], torch.Generator().manual_seed(0)
    for name, parameter in block.named_parameters():
        if name.endswith("bias"):
            parameter.zero_()
        elif "norm" in name or name.startswith("ln_"):
            parameter.fill_(1.0)
        else:
            parameter.normal_(std=_SPREAD, generator=generator)
    attention = _attention(block)
    assert attention is not None
    queries, values, output, feed_forward = attention
    queries.zero_()
    feed_forward.zero_()
    for weights, gain in ((values, 1.0), (output, _GAIN)):
        weights.copy_(gain * nn.init.orthogonal_(torch.empty(weights.shape), generator=generator))
    for name, parameter in model.base_model.named_parameters():
        if name.startswith(_LAST_NORMS):
            parameter.fill_(0.0 if name.endswith("bias") else 1.0)


def _blocks(model: PreTrainedModel) -> nn.ModuleList | None:
    for name in ("layers", "h"):
        blocks = getattr(model.base_model, name, None)
        if isinstance(blocks, nn.ModuleList):
            return blocks
    return None


def _attention(block: nn.Module) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
    """Weights of a block's queries, values and attention output, and of the feed-forward part's output."""
    weights = dict(block.named_parameters())
    if any(name.endswith("layernorm") and name not in _LLAMA_NORMS for name, _ in block.named_children()):
        return None
    match [weights.get(f"{name}.weight") for name in _LLAMA], [weights.get(f"{name}.weight") for name in _GPT2]:
        case [Tensor() as queries, Tensor() as values, Tensor() as output, Tensor() as feed_forward], _:
            return queries, values, output, feed_forward
        case _, [Tensor() as together, Tensor() as output, Tensor() as feed_forward]:
            parts = together.chunk(3, dim=1)  # [in, out]: queries, keys and values side by side
            return parts[0], parts[2], output, feed_forward
    return None

"""What the block page draws, as plain arrays and numbers: computed here for the page and for its gallery alike."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.anatomy.ablation import change_in_nats
from core.anatomy.attention import Reading, layer_of, scaling_of
from core.anatomy.block import BlockTrace, activation_of, embed, trace_block
from core.anatomy.cross_attention import both_ways, cross_attention, weights_of
from core.anatomy.logit_lens import lens_difference, logit_lens, positions_at_once, read_one, settled_at
from core.anatomy.next_token import next_token
from core.anatomy.parts import layers, logits_of, rotates, unembedding
from core.anatomy.without import Backward
from core.anatomy.writing import Written
from core.language.registry import is_chat
from core.language.tokens import Sentence, pieces_of

FIRST = 4  # numbers of each vector that are written out
UNITS = 6  # feed-forward units named
SHOWN = 8  # likeliest tokens of two distributions beside each other

View = dict[str, Any]


def about(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, sentence: Sentence) -> View:
    """The sentence's tokens and the model's sizes: what the controls offer."""
    blocks = layers(model)
    first = blocks[0]
    return {
        "ids": sentence.ids,
        "pieces": sentence.pieces,
        "layers": len(blocks),
        "heads": first.heads,
        "kv_heads": first.kv_heads,
        "width": unembedding(model).shape[1],
        "inner": _down(first.feed_forward, first.fused).shape[0],
        "vocabulary": len(unembedding(model)),
        "norm": "LayerNorm" if isinstance(first.attention_norm, nn.LayerNorm) else "RMSNorm",
        "activation": "GELU" if first.fused else "SwiGLU",
        "rotates": rotates(model),
        "chat": is_chat(tokenizer),
        "at_once": positions_at_once(model, len(blocks) + 1),
    }


@torch.no_grad()
def block_view(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    ids: Sequence[int],
    stream: Tensor,
    layer: int,
    token: int,
) -> View:
    """One block at one token: each box's length, what the stream reads as there, and the insides of its parts.

    `stream` is `residual_stream` of the same model and ids.
    """
    block = layer_of(model, layer)
    trace = trace_block(model, layer, stream[2 * layer], embed(model, ids)[1])
    vectors = _vectors(trace, token)
    fed = trace.feed_forward
    return {
        "norms": {name: float(vector.norm()) for name, vector in vectors.items()},
        "first": {name: vector[:FIRST] for name, vector in vectors.items()},
        "reads": {name: _read(model, tokenizer, vectors[name]) for name in ("entering", "between", "leaving")},
        "statistics": {
            "attention": _statistics(block.attention_norm, vectors["entering"]),
            "feed_forward": _statistics(block.feed_forward_norm, vectors["between"]),
        },
        "cosines": {
            "attention": float(torch.cosine_similarity(vectors["attention"], vectors["entering"], dim=0)),
            "feed_forward": float(torch.cosine_similarity(vectors["feed_forward"], vectors["between"], dim=0)),
        },
        "weights": trace.weights[:, token, : token + 1],
        "pre": fed.pre[token],
        "hidden": fed.hidden[token],
        "curve": _curve(activation_of(block), fed.pre[token]),
        "units": _units(_down(block.feed_forward, block.fused), fed.pre[token], fed.hidden[token]),
    }


@torch.no_grad()
def depth_view(stream: Tensor) -> View:
    """‖stream‖ before the first part and after each addition [2 L + 1, T], and ‖what each part added‖ [2 L, T].

    `share` is ‖added‖ / (‖added‖ + ‖stream before‖), 0 to 1.
    """
    lengths, added = stream.norm(dim=-1), stream.diff(dim=0).norm(dim=-1)
    return {"stream": lengths, "added": added, "share": added / (added + lengths[:-1])}


def without_view(tokenizer: PreTrainedTokenizerBase, plain: Backward, switched: Backward) -> View:
    """Gradients and lengths at each depth and the next token, as trained and with parts taken out.

    `grown` is how many times as long the stream leaves the last layer; `carried` the gradient at the input over that at
    the end.

    Tokens are the likeliest of either; `kl` is KL(as trained ‖ switched) in nats, NaN where the logits are not finite.
    """
    both = [one.logits.softmax(-1) for one in (plain, switched)]
    best = torch.stack([one.nan_to_num() for one in both]).amax(0).topk(SHOWN).indices
    best = best[both[0][best].argsort(descending=True)]
    return {
        "gradients": [plain.gradients, switched.gradients],
        "states": [plain.states, switched.states],
        "losses": [plain.loss, switched.loss],
        "pieces": pieces_of(tokenizer, best.tolist()),
        "probabilities": [one[best] for one in both],
        "kl": float(change_in_nats(plain.logits, switched.logits)),
        "grown": float(switched.states[-1] / plain.states[-1]),
        "carried": [float(one.gradients[0] / one.gradients[-1]) for one in (plain, switched)],
    }


def lens_view(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, stream: Tensor, first: int, count: int
) -> View:
    """The logit lens of positions `first` and the `count` − 1 behind it, at the input and behind every layer."""
    lens = logit_lens(model, stream[0::2, first : first + count])
    pieces = pieces_of(tokenizer, lens.ids.flatten().tolist())
    return {
        "pieces": _shaped(pieces, lens.ids.shape),
        "probabilities": lens.probabilities,
        "to_final": lens.to_final,
        "settled": settled_at(lens.ids[:, :, 0]),
        "of_answer": lens.of_answer,
    }


def difference_view(
    model: PreTrainedModel, stream: Tensor, reference: PreTrainedModel, its_stream: Tensor, first: int, count: int
) -> View:
    """KL(model ‖ reference) of the two lenses, at the input and behind every layer."""
    part = slice(first, first + count)
    kl = lens_difference(model, stream[0::2, part], reference, its_stream[0::2, part])
    row, column = divmod(int(kl.argmax()), kl.shape[1])
    return {"kl": kl, "largest": [row, column], "at_the_end": float(kl[-1].mean())}


@torch.no_grad()
def next_view(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    state: Tensor,
    temperature: float,
    top_k: int,
    top_p: float,
) -> View:
    """The next-token distribution behind one final state [width], filtered as it would be for drawing."""
    found = next_token(logits_of(model, state), temperature, top_k, top_p)
    return asdict(found) | {"pieces": pieces_of(tokenizer, found.ids.tolist())}


def ways_view(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    ids: Sequence[int],
    decoder: Tensor,
    encoder: Tensor,
) -> View:
    """What changes when the mask is taken away: vectors, and what comes next."""
    ways = both_ways(model, ids, decoder, encoder)
    both = [ways.decoder_logprobs.exp(), ways.encoder_logprobs.exp()]
    best = torch.stack(both).amax(0).topk(SHOWN).indices
    best = best[both[0][best].argsort(descending=True)]
    return {
        "moved": ways.moved,
        "change": ways.change,
        "decoder_mean": float(ways.decoder_next.mean()),
        "encoder_mean": float(ways.encoder_next.mean()),
        "pieces": pieces_of(tokenizer, best.tolist()),
        "probabilities": [one[best] for one in both],
    }


def masks_view(
    model: PreTrainedModel, ids: Sequence[int], decoder: Tensor, encoder: Tensor, layer: int, head: int
) -> View:
    """One head's weights both ways."""
    return {
        "decoder_weights": weights_of(model, ids, decoder, layer, head, causal=True),
        "encoder_weights": weights_of(model, ids, encoder, layer, head, causal=False),
    }


def cross_view(model: PreTrainedModel, source: Reading, target: Reading, layer: int, head: int) -> View:
    """One head with queries from `target` and keys and values from `source`, with the numbers written out."""
    block = layer_of(model, layer)
    trace = cross_attention(model, source, target, layer, head)
    return {
        "scores": trace.scores,
        "scaled": trace.scaled,
        "weights": trace.weights,
        "q": trace.q[:, :FIRST],
        "k": trace.k[:, :FIRST],
        "v": trace.v[:, :FIRST],
        "head_output": trace.head_output[:, :FIRST],
        "scaling": scaling_of(block),
        "head_size": block.head_size,
    }


def written_view(tokens: Sequence[Written], ended: bool) -> View:
    """The response so far."""
    return {"tokens": [asdict(token) for token in tokens], "ended": ended}


def _vectors(trace: BlockTrace, token: int) -> dict[str, Tensor]:
    return {
        "entering": trace.entering[token],
        "attention_input": trace.attention_input[token],
        "attention": trace.attention[token],
        "between": trace.between[token],
        "feed_forward_input": trace.feed_forward_input[token],
        "feed_forward": trace.feed_forward.output[token],
        "leaving": trace.leaving[token],
    }


def _read(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, state: Tensor) -> list[View]:
    best, probabilities = read_one(model, state)
    pieces = pieces_of(tokenizer, best.tolist())
    return [{"piece": p, "probability": q} for p, q in zip(pieces, probabilities.tolist(), strict=True)]


def _statistics(norm: nn.Module, x: Tensor) -> View:
    """What the norm takes from one token's vector, and the first numbers of what it does to it."""
    centred = isinstance(norm, nn.LayerNorm)
    bias = cast("Tensor | None", getattr(norm, "bias", None))
    return {
        "mean": float(x.mean()),
        "variance": float(x.var(unbiased=False)),
        "mean_square": float(x.square().mean()),
        "eps": float(norm.eps if centred else cast("float", norm.variance_epsilon)),  # type: ignore[arg-type]
        "gain": cast("Tensor", norm.weight)[:FIRST].detach(),
        "bias": None if bias is None else bias[:FIRST].detach(),
    }


def _curve(act: nn.Module, pre: Tensor) -> View:
    """The activation function over all that this token gives it, and its values there."""
    reach = max(4.0, float(pre.abs().max()))
    grid = torch.linspace(-reach, reach, 121)
    return {"x": grid, "y": act(grid), "activated": act(pre)}


def _units(down: Tensor, pre: Tensor, hidden: Tensor) -> list[View]:
    """The units that write most: |h_i| · ‖row i of W_out‖."""
    written = hidden.abs() * down.norm(dim=-1)
    best = written.topk(UNITS).indices
    return [
        {"unit": int(i), "pre": float(pre[i]), "hidden": float(hidden[i]), "written": float(written[i])} for i in best
    ]


def _down(module: nn.Module, fused: bool) -> Tensor:
    """W_out of the feed-forward part, a row a unit: [inner, width]."""
    part = cast("Any", module)
    return cast("Tensor", part.c_proj.weight if fused else part.down_proj.weight.T)


def _shaped(words: Sequence[str], shape: torch.Size) -> list[list[list[str]]]:
    rows, columns, depth = shape
    return [[list(words[(r * columns + c) * depth :][:depth]) for c in range(columns)] for r in range(rows)]

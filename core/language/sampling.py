"""Writing responses: left-padded batches, a preallocated cache, tokens by inverse CDF."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.errors import PlaygroundError
from core.language.configs import SamplingConfig
from core.language.context import check_response_fits, context_of
from core.language.kv_cache import PreallocatedCache
from core.language.packed_weights import packed
from core.language.queries import last_tokens, opens_texts, query_ids
from core.language.randomness import uniforms_of_rows
from core.language.registry import apply_chat_template
from core.language.tokens import text_behind

_log = logging.getLogger(__name__)


@dataclass
class Rollout:
    """Responses and the tokens they were drawn as. B responses, Q query tokens, R response tokens."""

    prompts: list[str]  # as the policy saw them: chat template applied, cut to the context
    responses: list[str]  # without the end token
    query_ids: Tensor  # [B, Q], padded on the left
    query_mask: Tensor  # [B, Q], 1 on tokens
    response_ids: Tensor  # [B, R], padded on the right
    response_mask: Tensor  # [B, R], 1 on tokens, the end token among them
    logprobs: Tensor  # [B, R], of each token under the distribution it was drawn from; 0 on padding
    ended: Tensor  # [B], whether the response came to its end token
    cut_tokens: list[int]  # tokens dropped from the beginning of each prompt because the context is too short

    def __len__(self) -> int:
        return len(self.responses)


def encode_queries(
    tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str], room: int
) -> tuple[Tensor, Tensor, list[int]]:
    """Left-padded ids and mask, [B, Q] each, and how many leading tokens were cut to leave at most `room`."""
    encoded = query_ids(tokenizer, prompts)
    kept = [last_tokens(tokenizer, ids, room) for ids in encoded]
    longest = max(len(ids) for ids in kept)
    padded = torch.full((len(kept), longest), tokenizer.pad_token_id)
    mask = torch.zeros(len(kept), longest, dtype=torch.long)
    for row, ids in enumerate(kept):
        padded[row, longest - len(ids) :] = torch.tensor(ids)
        mask[row, longest - len(ids) :] = 1
    return padded, mask, [len(ids) - len(short) for ids, short in zip(encoded, kept, strict=True)]


def positions(mask: Tensor) -> Tensor:
    """Position ids that start at 0 on the first token of each row, whatever the padding: [B, T] -> [B, T]."""
    return (mask.cumsum(-1) - 1).clamp(min=0)


def filter_logits(logits: Tensor, top_k: int, top_p: float) -> Tensor:
    """Logits with all but the k likeliest tokens, and all outside the smallest set of mass `top_p`, at −∞: [B, V]."""
    if 0 < top_k < logits.shape[-1]:
        logits = logits.masked_fill(logits < logits.topk(top_k).values[:, -1:], float("-inf"))
    if top_p < 1.0:
        ordered, order = logits.sort(descending=True)
        before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)  # mass of the tokens likelier than this one
        dropped = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order, before >= top_p)
        logits = logits.masked_fill(dropped, float("-inf"))
    return logits


def draw(logits: Tensor, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """One token a row by inverse CDF, and its log-probability: logits [B, V], uniforms [B] -> [B], [B].

    Token v is drawn when Σ_{w<v} p_w ≤ u < Σ_{w≤v} p_w. Twenty times cheaper than `torch.multinomial` on a CPU.
    """
    logprobs = logits.float().log_softmax(-1)
    # Summed in double: rounding of a long sum would let neighbouring tokens change places.
    cdf = logprobs.exp().cumsum(-1, dtype=torch.double)
    end = cdf[:, -1:].contiguous()
    tokens = torch.searchsorted(cdf, uniforms.to(cdf).unsqueeze(-1) * end, right=True)
    # Rounding may point one past the last token of positive probability; numbers that are not finite, past all.
    tokens = torch.minimum(tokens, torch.searchsorted(cdf, end)).clamp(max=cdf.shape[-1] - 1)
    return tokens.squeeze(-1), logprobs.gather(-1, tokens).squeeze(-1)


@torch.no_grad()
def sample(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    config: SamplingConfig,
    update: int = 0,
    rows: Sequence[int] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Rollout:
    """A response to each prompt, drawn at `config`'s temperature, top-k and top-p.

    What row r draws is a function of (config.seed, update, r) alone: batch size, padding and device change nothing but
    rounding. `rows` gives the numbers of the rows (default 0, 1, 2, …), for callers that hold a part of a larger batch.
    A prompt too long for the context loses its beginning, and `cut_tokens` says how much.
    """
    if not prompts:
        raise PlaygroundError("no prompts: give at least one")
    context = context_of(policy)
    check_response_fits(config.max_new_tokens, context)
    rows = list(range(len(prompts)) if rows is None else rows)
    texts = [apply_chat_template(tokenizer, prompt) for prompt in prompts]
    query_ids, query_mask, cut = encode_queries(tokenizer, texts, context - config.max_new_tokens)
    if any(cut):
        _tell_cut(context - config.max_new_tokens, context)
    texts = [
        _text_of_cut(tokenizer, ids[mask.bool()].tolist()) if dropped else text
        for text, ids, mask, dropped in zip(texts, query_ids, query_mask, cut, strict=True)
    ]
    was_training = policy.training
    policy.eval()
    writer = packed(policy, rows=min(config.batch_size, len(texts)), steps=config.max_new_tokens)
    parts = []
    for first in range(0, len(texts), config.batch_size):
        part = slice(first, first + config.batch_size)
        uniforms = uniforms_of_rows(config.seed, update, rows[part], config.max_new_tokens)
        padding = int(query_mask[part].any(0).int().argmax())  # columns that are padding in every row of this batch
        ids, mask = query_ids[part, padding:], query_mask[part, padding:]
        parts.append(_write(writer, tokenizer, ids, mask, uniforms, config))
        if on_progress:
            on_progress(min(first + config.batch_size, len(texts)), len(texts))
    policy.train(was_training)
    response_ids, response_mask, logprobs = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
    longest = int(response_mask.sum(-1).max())
    response_ids, response_mask, logprobs = response_ids[:, :longest], response_mask[:, :longest], logprobs[:, :longest]
    ended = ((response_ids == tokenizer.eos_token_id) & response_mask.bool()).any(-1)
    return Rollout(
        prompts=texts,
        responses=[
            _response(tokenizer, query, ids, mask)
            for query, ids, mask in zip(query_ids, response_ids, response_mask, strict=True)
        ],
        query_ids=query_ids,
        query_mask=query_mask,
        response_ids=response_ids,
        response_mask=response_mask,
        logprobs=logprobs,
        ended=ended,
        cut_tokens=cut,
    )


def _text_of_cut(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    """What is left of a prompt, as a text that the tokenizer opens anew."""
    opened = opens_texts(tokenizer) and ids[0] == tokenizer.bos_token_id
    return str(tokenizer.decode(ids[1:] if opened else ids))


@cache
def _tell_cut(room: int, context: int) -> None:
    """Said once a process: a training run would say it at every update."""
    _log.warning(
        "A prompt is longer than the %d tokens that the model's context of %d leaves it: only its end is read.",
        room,
        context,
    )


def _response(tokenizer: PreTrainedTokenizerBase, query: Tensor, ids: Tensor, mask: Tensor) -> str:
    """The response's text as it goes on from the query, its end token and everything behind it stripped."""
    tokens = ids[mask.bool()].tolist()
    if tokenizer.eos_token_id in tokens:
        tokens = tokens[: tokens.index(tokenizer.eos_token_id)]
    return text_behind(tokenizer, int(query[-1]), tokens)


def _write(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    query_ids: Tensor,
    query_mask: Tensor,
    uniforms: Tensor,
    config: SamplingConfig,
) -> tuple[Tensor, Tensor, Tensor]:
    """One batch, token by token: response ids, mask and log-probabilities, [B, max_new_tokens] each."""
    device, (batch, query_length), length = policy.device, query_ids.shape, config.max_new_tokens
    response_ids = torch.full((batch, length), tokenizer.pad_token_id)
    response_mask = torch.zeros(batch, length, dtype=torch.long)
    logprobs = torch.zeros(batch, length)
    slots = torch.arange(batch)  # the response each row of the shrinking batch belongs to
    writing = torch.ones(batch, dtype=torch.bool)  # rows of it that have not come to their end token
    mask = torch.cat([query_mask, torch.ones(batch, length, dtype=torch.long)], dim=1).to(device)
    position, uniforms = positions(mask), uniforms.to(device)
    logits, cache = _read_queries(policy, query_ids.to(device), query_mask.to(device), query_length + length)
    for step in range(length):
        logits = filter_logits(logits.float() / config.temperature, config.top_k, config.top_p)
        drawn, logprob = draw(logits, uniforms[:, step])
        drawn, logprob = drawn.cpu(), logprob.cpu()
        response_ids[slots[writing], step] = drawn[writing]
        response_mask[slots[writing], step] = 1
        logprobs[slots[writing], step] = logprob[writing]
        if config.stop_at_end:
            writing &= drawn != tokenizer.eos_token_id
            if not writing.any():
                break
            if writing.float().mean() < 0.75:  # copying the cache pays once a quarter of the rows has ended
                going = writing.nonzero().squeeze(-1)
                slots, drawn, writing = slots[going], drawn[going], writing[going]
                going = going.to(device)
                mask, position, uniforms = mask[going], position[going], uniforms[going]
                cache.select_rows(going)
        if step + 1 < length:
            end = query_length + step + 1
            tokens = drawn.to(device).unsqueeze(-1)
            logits = next_logits(policy, tokens, mask[:, :end], position[:, end - 1 : end], cache)
    return response_ids, response_mask, logprobs


def _read_queries(
    policy: PreTrainedModel, query_ids: Tensor, query_mask: Tensor, room: int
) -> tuple[Tensor, PreallocatedCache]:
    """The logits behind each query, [B, vocab], and the cache filled with it. A query given twice is read once."""
    cache = PreallocatedCache(policy.config, room)
    both = torch.cat([query_ids, query_mask], dim=1)
    unique, row_of = torch.unique(both, dim=0, return_inverse=True)
    if len(unique) == len(both):  # in the order given: sorting the cache would cost more than reading saves
        return next_logits(policy, query_ids, query_mask, positions(query_mask), cache), cache
    ids, mask = unique.chunk(2, dim=1)
    logits = next_logits(policy, ids, mask, positions(mask), cache)
    cache.select_rows(row_of)
    return logits[row_of], cache


def next_logits(
    policy: PreTrainedModel, tokens: Tensor, mask: Tensor, position: Tensor, cache: PreallocatedCache
) -> Tensor:
    """Logits behind the last of `tokens`, [B, vocab], whose keys and values join the cache."""
    output = policy(
        input_ids=tokens,
        attention_mask=mask,
        position_ids=position,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return output.logits[:, -1]

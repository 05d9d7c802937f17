"""Responses that are given and not drawn: prompts and their responses as one batch, and how likely each one is."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from core.alignment.actor_critic import Sequences, of_tokens
from core.language.queries import query_ids


def encode_completions(
    tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str], responses: Sequence[str], max_tokens: int
) -> Sequences:
    """Prompts padded on the left, responses on the right: [N, Q + R].

    The two are encoded apart, as a policy that is given the prompt writes the response. A text that is too long loses
    the beginning of its prompt. No end token is added: whether a response was over or cut off is not known of a pair.
    """
    answers = [tokenizer(text, add_special_tokens=False)["input_ids"][: max_tokens - 1] for text in responses]
    queries = query_ids(tokenizer, prompts)
    queries = [ids[-(max_tokens - len(answer)) :] for ids, answer in zip(queries, answers, strict=True)]
    before, behind = max(map(len, queries)), max(1, max(map(len, answers)))
    input_ids = torch.full((len(queries), before + behind), tokenizer.pad_token_id)
    mask = torch.zeros_like(input_ids)
    for row, (query, answer) in enumerate(zip(queries, answers, strict=True)):
        both = slice(before - len(query), before + len(answer))
        input_ids[row, both], mask[row, both] = torch.tensor(query + answer), 1
    return Sequences(input_ids, mask, before)


def response_logprobs(log_p: Tensor, sequences: Sequences) -> Tensor:
    """log π of each whole response: the vocabulary's log-probabilities [tokens, vocab] -> [N], in nats."""
    return sequences.spread(of_tokens(log_p, sequences.tokens)).sum(-1)

"""Responses that are given and not drawn: prompts and their responses as one batch, and how likely each one is."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from core.alignment.actor_critic import Sequences, of_tokens
from core.language.queries import last_tokens, query_ids, response_ids


def encode_completions(
    tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str], responses: Sequence[str], max_tokens: int
) -> Sequences:
    """Prompts padded on the left, responses on the right: [N, Q + R].

    The two are encoded apart, as a policy that is given the prompt writes the response. A text that is too long loses
    the beginning of its prompt, but for the opening token. No end token is added: whether a response was over or cut
    off is not known of a pair.
    """
    both = zip(prompts, responses, strict=True)
    answers = [response_ids(tokenizer, prompt, response)[: max_tokens - 1] for prompt, response in both]
    queries = query_ids(tokenizer, prompts)
    queries = [
        last_tokens(tokenizer, ids, max_tokens - len(answer)) for ids, answer in zip(queries, answers, strict=True)
    ]
    before, behind = max(map(len, queries)), max(1, max(map(len, answers)))
    input_ids = torch.full((len(queries), before + behind), tokenizer.pad_token_id)
    mask = torch.zeros_like(input_ids)
    for row, (query, answer) in enumerate(zip(queries, answers, strict=True)):
        place = slice(before - len(query), before + len(answer))
        input_ids[row, place], mask[row, place] = torch.tensor(query + answer), 1
    return Sequences(input_ids, mask, before)


def response_logprobs(log_p: Tensor, sequences: Sequences) -> Tensor:
    """log π of each whole response: the vocabulary's log-probabilities [tokens, vocab] -> [N], in nats."""
    return sequences.spread(of_tokens(log_p, sequences.tokens)).sum(-1)

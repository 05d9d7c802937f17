"""What a policy's own hidden states say of a response: features that nobody made by hand and nothing trains."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.masked import masked_mean
from core.alignment.reward_model import pad_right
from core.language.context import context_of
from core.language.queries import last_tokens

VIEWS = ("words", "context")
"""The two views of a response: its tokens' embeddings as they enter, and what they have become two thirds up."""

_DEPTH = 2 / 3  # of the layers; measured: below it context is missing, above it turns into the next token's logits


@torch.no_grad()
def frozen_features(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    responses: Sequence[str],
    batch_size: int = 32,
) -> np.ndarray:
    """Features of responses as the policy reads them behind their prompts: [N, 2, width], float32.

        words   = mean over the response's tokens t of E[x_t], the embedding without its position
        context = mean over the response's tokens t of norm(h_t), the hidden state after two thirds of the layers,
                  each state shifted and scaled to mean 0 and variance 1

    The text is the one a reward model reads, tokenizer(prompt + response); one that is too long loses its beginning. A
    response without a token of its own is read at the last token there is. Each row is computed from its own text
    alone: batches and padding change nothing but rounding.

    On 256 storyteller pairs the mean over the response told the simulated annotators' tastes apart far better than the
    last token (skill after 64 votes 0.48 against 0.15) or the maximum (0.36), and these two views together better
    than any single layer.
    """
    encoded = [
        _encode(tokenizer, prompt, response, context_of(policy))
        for prompt, response in zip(prompts, responses, strict=True)
    ]
    order = sorted(range(len(encoded)), key=lambda row: len(encoded[row][0]))
    embeddings: Any = policy.get_input_embeddings()
    width = max(policy.config.hidden_size, embeddings.weight.shape[1])
    features = np.zeros((len(encoded), len(VIEWS), width), dtype=np.float32)  # the narrower view ends in zeros
    for first in range(0, len(order), batch_size):
        rows = order[first : first + batch_size]
        for view, read in enumerate(_read(policy, tokenizer, [encoded[row] for row in rows])):
            features[rows, view, : read.shape[1]] = read
    return features


def _encode(tokenizer: PreTrainedTokenizerBase, prompt: str, response: str, longest: int) -> tuple[list[int], int]:
    """Token ids, and how many of the last ones end inside the response."""
    both = tokenizer(prompt + response, return_offsets_mapping=True)
    own = sum(end > len(prompt) for _, end in both["offset_mapping"])
    ids = last_tokens(tokenizer, both["input_ids"], longest)
    return ids, max(1, min(own, len(ids)))


def _read(
    policy: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, encoded: Sequence[tuple[list[int], int]]
) -> tuple[np.ndarray, np.ndarray]:
    """One batch: each view, [batch, width of its own]; OPT's embeddings may be narrower than its states."""
    ids, mask = pad_right([ids for ids, _ in encoded], int(tokenizer.pad_token_id or 0), policy.device)
    states = policy.base_model(
        input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=False
    ).hidden_states
    middle = states[round(_DEPTH * (len(states) - 1))].float()  # [batch, time, width]
    lengths = mask.sum(-1, keepdim=True)
    own = torch.tensor([count for _, count in encoded], device=ids.device).unsqueeze(-1)
    place = torch.arange(ids.shape[1], device=ids.device)
    inside = (place < lengths) & (place >= lengths - own)  # [batch, time]
    words = policy.get_input_embeddings()(ids).float()
    context = F.layer_norm(middle, middle.shape[-1:])
    weights = inside.unsqueeze(-1)
    return masked_mean(words, weights, 1).cpu().numpy(), masked_mean(context, weights, 1).cpu().numpy()

"""How surprising responses are to a model: perplexity."""

import torch
from transformers import PreTrainedModel

from core.alignment.actor_critic import Sequences, of_tokens, response_distribution
from core.language.sampling import Rollout


@torch.no_grad()
def response_nll(model: PreTrainedModel, rollout: Rollout, batch_size: int = 64) -> torch.Tensor:
    """−Σ_t log p(token_t | prompt, tokens before) of each response under `model`, in nats, at temperature 1: [B].

    Over the tokens as they were drawn, the end token among them. Perplexity is exp( Σ nll / Σ tokens ): the number of
    equally likely tokens that would surprise the model as much.
    """
    sequences = Sequences.of(rollout, model.device)
    sums = []
    for first in range(0, len(rollout), batch_size):
        part = sequences.rows(torch.arange(first, min(first + batch_size, len(rollout))))
        drawn = of_tokens(response_distribution(model, part, 1.0), part.response_ids)
        sums.append(-(drawn * part.mask[:, part.query_length :]).sum(-1).cpu())
    return torch.cat(sums)

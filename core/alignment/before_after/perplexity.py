"""How surprising responses are to a model: perplexity."""

import torch
from transformers import PreTrainedModel

from core.alignment.actor_critic import Sequences, of_tokens, read_in_parts, response_distribution
from core.language.sampling import Rollout


def response_nll(model: PreTrainedModel, rollout: Rollout, batch_size: int = 16) -> torch.Tensor:
    """−Σ_t log p(token_t | prompt, tokens before) of each response under `model`, in nats, at temperature 1: [B].

    Over the tokens as they were drawn, the end token among them. Perplexity is exp( Σ nll / Σ tokens ): the number of
    equally likely tokens that would surprise the model as much.
    """

    def read(part: Sequences) -> dict[str, torch.Tensor]:
        return {"drawn": of_tokens(response_distribution(model, part, 1.0), part.tokens)}

    return -read_in_parts(Sequences.of(rollout, model.device), read, batch_size)["drawn"].sum(-1).cpu()

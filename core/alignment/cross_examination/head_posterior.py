"""How sure the score head can be, given the votes it was taught: a Laplace approximation over its last layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.reward_model import encode_texts, longest_read, pad_right
from core.feedback.pairs import PreferencePair

PRIOR_PRECISIONS = tuple(10.0**power for power in range(-3, 5))


@torch.no_grad()
def head_features(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    responses: Sequence[str],
    batch_size: int = 64,
) -> Tensor:
    """What the score head reads: the last token's final hidden state of prompt + response, [N, width], in float32.

    The score is this vector times the head's weights: the head has no bias.
    """
    encoded = encode_texts(tokenizer, prompts, responses, longest_read(model))
    order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
    features = torch.zeros(len(encoded), model.get_parameter("score.weight").shape[1])
    for first in range(0, len(order), batch_size):
        part = order[first : first + batch_size]
        ids, mask = pad_right([encoded[i] for i in part], tokenizer.pad_token_id, model.device)
        hidden = model.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
        features[part] = hidden[torch.arange(len(part)), mask.sum(1) - 1].float().cpu()
    return features


def pair_features(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, pairs: Sequence[PreferencePair]
) -> Tensor:
    """φ(chosen) − φ(rejected) of each pair: [pairs, width]."""
    prompts = [pair.prompt for pair in pairs]
    texts = [pair.chosen for pair in pairs] + [pair.rejected for pair in pairs]
    chosen, rejected = head_features(model, tokenizer, prompts * 2, texts).chunk(2)
    return chosen - rejected


@dataclass(frozen=True)
class HeadPosterior:
    """A normal distribution over the head's weights around those learned; `covariance` [width, width]."""

    covariance: Tensor
    prior_precision: float

    def sd(self, difference: Tensor) -> Tensor:
        """Standard deviation of Δ = difference · w for differences of features: [..., width] -> [...]."""
        difference = difference.double()
        return (difference @ self.covariance * difference).sum(-1).clamp_min(0).sqrt()


def head_posterior(differences: Tensor, weights: Tensor, prior_precision: float) -> HeadPosterior:
    """Laplace: covariance = (Σ σ(Δ)σ(−Δ) d dᵀ + λI)⁻¹ over the training pairs' differences d [pairs, width].

    The head alone is uncertain here: what the trunk could have learned otherwise is left out.
    Source: MacKay (1992), "The evidence framework applied to classification networks", section 3; Kristiadi et al.
    (2020), "Being Bayesian, even just a bit, fixes overconfidence in ReLU networks".
    """
    d = differences.double()
    delta = d @ weights.double()
    curvature = delta.sigmoid() * (-delta).sigmoid()
    hessian = d.T @ (curvature[:, None] * d) + prior_precision * torch.eye(d.shape[1], dtype=torch.double)
    return HeadPosterior(torch.linalg.inv(hessian), prior_precision)


def averaged_probability(delta: Tensor, sd: Tensor) -> Tensor:
    """E[σ(Δ)] for Δ normal with this mean and sd: σ(Δ / √(1 + π·sd²/8)). Source: MacKay (1992), eq. 10."""
    return (delta / (1 + torch.pi * sd**2 / 8).sqrt()).sigmoid()


def best_posterior(train: Tensor, heldout: Tensor, weights: Tensor) -> HeadPosterior:
    """The posterior whose prior precision gives the held-out votes the highest averaged likelihood.

    `train`, `heldout`: differences of features, [pairs, width] each; the grid is PRIOR_PRECISIONS.
    """
    delta = heldout.double() @ weights.double()
    candidates = [head_posterior(train, weights, precision) for precision in PRIOR_PRECISIONS]
    losses = [F.binary_cross_entropy(p := averaged_probability(delta, c.sd(heldout)), torch.ones_like(p)).item()
              for c in candidates]  # fmt: skip
    return candidates[losses.index(min(losses))]

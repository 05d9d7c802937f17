"""The next token's distribution over the whole vocabulary, from logits to what is drawn, step by step."""

from dataclasses import dataclass

import torch
from torch import Tensor

from core.errors import PlaygroundError
from core.language.sampling import filter_logits


@dataclass(frozen=True)
class NextToken:
    """The likeliest tokens with their way from logit to probability, and all others summed."""

    ids: Tensor  # [shown], likeliest first
    logits: Tensor  # [shown]
    scaled: Tensor  # [shown], logit / temperature
    before: Tensor  # [shown], softmax of the scaled logits over the full vocabulary
    after: Tensor  # [shown], what is drawn from: cut tokens have 0, the kept ones share their probability
    log_total: float  # log Σ exp(logit / temperature), over the full vocabulary
    kept: int  # tokens that can still be drawn
    kept_mass: float  # their probability before the cut; after = before / kept_mass
    others: int  # tokens not shown
    others_before: float  # their probability together
    others_after: float
    entropy: float  # of `after`, in nats
    entropy_plain: float  # at temperature 1 and nothing cut


@torch.no_grad()
def next_token(
    logits: Tensor, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, shown: int = 20
) -> NextToken:
    """p = softmax(logits / temperature), cut to the k likeliest and to the smallest set of mass `top_p`: logits [V].

    The cut is `core.language.sampling.filter_logits`, the one that samples are drawn with. Sources: top-k, Fan et al.
    (2018), section 5.4; top-p, Holtzman et al. (2020), section 3.1. PlaygroundError for a temperature not above 0.
    """
    if temperature <= 0:
        raise PlaygroundError(f"temperature is {temperature}, but must be above 0")
    scaled = logits.double() / temperature
    before = scaled.softmax(-1)
    filtered = filter_logits(scaled.unsqueeze(0), top_k, top_p)[0]
    after = filtered.softmax(-1)
    kept = filtered.isfinite()
    order = scaled.sort(descending=True, stable=True).indices[:shown]
    return NextToken(
        ids=order,
        logits=logits[order].double(),
        scaled=scaled[order],
        before=before[order],
        after=after[order],
        log_total=float(scaled.logsumexp(-1)),
        kept=int(kept.sum()),
        kept_mass=float(before[kept].sum()),
        others=len(logits) - len(order),
        others_before=max(0.0, float(1 - before[order].sum())),
        others_after=max(0.0, float(1 - after[order].sum())),
        entropy=entropy(after),
        entropy_plain=entropy(logits.double().softmax(-1)),
    )


def entropy(probabilities: Tensor) -> float:
    """H = −Σ p log p over the full vocabulary, in nats: [V]."""
    return float(torch.special.entr(probabilities.double()).sum())

"""One rollout of several processes: each writes and reads its share of the rows, and all know all of it.

What row r draws is a function of (seed, update, r) alone, so that the rollout is the one that a single process writes.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core import processes
from core.alignment.actor_critic import Sequences, read_in_parts
from core.alignment.reward_model import Rater
from core.errors import PlaygroundError
from core.language.configs import SamplingConfig
from core.language.sampling import Rollout, sample


def sample_together(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    config: SamplingConfig,
    update: int,
) -> Rollout:
    """`sample`, each process its share of the prompts. Raises PlaygroundError when there are fewer than processes."""
    if len(prompts) < processes.world():
        raise PlaygroundError(f"{len(prompts)} responses per update cannot be shared by {processes.world()} processes")
    mine = processes.share(len(prompts))
    part = sample(policy, tokenizer, prompts[mine], config, update=update, rows=range(len(prompts))[mine])
    parts = processes.gathered(part)
    return part if len(parts) == 1 else joined(parts, int(tokenizer.pad_token_id))


def joined(parts: Sequence[Rollout], pad_id: int) -> Rollout:
    """The rows of all parts as one rollout: queries padded on the left, responses on the right, to the longest."""

    def rows(name: str, side: str, value: float = 0) -> Tensor:
        tensors = [getattr(part, name) for part in parts]
        longest = max(x.shape[1] for x in tensors)
        room = [longest - x.shape[1] for x in tensors]
        padding = [(more, 0) if side == "left" else (0, more) for more in room]
        return torch.cat([F.pad(x, more, value=value) for x, more in zip(tensors, padding, strict=True)])

    return Rollout(
        prompts=[text for part in parts for text in part.prompts],
        responses=[text for part in parts for text in part.responses],
        query_ids=rows("query_ids", "left", pad_id),
        query_mask=rows("query_mask", "left"),
        response_ids=rows("response_ids", "right", pad_id),
        response_mask=rows("response_mask", "right"),
        logprobs=rows("logprobs", "right"),
        ended=torch.cat([part.ended for part in parts]),
        cut_tokens=[count for part in parts for count in part.cut_tokens],
    )


def rate_together(reward_model: Rater, rollout: Rollout, device: torch.device) -> tuple[Tensor, Tensor]:
    """The raw and the normalised score of every response, on `device`: [B] each."""
    mine = processes.share(len(rollout))
    raw, scores = reward_model.rate(rollout.prompts[mine], rollout.responses[mine])
    return processes.whole(raw.to(device), len(rollout)), processes.whole(scores.to(device), len(rollout))


def read_together(sequences: Sequences, reader: Callable[[Sequences], dict[str, Tensor]]) -> dict[str, Tensor]:
    """`read_in_parts` of all rows, each process its share."""
    if processes.world() == 1:
        return read_in_parts(sequences, reader)
    count = len(sequences.mask)
    mine = torch.arange(count, device=sequences.mask.device)[processes.share(count)]
    found = read_in_parts(sequences.rows(mine), reader)
    return {name: processes.whole(x, count) for name, x in found.items()}

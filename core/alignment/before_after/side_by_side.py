"""One prompt, one seed, two models: where their texts differ, and what each thinks of every token."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from core.alignment.cross_examination.word_deletion import pieces
from core.language.tokens import text_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from core.language.configs import SamplingConfig
    from core.language.sampling import Rollout

TOP = 3


@dataclass(frozen=True)
class Segment:
    """A stretch of a text, and whether the other text has it too."""

    text: str
    differs: bool


@dataclass(frozen=True)
class Place:
    """One token of a response, as two models see it at its place, at the sampling temperature."""

    text: str
    reference: float  # probability of the token
    policy: float
    kl: float  # KL(π(·|s) ‖ π_ref(·|s)) over the full vocabulary at this place, nats
    log_ratio: float  # log π − log π_ref of the token
    reference_top: tuple[tuple[str, float], ...]  # the likeliest tokens here
    policy_top: tuple[tuple[str, float], ...]


def differing(first: str, second: str) -> tuple[list[Segment], list[Segment]]:
    """Both texts in stretches of words that both have, in the same order, and of words that only one has."""
    ours, theirs = pieces(first), pieces(second)
    found: tuple[list[Segment], list[Segment]] = ([], [])
    for kind, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        for side, parts in ((0, ours[a:b]), (1, theirs[c:d])):
            if parts:
                found[side].append(Segment("".join(parts), kind != "equal"))
    return found


def parting(first: Sequence[int], second: Sequence[int]) -> int | None:
    """The first place at which two responses hold different tokens, or one has ended; None where they are equal."""
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return place
    return None if len(first) == len(second) else min(len(first), len(second))


def carriers(kl: Sequence[float]) -> int:
    """How few places hold half of a text's KL: of the largest, as many as it takes."""
    held, half = 0.0, sum(kl) / 2
    for count, value in enumerate(sorted(kl, reverse=True), 1):
        held += value
        if held >= half:
            return count
    return 0


def read_by_both(
    policy: "PreTrainedModel",
    ref_policy: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    rollout: "Rollout",
    row: int,
    temperature: float = 1.0,
) -> list[Place]:
    """Every token of response `row`, with the end token if it came to it, as both models see it."""
    import torch

    from core.alignment.actor_critic import Sequences, of_tokens, response_distribution
    from core.alignment.kl import exact_kl

    with torch.no_grad():
        sequences = Sequences.of(rollout, policy.device).rows(torch.tensor([row]))
        log_p, log_q = (response_distribution(model, sequences, temperature) for model in (policy, ref_policy))
    ids = sequences.tokens
    kl, ours, theirs = exact_kl(log_p, log_q), of_tokens(log_p, ids), of_tokens(log_q, ids)
    best_p, best_q = (log_probs.exp().topk(TOP) for log_probs in (log_p, log_q))

    def top(best: "torch.return_types.topk", place: int) -> tuple[tuple[str, float], ...]:
        found = zip(best.indices[place].tolist(), best.values[place].tolist(), strict=True)
        return tuple((text_of(tokenizer, token), value) for token, value in found)

    return [
        Place(
            text_of(tokenizer, int(ids[place])),
            float(theirs[place].exp()),
            float(ours[place].exp()),
            float(kl[place]),
            float(ours[place] - theirs[place]),
            top(best_q, place),
            top(best_p, place),
        )
        for place in range(len(ids))
    ]


@dataclass(frozen=True)
class Answers:
    """What two models wrote to one prompt from the same random numbers, each text read by both."""

    reference: str
    tuned: str
    parting: int | None  # the token at which they part
    read_reference: list[Place]
    read_tuned: list[Place]


def answer_both(
    policy: "PreTrainedModel",
    ref_policy: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompt: str,
    sampling: "SamplingConfig",
    row: int = 0,
) -> Answers:
    """Both answer `prompt` with the random numbers of row `row`: until they part, the texts are one."""
    from core.language.sampling import sample

    before, after = (sample(model, tokenizer, [prompt], sampling, rows=[row]) for model in (ref_policy, policy))
    ids = [rollout.response_ids[0][rollout.response_mask[0].bool()].tolist() for rollout in (before, after)]
    read = [
        read_by_both(policy, ref_policy, tokenizer, rollout, 0, sampling.temperature) for rollout in (before, after)
    ]
    return Answers(before.responses[0], after.responses[0], parting(*ids), *read)

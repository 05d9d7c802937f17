"""Four responses of one policy to each prompt: for people to vote on in twos, or to put in order."""

from collections.abc import Iterator, Sequence

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.language.configs import SamplingConfig
from core.language.sampling import sample

FOUR = 4


def write_quartets(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    count: int,
    sampling: SamplingConfig,
) -> Iterator[list[tuple[str, tuple[str, str, str, str]]]]:
    """`count` prompts, in their order and from the beginning again, each with four independent responses.

    A batch at a time: (prompt as the policy saw it, its responses).
    """
    size = max(1, sampling.batch_size // FOUR)
    for batch, first in enumerate(range(0, count, size)):
        asked = [prompts[place % len(prompts)] for place in range(first, min(count, first + size))]
        written = sample(policy, tokenizer, [text for text in asked for _ in range(FOUR)], sampling, update=batch)
        r = written.responses
        yield [(written.prompts[at], (r[at], r[at + 1], r[at + 2], r[at + 3])) for at in range(0, len(r), FOUR)]

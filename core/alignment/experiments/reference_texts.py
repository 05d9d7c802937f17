"""What the reference writes, once for a whole experiment: pairs to be voted on, and many responses per prompt."""

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.preferences import PairsSoFar, ResponsePair, vote, write_pairs
from core.feedback.annotators import Annotator
from core.feedback.pairs import PreferencePair
from core.files import read_jsonl, write_jsonl, write_whole
from core.language.configs import SamplingConfig
from core.language.sampling import sample
from core.record import Record


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of the true utility over the reference's own responses."""

    mean: float
    sd: float

    def of(self, utility: float) -> float:
        """The utility in standard deviations above the reference's mean."""
        return (utility - self.mean) / self.sd if self.sd else 0.0


def write_pool(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    count: int,
    sampling: SamplingConfig,
    file: Path,
    state: dict[str, Any] | None,
) -> Iterator[Record]:
    """`count` pairs of responses in `file`, nobody's votes yet; a record a batch."""
    begun = PairsSoFar.of(state) if state else PairsSoFar()
    so_far = begun
    total = -(-count // max(1, sampling.batch_size // 2))
    for so_far in write_pairs(policy, tokenizer, prompts, count, sampling, begun):
        metrics = {"pairs": float(len(so_far.pairs))}
        yield Record(so_far.batches, metrics, "preferences", total=total, state=so_far.state)
    write_jsonl(file, (asdict(pair) for pair in so_far.pairs))


def pool_of(file: Path) -> list[ResponsePair]:
    """The pairs that `write_pool` left."""
    return [ResponsePair(**row) for row in read_jsonl(file)]


def scale_of(pool: Sequence[ResponsePair], annotator: Annotator) -> Scale:
    """Of the annotator's utility over every response in the pool."""
    utilities = [annotator.utility(pair.prompt, text) for pair in pool for text in (pair.left, pair.right)]
    return Scale(statistics.fmean(utilities), statistics.pstdev(utilities))


def votes_on(
    pool: Sequence[ResponsePair], annotator: Annotator, count: int, scale: Scale, seed: int
) -> list[PreferencePair]:
    """`count` noisy votes on pairs of the pool, which pairs and which noise by `seed`."""
    order = np.random.default_rng((seed, 2)).permutation(len(pool))[:count]
    return vote([pool[i] for i in order], annotator, seed, scale.sd).pairs


def write_many(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    each: int,
    sampling: SamplingConfig,
    file: Path,
    state: dict[str, Any] | None,
) -> Iterator[Record]:
    """`each` responses to every prompt in `file`, for best of n; a record a prompt."""
    written: list[list[str]] = list(state["written"]) if state else []
    for number in range(len(written), len(prompts)):
        rollout = sample(policy, tokenizer, [prompts[number]] * each, sampling, update=number)
        written.append(rollout.responses)
        yield Record(
            number + 1,
            {"responses": float(each * (number + 1))},
            "best_of_n",
            total=len(prompts),
            state=lambda: {"written": list(written)},
        )
    rows = [{"prompt": prompt, "responses": texts} for prompt, texts in zip(prompts, written, strict=True)]
    write_whole(file, json.dumps(rows, ensure_ascii=False) + "\n")


def many_of(file: Path) -> list[tuple[str, list[str]]]:
    """The prompts and responses that `write_many` left."""
    return [(row["prompt"], row["responses"]) for row in json.loads(file.read_text(encoding="utf-8"))]

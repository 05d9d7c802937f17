"""Writing pairs of responses ahead, for people to vote on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.alignment.preferences import write_pairs
from core.feedback.comparison import NewPair
from core.feedback.prompts import load_prompts
from core.feedback.store import FeedbackStore
from core.language.configs import SamplingConfig
from core.language.registry import load_policy
from core.record import Record

if TYPE_CHECKING:
    from core.runs.jobs import PairsJob

_BATCH = 16  # pairs: small, so that the first of them can be voted on soon


def write_pool(job: "PairsJob") -> Iterator[Record]:
    """Write `job.count` pairs into the store's pool, a batch at a time; each can be voted on as soon as it is there.

    The seed is the number of pairs the pool had been asked for: every run writes others.
    """
    store = FeedbackStore()
    seed = store.pairs_written(job.policy, job.prompts)
    policy, tokenizer = load_policy(job.policy)
    sampling = SamplingConfig(
        max_new_tokens=job.max_new_tokens, temperature=job.temperature, seed=seed, batch_size=2 * _BATCH
    )
    settings = {"max_new_tokens": job.max_new_tokens, "temperature": job.temperature}
    added = 0
    for so_far in write_pairs(policy, tokenizer, load_prompts(job.prompts).train, job.count, sampling):
        fresh = so_far.pairs[added:]
        added = len(so_far.pairs)
        rows = (NewPair(p.prompt, p.left, p.right, job.policy, job.prompts, seed, settings) for p in fresh)
        store.add_pairs(rows, pool="written")
        yield Record(so_far.batches, {"pairs": float(added)}, "pairs", total=-(-job.count // _BATCH))

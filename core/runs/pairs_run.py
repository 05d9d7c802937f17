"""Writing responses ahead, for people to vote on and to rank."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from core.alignment.quartets import write_quartets
from core.feedback.comparison import NewQuartet
from core.feedback.own_prompts import OWN, by_need
from core.feedback.pool import WRITTEN
from core.feedback.prompts import load_prompts
from core.feedback.store import FeedbackStore
from core.language.configs import SamplingConfig
from core.language.registry import load_policy
from core.record import Record

if TYPE_CHECKING:
    from core.runs.jobs import PairsJob

_BATCH = 8  # prompts: few, so that the first pairs can be voted on soon


def write_pool(job: "PairsJob", run_id: str) -> Iterator[Record]:
    """Write `job.count` pairs into the store's pool, two a prompt; each can be voted on as soon as it is there.

    Every run has another seed, made of its id, and so writes others: two that begin at once too. The last record's
    `result` says how many pairs it `added`. Of an annotator's own prompts, those that have the fewest pairs come first.
    """
    store = FeedbackStore()
    before = store.pairs_written(job.policy, job.prompts)
    seed = crc32(run_id.encode()) >> 1  # below 2^31, as every seed
    policy, tokenizer = load_policy(job.policy)
    sampling = SamplingConfig(
        max_new_tokens=job.max_new_tokens, temperature=job.temperature, seed=seed, batch_size=4 * _BATCH
    )
    settings = {"max_new_tokens": job.max_new_tokens, "temperature": job.temperature}
    prompts = _in_turn(job, seed)
    count = -(-job.count // 2)
    for batch, written in enumerate(write_quartets(policy, tokenizer, prompts, count, sampling), 1):
        store.add_quartets(
            (NewQuartet(prompt, four, job.policy, job.prompts, seed, settings) for prompt, four in written), WRITTEN
        )
        pairs = float(min(2 * batch * _BATCH, 2 * count))
        last = batch == -(-count // _BATCH)
        result = {"added": store.pairs_written(job.policy, job.prompts) - before} if last else None
        yield Record(batch, {"pairs": pairs}, "pairs", total=-(-count // _BATCH), result=result)


def _in_turn(job: "PairsJob", seed: int) -> Sequence[str]:
    if job.prompts.startswith(OWN):
        return list(by_need(job.prompts.removeprefix(OWN), job.policy)) or load_prompts(job.prompts).train
    prompts = load_prompts(job.prompts).train
    return [prompts[place] for place in np.random.default_rng(seed).permutation(len(prompts))]

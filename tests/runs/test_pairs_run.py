"""Writing ahead: what is written can be voted on and ranked, and every prompt of one's own gets its turn."""

import sqlalchemy as sa

from core.database.engine import reading
from core.database.schema import responses
from core.feedback.own_prompts import add_own_prompts, by_need, set_of
from core.feedback.store import FeedbackStore
from core.runs.jobs import PairsJob
from core.runs.pairs_run import write_pool
from core.runs.store import RunStore


def test_pairs_are_written_as_sets_of_four(own_home):
    store = FeedbackStore()
    records = list(write_pool(PairsJob(count=20, max_new_tokens=12, temperature=0.8), "first"))
    assert [(record.step, record.total) for record in records] == [(1, 2), (2, 2)]
    assert records[-1].metrics["pairs"] == 20 and records[-1].result == {"added": 20}
    assert store.waiting("ann", "storyteller", "stories") == 20
    assert store.waiting_quartets("ann", "storyteller", "stories") == 10
    with reading(store.engine) as connection:
        settings = connection.scalars(sa.select(responses.c.settings)).all()
    assert settings == [{"max_new_tokens": 12, "temperature": 0.8}] * 40


def test_another_run_writes_other_responses(own_home):
    job = PairsJob(count=4, max_new_tokens=12)
    list(write_pool(job, "first"))
    list(write_pool(job, "second"))
    assert FeedbackStore().waiting("ann", "storyteller", "stories") == 8


def test_of_ones_own_prompts_those_with_the_fewest_pairs_come_first(own_home):
    add_own_prompts("ann", ["Tom had a red"])
    list(write_pool(PairsJob(prompts=set_of("ann"), count=2, max_new_tokens=12), "first"))
    add_own_prompts("ann", ["Sue saw a big", "Ben ate the last"])
    list(write_pool(PairsJob(prompts=set_of("ann"), count=4, max_new_tokens=12), "second"))
    assert by_need("ann", "storyteller") == {"Ben ate the last": 2, "Sue saw a big": 2, "Tom had a red": 2}


def test_a_policy_that_writes_the_same_again_and_again_is_not_asked_for_ever_with_one_seed(own_home, monkeypatch):
    """Sets with two equal responses are left out: nothing may be left of a run, and the next must try other numbers."""
    seeds = []

    def the_same(policy, tokenizer, prompts, count, sampling):
        seeds.append(sampling.seed)
        yield [(prompts[0], (" the end",) * 4)]

    monkeypatch.setattr("core.runs.pairs_run.write_quartets", the_same)
    store = RunStore()
    for again in range(3):
        job = PairsJob(count=2)
        store.create(job)
        *_, last = write_pool(job, f"run {again}")
        assert last.result == {"added": 0}
    assert len(set(seeds)) == 3

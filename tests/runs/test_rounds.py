"""Rounds are found by what a run began with, and the next one begins with what the last one made."""

import pytest

from core.errors import PlaygroundError
from core.record import Record
from core.runs.jobs import LoopJob, PPOJob, RewardJob
from core.runs.journal import Journal
from core.runs.rounds import ancestors, chain, next_round, rounds, run_behind
from core.runs.store import RunStore


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(tmp_path / "home"))
    return RunStore()


def finished(store, run_id, job, **result):
    store.create(job, run_id=run_id)
    journal = Journal(store.engine, run_id)
    journal.write(1, Record(1, {"heldout/accuracy": 0.6, "objective/kl": 9.0}, "ppo", total=1, result=result or None))
    journal.end("finished", 1)
    policy = store.get(run_id).folder / "policy"
    policy.mkdir(exist_ok=True)
    (policy / "config.json").write_text("{}")
    return store.get(run_id)


def of(store, run_id):
    return str(store.get(run_id).folder / "policy")


@pytest.fixture
def three(store):
    finished(store, "a", LoopJob(seed=4, pairs=64), kl=8.0, gold_before=1.0, gold_after=4.0, reward_accuracy=0.7)
    finished(store, "b", LoopJob(model=of(store, "a"), first="storyteller"), kl=7.0, kl_first=13.0, gold_after=5.0)
    finished(store, "c", LoopJob(model=of(store, "b"), first="storyteller"))
    finished(store, "x", LoopJob())
    return store


def test_only_a_runs_own_policy_leads_back_to_a_run(store):
    finished(store, "a", LoopJob())
    assert run_behind(of(store, "a")) == "a"
    assert run_behind("storyteller") is None
    assert run_behind("/somewhere/runs/a/policy") is None


def test_the_chain_is_the_same_from_each_of_its_rounds(three):
    for run_id in ("a", "b", "c"):
        assert [run.id for run in chain(three.list(), three.get(run_id))] == ["a", "b", "c"]
    assert [run.id for run in chain(three.list(), three.get("x"))] == ["x"]
    assert [run.id for run in ancestors(three.list(), three.get("b"))] == ["a", "b"]


def test_of_several_next_rounds_the_newest_is_followed_but_each_knows_its_own_way(three):
    finished(three, "b2", LoopJob(model=of(three, "a")))
    assert [run.id for run in chain(three.list(), three.get("a"))] == ["a", "b2"]
    assert [run.id for run in chain(three.list(), three.get("c"))] == ["a", "b", "c"]


def test_a_round_says_what_was_measured_and_nothing_else(three):
    first, second, third = rounds(three, three.get("b"))
    assert (first.number, first.votes, first.accuracy, first.kl, first.kl_first) == (1, 64, 0.7, 8.0, 8.0)
    assert (second.kl, second.kl_first, second.gold_before, second.gold_after) == (7.0, 13.0, None, 5.0)
    assert (third.accuracy, third.kl, third.kl_first) == (0.6, 9.0, None)  # of its newest step


def test_a_ppo_round_takes_votes_and_accuracy_from_the_run_that_taught_its_reward_model(three):
    finished(three, "r", RewardJob(preferences=("votes:ada",)), pairs_train=90, pairs_heldout=10, accuracy_heldout=0.8)
    judge = three.get("r").folder / "reward_model"
    finished(three, "p", PPOJob(model=of(three, "c"), reward_model=str(judge)))
    last = rounds(three, three.get("p"))[-1]
    assert (last.run_id, last.number, last.votes, last.accuracy, last.heldout) == ("p", 4, 100, 0.8, 10)


def test_the_next_round_begins_with_this_policy_and_measures_to_the_very_first(three):
    job = next_round(three, three.get("a"))
    assert (job.model, job.first, job.seed, job.pairs) == (of(three, "a"), "storyteller", 5, 64)
    again = next_round(three, three.get("c"))
    assert (again.model, again.first) == (of(three, "c"), "storyteller")


def test_there_is_no_next_round_of_what_has_not_ended(store):
    store.create(LoopJob(), run_id="w")
    with pytest.raises(PlaygroundError, match="no finished loop"):
        next_round(store, store.get("w"))


def test_a_run_that_claims_to_be_its_own_parent_ends_the_walk(store):
    run = finished(store, "loop", LoopJob())
    finished(store, "self", LoopJob(model=str(run.folder.parent / "self" / "policy")))
    assert [one.id for one in ancestors(store.list(), store.get("self"))] == ["self"]
    assert [one.id for one in chain(store.list(), store.get("self"))] == ["self"]

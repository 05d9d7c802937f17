"""Two people of a class on one server: each sees and changes what is theirs."""

from pathlib import Path

import pytest

from core import paths
from core.anatomy.specimens import list_specimens, open_specimen, specimen
from core.errors import PlaygroundError
from core.feedback.blind import BlindPair, BlindTrial
from core.feedback.interchange import import_preferences
from core.feedback.own_prompts import add_own_prompts, by_need, in_rotation, own_prompts_of, remove_own_prompts, set_of
from core.feedback.prompts import load_prompts
from core.feedback.sources import load_preferences
from core.feedback.store import NewPair
from core.hosting import limits
from core.hosting.ownership import full_name
from core.hosting.people import acting_as, ask_with
from core.runs import branching, supervisor
from core.runs.jobs import FlipJob, LookBackJob, LoopJob, PairsJob, PPOJob, PretrainJob, RaceJob, RewardJob
from core.runs.recorder import execute
from core.runs.store import RunStore
from tests.hosting.hosting_helpers import refused, vote


class TestVotes:
    def test_two_people_with_one_name_are_two_annotators(self, hosted, store):
        with acting_as("anna"):
            assert full_name("me") == "anna/me"
            vote(store, full_name("me"))
            vote(store, full_name("me"), "right")
        with acting_as("ben"):
            vote(store, full_name("me"))
            assert store.annotators() == ["ben/me"]
            assert sum(store.count().values()) == 1 and len(store.votes()) == 1
            assert len(store.preference_pairs()) == 1
            assert len(load_preferences("votes")) == 1
        with acting_as("anna"):
            assert sum(store.count().values()) == 2
        with acting_as(""):  # at the command line, where a name is whatever was typed
            vote(store, "Anna/me")
        with acting_as("anna"):
            assert sum(store.count().values()) == 2 and store.annotators() == ["anna/me"]
        with acting_as(""):
            assert store.annotators() == ["Anna/me", "anna/me", "ben/me"]

    def test_anothers_name_can_be_neither_read_nor_written(self, hosted, store):
        with acting_as("anna"):
            vote(store, "anna/me")
            shown = store.next_pair("anna/me", "storyteller", "stories")
            four = store.next_quartet("anna/me", "storyteller", "stories")
        acts = {
            "vote": lambda name: store.vote(shown, name, "left"),
            "rank": lambda name: store.rank(four, name, [0, 1, 2, 3]),
            "prefer_own": lambda name: store.prefer_own(shown, name, " better", [shown.left_response_id]),
            "undo": lambda name: store.undo(name),
            "delete": lambda name: store.delete_votes(name),
            "votes": lambda name: store.votes(name),
            "undone": lambda name: store.votes(name, include_undone=True),
            "count": lambda name: store.count(name),
            "pairs": lambda name: store.preference_pairs(name),
            "repeats": lambda name: store.repeats(name),
            "waiting": lambda name: store.waiting(name, "storyteller", "stories"),
            "next": lambda name: store.next_pair(name, "storyteller", "stories"),
            "next_repeat": lambda name: store.next_repeat(name, "storyteller", "stories"),
            "next_quartet": lambda name: store.next_quartet(name, "storyteller", "stories"),
            "source": lambda name: load_preferences(f"votes:{name}"),
            "add prompts": lambda name: add_own_prompts(name, ["Once:"]),
            "read prompts": lambda name: own_prompts_of(name),
            "prompt set": lambda name: load_prompts(set_of(name)),
            "prompts' pairs": lambda name: in_rotation(name, "storyteller"),
            "needed prompts": lambda name: by_need(name, "storyteller"),
            "remove prompts": lambda name: remove_own_prompts(name, ["Once:"]),
            "blind": lambda name: BlindTrial(store, name, "loop-1@2", "held-out"),
        }
        for name in ("anna/me", "anna", "me", "ben"):
            for what, act in acts.items():
                with acting_as("ben"):
                    assert refused(lambda act=act, name=name: act(name), "somebody else's"), (what, name)
        with acting_as(""):
            assert len(store.votes()) == 1

    def test_a_name_that_looks_like_a_pattern_is_only_itself(self, hosted, store):
        with acting_as("anna"):
            vote(store, "anna/me")
        for name in ("a%", "ann_", "anna/", "%"):
            with acting_as(name):
                assert store.annotators() == []

    def test_pairs_for_ones_own_prompts_are_shown_to_nobody_else(self, hosted, store):
        with acting_as("anna"):
            add_own_prompts("anna/me", ["My secret:"])
            store.add_pairs([NewPair("My secret:", " a", " b", "storyteller", set_of("anna/me"))], "written")
            assert store.next_pair("anna/me", "storyteller", set_of("anna/me")).prompt == "My secret:"
        with acting_as("ben"):
            for act in (store.next_pair, store.waiting, store.next_quartet, store.waiting_quartets):
                with pytest.raises(PlaygroundError, match="somebody else's"):
                    act("ben/me", "storyteller", set_of("anna/me"))

    def test_blind_votes_too(self, hosted, store):
        for name in ("anna", "ben"):
            with acting_as(name):
                trial = BlindTrial(store, f"{name}/me", "loop-1@2", "held-out")
                trial.put_up([BlindPair("P:", " before", " after")])
                assert trial.waiting() == 1 and trial.votes() == []
                trial.vote(trial.next(), "left")
                assert len(trial.votes()) == 1


class TestDatasets:
    def rows(self, tmp_path: Path, name: str) -> Path:
        file = tmp_path / f"{name}.jsonl"
        file.write_text('{"prompt": "P", "chosen": " good", "rejected": " bad", "annotator": "ben/me"}\n')
        return file

    def test_an_import_is_its_owners_and_the_teachers_is_everybodys_to_read(self, hosted, store, tmp_path):
        with acting_as(""):
            ours = import_preferences(self.rows(tmp_path, "class"), store).dataset_id
        with acting_as("anna"):
            hers = import_preferences(self.rows(tmp_path, "hers"), store).dataset_id
            assert {one.id for one in store.datasets()} == {ours, hers}
            assert len(store.preference_pairs(dataset=hers)) == 1
        with acting_as("ben"):
            assert {one.id for one in store.datasets()} == {ours}
            assert len(load_preferences(f"dataset:{ours}")) == 1
            for act in (store.dataset, store.delete_dataset, lambda one: store.preference_pairs(dataset=one)):
                with pytest.raises(PlaygroundError, match="There is no dataset"):
                    act(hers)
            with pytest.raises(PlaygroundError, match="everybody's"):
                store.delete_dataset(ours)
            assert store.annotators() == []  # an imported row's name is only a name
        with acting_as("anna"):
            store.delete_dataset(hers)
        with acting_as(""):
            store.delete_dataset(ours)
            assert store.datasets() == []


class TestRuns:
    def test_anothers_run_is_as_if_it_did_not_exist(self, hosted):
        runs = RunStore()
        with acting_as("anna"):
            hers = runs.create(RaceJob()).id
            assert [run.id for run in runs.list()] == [hers] and runs.get(hers).owner == "anna"
        acts = [
            runs.get,
            runs.steps,
            runs.samples,
            lambda one: runs.samples_of_kind(one, "watched"),
            runs.controls,
            runs.metrics_csv,
            runs.disk_use,
            runs.delete,
            lambda one: runs.rename(one, "mine"),
            lambda one: runs.set_control(one, "kl_coef", 0.1),
            *(lambda one, what=what: runs.request(one, what) for what in ("pause", "step", "stop", "resume")),
            branching.branch,
            supervisor.stop,
        ]
        with acting_as("ben"):
            assert runs.list() == []
            for act in acts:
                with pytest.raises(PlaygroundError, match=f"There is no run named {hers}"):
                    act(hers)
        with acting_as("anna"):
            runs.request(hers, "stop")
            runs.delete(hers)

    def test_nor_can_anybody_look_inside_its_checkpoints(self, hosted):
        with acting_as("anna"):
            hers = RunStore().create(PPOJob(reward_model=str(RunStore().create(RaceJob()).folder / "reward_model")))
        (hers.folder / "weights" / "00000003").mkdir(parents=True)
        with acting_as("ben"):
            for act in (specimen, open_specimen):
                assert refused(lambda act=act: act(f"{hers.id}@3"), f"There is no run named {hers.id}")
            assert not any(hers.id in one.id for one in list_specimens())

    def test_the_teachers_run_is_everybodys_to_look_at(self, hosted):
        runs = RunStore()
        with acting_as(""):
            ours = runs.create(RaceJob()).id
        with acting_as("ben"):
            assert runs.get(ours).id == ours and runs.steps(ours) == []
            for act in (runs.delete, lambda one: runs.request(one, "stop"), lambda one: runs.rename(one, "mine")):
                with pytest.raises(PlaygroundError, match="everybody's"):
                    act(ours)

    def test_a_run_names_nothing_that_is_anothers_or_the_machines(self, hosted, store, tmp_path):
        runs = RunStore()
        with acting_as("anna"):
            vote(store, "anna/me")
            hers = runs.create(RaceJob(), run_id="hers")
            (hers.folder / "policy").mkdir()
            (hers.folder / "reward_model").mkdir()
        secret = tmp_path / "secret.txt"
        secret.write_text("a secret")
        policy, judge = str(hers.folder / "policy"), str(hers.folder / "reward_model")
        sneaky = f"{paths.home()}/runs/hers/../hers/reward_model"
        forbidden = [
            RewardJob(preferences=("votes:anna/me",)),
            RewardJob(preferences=("votes", str(secret))),
            RewardJob(preferences=("dataset:1",)),
            RewardJob(preferences=("votes",), model="gpt2"),
            RewardJob(preferences=("votes",), model=policy),
            RewardJob(preferences=("votes",), model=str(tmp_path)),
            PPOJob(reward_model=judge),
            PPOJob(reward_model=sneaky),
            PPOJob(reward_model="/etc"),
            PPOJob(reward_model=str(hers.folder), prompts=str(secret)),
            LoopJob(first=policy),
            LoopJob(prompts="own:anna/me"),
            PretrainJob(data=str(secret)),
            PretrainJob(data="roneneldan/TinyStories"),
            LookBackJob(of="hers"),
            FlipJob(of="hers", place=0),
            PairsJob(policy="distilgpt2"),
            PairsJob(prompts="own:anna/me"),
            PairsJob(prompts=str(secret)),
        ]
        with acting_as("ben"):
            for job in forbidden:
                assert refused(lambda job=job: runs.create(job)), job
        with acting_as("anna"):
            for job in (PPOJob(reward_model=judge), LookBackJob(of="hers")):
                made = runs.create(job)
                assert made.owner == "anna"
                runs.request(made.id, "stop")

    def test_a_worker_may_no_more_than_whose_run_it_carries_out(self, hosted, store, tmp_path):
        """A config that got past the first check all the same, as one written by an older version might."""
        ask_with(None)  # a worker's process
        with acting_as("anna"):
            vote(store, "anna/me")
        with acting_as(""):
            run = RunStore().create(RewardJob(preferences=("votes:anna/me",)))
            with RunStore().engine.begin() as connection:
                connection.exec_driver_sql("UPDATE runs SET owner = 'ben'")
        ended = execute(run.id)
        assert ended.status == "failed" and "somebody else's" in ended.error

    def test_pairs_to_vote_on_are_written_once_for_all(self, hosted):
        runs = RunStore()
        with acting_as("anna"):
            assert runs.create(PairsJob()).owner == ""
            add_own_prompts("anna/me", ["Once:"])
            assert runs.create(PairsJob(prompts="own:anna/me")).owner == "anna"
        with acting_as("ben"):
            assert [run.config["prompts"] for run in runs.list("pairs")] == ["stories"]

    def test_a_queue_is_looked_after_whoever_asks(self, hosted, monkeypatch):
        started = []
        monkeypatch.setattr(supervisor, "_start", lambda store, run, launcher: started.append(run.owner))
        with acting_as("anna"):
            RunStore().create(RaceJob())
        with acting_as("ben"):
            supervisor.submit(RaceJob())
        assert started == ["anna"]

    def test_few_write_pairs_at_once(self, hosted, monkeypatch):
        started = []
        monkeypatch.setattr(supervisor, "_start", lambda store, run, launcher: started.append(run.id))
        with acting_as(""):
            for _ in range(5):
                RunStore().create(PairsJob())
        supervisor.tick()
        assert len(started) == limits.DEFAULTS[limits.WRITERS]

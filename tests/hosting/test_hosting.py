"""Two people of a class on one server: each sees and changes what is theirs, and neither opens the machine's files."""

import contextlib
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core import paths
from core.anatomy.specimens import list_specimens, open_specimen, specimen
from core.errors import PlaygroundError
from core.feedback.blind import BlindPair, BlindTrial
from core.feedback.interchange import import_preferences
from core.feedback.own_prompts import add_own_prompts, by_need, newest_first, own_prompts_of, remove_own_prompts, set_of
from core.feedback.prompts import load_prompts
from core.feedback.sources import load_preferences
from core.feedback.store import FeedbackStore, NewPair, NewQuartet
from core.hosting import limits, sign_in
from core.hosting.mode import admits, check_ready
from core.hosting.ownership import full_name
from core.hosting.people import NotSignedInError, acting_as, ask_with, bound, person
from core.language.registry import add_policy, list_policies, load_policy, policy_folder, policy_info
from core.runs import branching, supervisor
from core.runs.jobs import FlipJob, LookBackJob, LoopJob, PairsJob, PPOJob, PretrainJob, RaceJob, RewardJob
from core.runs.recorder import execute
from core.runs.store import RunStore


@pytest.fixture
def hosted(monkeypatch):
    """A hosted server in this process, which has no idea who acts unless a test says so."""
    monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", "1")
    monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD", "a class of forty")
    ask_with(lambda: None)
    sign_in._tries.storage.reset()
    yield
    ask_with(None)


@pytest.fixture
def store(own_home):
    made = FeedbackStore()
    made.add_pairs([NewPair(f"Day {n}:", " good", f" bad {n}", "storyteller", "stories") for n in range(6)], "written")
    four = tuple(f" way {n}" for n in range(4))
    made.add_quartets([NewQuartet("Four:", four, "storyteller", "stories", 0, {})], "written")
    return made


def vote(store: FeedbackStore, annotator: str, choice: str = "left") -> None:
    store.vote(store.next_pair(annotator, "storyteller", "stories"), annotator, choice)


def refused(act: Callable[[], object], words: str = "") -> bool:
    """Whether it is refused, in these words."""
    try:
        act()
    except PlaygroundError as error:
        return words in str(error)
    return False


class TestBeginning:
    def test_nothing_is_asked_for_unless_it_is_hosted(self, monkeypatch):
        monkeypatch.delenv("RLHF_PLAYGROUND_HOSTED", raising=False)
        check_ready()
        assert person() is None

    def test_it_does_not_begin_when_anybody_could_come_in(self, monkeypatch, tmp_path):
        monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", "1")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        with pytest.raises(PlaygroundError, match="a way to sign in is needed"):
            check_ready()
        monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD", "short")
        with pytest.raises(PlaygroundError, match="8 characters"):
            check_ready()
        monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD", "long enough")
        check_ready()
        monkeypatch.delenv("RLHF_PLAYGROUND_PASSWORD")
        monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD_HASH", "long enough")
        with pytest.raises(PlaygroundError, match="is not a hash"):
            check_ready()
        monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD_HASH", sign_in.hashed("long enough"))
        check_ready()

    def test_a_provider_is_a_way_in_where_authlib_is_installed(self, monkeypatch, tmp_path):
        monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", "1")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        (tmp_path / ".streamlit").mkdir()
        (tmp_path / ".streamlit" / "secrets.toml").write_text("[auth]\nclient_id = 'x'\n")
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(PlaygroundError, match=r"rlhf-playground\[auth\]"):
            check_ready()
        monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
        check_ready()

    @pytest.mark.parametrize("said", ["maybe", "2"])
    def test_a_switch_that_says_neither_is_refused(self, monkeypatch, said):
        monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", said)
        with pytest.raises(PlaygroundError, match="1 or 0"):
            check_ready()

    def test_a_provider_may_know_more_people_than_the_class_has(self, monkeypatch):
        assert admits("anybody@example.org")
        monkeypatch.setenv("RLHF_PLAYGROUND_PEOPLE", "@school.example, guest@example.org")
        assert admits("Anna@School.Example") and admits("guest@example.org")
        assert not admits("anna@notschool.example") and not admits("other@example.org")
        assert not admits("anna@sub.school.example") and not admits("school.example")


class TestWhoActs:
    def test_what_forgot_to_ask_is_refused(self, hosted, store):
        for act in (store.votes, store.annotators, RunStore().list, store.datasets, list_policies):
            with pytest.raises(NotSignedInError):
                act()

    def test_a_process_of_the_machine_is_nobodys_guest(self, hosted, store):
        ask_with(None)
        assert person() is None
        vote(store, "me")
        assert store.annotators() == ["me"]

    def test_what_is_done_later_is_done_for_who_asked(self, hosted):
        with acting_as("anna"):
            later = bound(person)
        found = []
        thread = threading.Thread(target=lambda: found.append(later()))
        thread.start()
        thread.join()
        assert found == ["anna"]
        with pytest.raises(NotSignedInError):
            person()


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
        with acting_as(""):
            assert store.annotators() == ["anna/me", "ben/me"]

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
            "prompts' pairs": lambda name: newest_first(name, "storyteller"),
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
            lambda one: runs.export_zip(one, None),
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


class TestLimits:
    def test_each_has_so_many_runs_at_once_and_the_class_so_many(self, hosted, monkeypatch):
        monkeypatch.setenv("RLHF_PLAYGROUND_RUNS_EACH", "2")
        monkeypatch.setenv("RLHF_PLAYGROUND_RUNS_ALL", "3")
        runs = RunStore()
        with acting_as("anna"):
            first = runs.create(RaceJob())
            runs.create(RaceJob())
            with pytest.raises(PlaygroundError, match="You have 2 runs waiting or at work, and 2 is the most"):
                runs.create(RaceJob())
            runs.request(first.id, "stop")
            runs.create(RaceJob())
            with pytest.raises(PlaygroundError, match="You have 2 runs"):
                runs.request(first.id, "resume")
            assert runs.get(first.id).status == "stopped"
        with acting_as("ben"):
            runs.create(RaceJob())
            with pytest.raises(PlaygroundError, match="whole class has 3 runs"):
                runs.create(RaceJob())
            with pytest.raises(PlaygroundError, match="whole class has 3 runs"):
                runs.create(PairsJob())
        with acting_as(""):
            runs.create(RaceJob())

    def test_each_keeps_so_many(self, hosted, monkeypatch):
        monkeypatch.setenv("RLHF_PLAYGROUND_RUNS_KEPT", "1")
        runs = RunStore()
        with acting_as("anna"):
            kept = runs.create(RaceJob())
            runs.request(kept.id, "stop")
            with pytest.raises(PlaygroundError, match="You keep 1 run, and 1 is the most"):
                runs.create(RaceJob())
            runs.request(kept.id, "resume")  # going on with one is no new one

    def test_two_clicks_at_the_same_moment_are_counted_one_after_the_other(self, hosted, monkeypatch):
        monkeypatch.setenv("RLHF_PLAYGROUND_RUNS_EACH", "1")
        made, together = [], threading.Barrier(6)

        def click() -> None:
            with acting_as("anna"):
                together.wait()
                with contextlib.suppress(PlaygroundError):
                    made.append(RunStore().create(RaceJob()).id)

        RunStore()
        threads = [threading.Thread(target=click) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 1

    def test_a_limit_that_is_no_number_is_said_before_anybody_comes(self, hosted, monkeypatch):
        monkeypatch.setenv("RLHF_PLAYGROUND_RUNS_EACH", "many")
        with pytest.raises(PlaygroundError, match="RLHF_PLAYGROUND_RUNS_EACH is a whole number"):
            check_ready()


class TestModels:
    def test_a_person_opens_what_is_on_the_list_and_what_their_runs_made(self, hosted, monkeypatch, tmp_path):
        runs = RunStore()
        made = {}
        for name in ("anna", "ben"):
            with acting_as(name):
                folder = runs.create(RaceJob()).folder / "policy"
                folder.mkdir()
                (folder / "config.json").write_text("{}")
                made[name] = str(folder)
        outside = tmp_path / "outside"
        outside.mkdir()
        (paths.home() / "runs" / "link").symlink_to(outside)
        with acting_as("ben"):
            assert {info.id for info in list_policies()} == {"storyteller", "smollm2-135m", made["ben"]}
            tried = [
                "gpt2",
                "distilgpt2",
                "somebody/model",
                made["anna"],
                str(outside),
                "~",
                "/",
                ".",
                "core/language/storyteller",
            ]
            tried += [
                f"{paths.home()}/runs/link",
                str(paths.home()),
                str(paths.home() / "runs"),
                f"{made['ben']}/../../{Path(made['anna']).parent.name}/policy",
            ]
            for model in tried:
                for act in (policy_info, policy_folder, load_policy, add_policy):
                    words = "these models can be opened: storyteller, smollm2-135m"
                    assert refused(lambda act=act, model=model: act(model), words), model
            assert policy_info("storyteller").status == "ready"
        monkeypatch.setenv("RLHF_PLAYGROUND_MODELS", "gpt2, somebody/model")
        with acting_as("ben"):
            assert {info.id for info in list_policies()} == {"storyteller", "gpt2", "somebody/model", made["ben"]}
            with pytest.raises(PlaygroundError, match="HF_HUB_OFFLINE"):  # asked for, at last
                load_policy("somebody/model")

    def test_nothing_is_said_about_whether_a_folder_exists(self, hosted):
        said = set()
        for path in ("/etc", "/no/such/folder"):
            with acting_as("ben"), pytest.raises(PlaygroundError) as refused:
                policy_info(path)
            said.add(str(refused.value))
        assert len(said) == 1

    def test_no_file_of_the_machine_is_read(self, hosted, tmp_path):
        from core.alignment.reward_model import load_reward_model
        from core.language.corpus import read_texts

        file = tmp_path / "secret.jsonl"
        file.write_text('{"prompt": "a secret", "chosen": "a", "rejected": "b", "text": "c"}\n')
        acts = [
            lambda: load_prompts(str(file)),
            lambda: load_preferences(str(file)),
            lambda: list(read_texts(str(file))),
            lambda: load_reward_model(tmp_path),
        ]
        for act in acts:
            with acting_as("ben"), pytest.raises(PlaygroundError, match="On this server|on this server"):
                act()


class TestSigningIn:
    PASSWORD = "a class of forty"

    def test_a_name_is_whose_word_it_is(self, hosted):
        token = sign_in.sign_in(self.PASSWORD, " Anna  B. ", "my own word", "1.2.3.4")
        assert sign_in.person_of(token) == "anna b."
        again = sign_in.sign_in(self.PASSWORD, "ANNA B.", "my own word", "5.6.7.8")
        assert sign_in.person_of(again) == "anna b."
        with pytest.raises(PlaygroundError, match="taken"):
            sign_in.sign_in(self.PASSWORD, "anna b.", "another word", "1.2.3.4")

    @pytest.mark.parametrize("name", ["", "a/b", "anna/me", "a@b.org", "x" * 41, "a\nb\0", "<b>", "%"])
    def test_names_that_could_be_taken_for_others(self, hosted, name):
        with pytest.raises(PlaygroundError, match="A name has"):
            sign_in.sign_in(self.PASSWORD, name, "my own word", "1.2.3.4")

    def test_wrong_passwords_are_slowed_from_one_address_and_not_from_another(self, hosted):
        for _ in range(10):
            with pytest.raises(PlaygroundError, match="not the password"):
                sign_in.sign_in("wrong", "anna", "my own word", "1.2.3.4")
        began = time.perf_counter()
        with pytest.raises(sign_in.TooManyTriesError, match=r"wait \d+ seconds"):
            sign_in.sign_in(self.PASSWORD, "anna", "my own word", "1.2.3.4")
        assert time.perf_counter() - began < 0.02  # nothing was hashed
        assert sign_in.sign_in(self.PASSWORD, "anna", "my own word", "5.6.7.8")

    def test_wrong_words_are_slowed_for_the_name_wherever_they_come_from(self, hosted):
        sign_in.sign_in(self.PASSWORD, "anna", "my own word", "1.2.3.4")
        for place in range(5):
            with pytest.raises(PlaygroundError, match="taken"):
                sign_in.sign_in(self.PASSWORD, "anna", f"guess number {place}", f"1.2.3.{place}")
        with pytest.raises(sign_in.TooManyTriesError):
            sign_in.sign_in(self.PASSWORD, "anna", "my own word", "9.9.9.9")
        assert sign_in.sign_in(self.PASSWORD, "ben", "my own word", "1.2.3.4")

    def test_two_who_take_one_name_at_once_are_not_both_given_it(self, hosted):
        outcome, together = [], threading.Barrier(4)
        FeedbackStore()

        def take(word: str) -> None:
            together.wait()
            try:
                sign_in.sign_in(self.PASSWORD, "anna", word, word)
                outcome.append("in")
            except PlaygroundError:
                outcome.append("refused")

        threads = [threading.Thread(target=take, args=(f"word number {n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcome) == ["in", "refused", "refused", "refused"]

    def test_a_token_ends_with_its_time_with_the_password_and_with_a_changed_letter(self, hosted, monkeypatch):
        token = sign_in.sign_in(self.PASSWORD, "anna", "my own word", "1.2.3.4")
        assert sign_in.person_of(token) == "anna"
        assert sign_in.person_of("") is None and sign_in.person_of("anna") is None
        assert sign_in.person_of("x" + token[1:]) is None and sign_in.person_of(token[:-2]) is None
        with monkeypatch.context() as later:
            later.setattr("itsdangerous.timed.time.time", lambda: time.monotonic() + 4e9)
            assert sign_in.person_of(token) is None
        assert sign_in.person_of(token) == "anna"
        monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD", "next year's class")
        assert sign_in.person_of(token) is None

    def test_neither_password_nor_word_is_kept_as_it_is(self, hosted):
        sign_in.sign_in(self.PASSWORD, "anna", "my own word", "1.2.3.4")
        kept = b"".join(file.read_bytes() for file in paths.home().rglob("*") if file.is_file())
        assert b"my own word" not in kept and b"a class of forty" not in kept
        assert (paths.home() / "signing.key").stat().st_mode & 0o077 == 0 or os.name == "nt"

    def test_a_hash_serves_as_well_as_the_password(self, hosted, monkeypatch, capfd):
        monkeypatch.delenv("RLHF_PLAYGROUND_PASSWORD")
        with pytest.raises(PlaygroundError, match="not the password"):  # none set: nobody comes in
            sign_in.sign_in("", "anna", "my own word", "1.2.3.4")
        monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD_HASH", sign_in.hashed(self.PASSWORD))
        assert sign_in.sign_in(self.PASSWORD, "anna", "my own word", "1.2.3.4")


def test_the_command_prints_a_hash_that_the_server_takes(monkeypatch):
    from click.testing import CliRunner

    from core.cli.main import root

    said = CliRunner().invoke(root, ["password"], input="a class of forty\na class of forty\n")
    [made] = re.findall(r"^RLHF_PLAYGROUND_PASSWORD_HASH=(\S+)$", said.stdout, re.MULTILINE)
    assert sign_in.matches("a class of forty", made) and not sign_in.matches("a class of four", made)


def test_serve_refuses_in_one_sentence(monkeypatch, tmp_path, capfd):
    from core.cli import main

    monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["serve"]) == 2
    said = capfd.readouterr().err
    assert said.startswith("error: RLHF_PLAYGROUND_HOSTED is set") and said.count("\n") == 1

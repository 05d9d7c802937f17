"""How much each of a class may have, and all of them together."""

import contextlib
import threading

import pytest

from core.errors import PlaygroundError
from core.hosting.mode import check_ready
from core.hosting.people import acting_as
from core.runs.jobs import PairsJob, RaceJob
from core.runs.store import RunStore


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

    def test_a_run_whose_process_is_gone_takes_nobodys_place(self, hosted, monkeypatch):
        monkeypatch.setenv("RLHF_PLAYGROUND_RUNS_ALL", "1")
        runs = RunStore()
        with acting_as("ben"):
            gone = runs.create(RaceJob(), queued=False)  # at work for the database, and no process holds its lock
            assert runs.get(gone.id).status == "interrupted"
        with acting_as("anna"):
            runs.create(RaceJob())
        with acting_as("ben"), pytest.raises(PlaygroundError, match="whole class has 1 run "):
            runs.request(gone.id, "resume")

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

"""How long a run will still take, on steps whose times are known."""

from dataclasses import replace

import pytest

from core.runs.pace import may_end_early, seconds_left, seconds_taken
from core.runs.store import Run, Step
from tests.pages.page_helpers import a_run


@pytest.fixture
def run() -> Run:
    return replace(a_run(), status="running", stage="ppo", step=6, total=20)


def steps(*times: float, stage: str = "ppo") -> list[Step]:
    return [Step(number, stage, number, time, {}) for number, time in enumerate(times, 1)]


def test_even_steps_go_on_evenly_less_what_has_passed_since_the_last(run):
    every_two = steps(0, 2, 4, 6, 8, 10)
    assert seconds_left(run, every_two, now=10.0) == 28
    assert seconds_left(run, every_two, now=10.5) == 27.5
    assert seconds_left(run, every_two, now=1000.0) == 0


def test_the_newest_steps_count_and_a_pause_does_not(run):
    slow_then_fast = steps(*(100 * n for n in range(10)), *(900 + n for n in range(1, 14)))
    assert seconds_left(run, slow_then_fast, now=913.0) == 14
    paused = steps(0, 1, 2, 3, 3603, 3604)
    assert seconds_left(run, paused, now=3604.0) == pytest.approx(14 * (1 + 1 + 1 + 5 + 1) / 5)


def test_a_clock_that_is_set_back_makes_no_time_negative(run):
    set_back = steps(0, 2, 4, 6, -3600, -3598, -3596)
    assert seconds_left(run, set_back, now=-3596.0) == pytest.approx(14 * (2 + 2 + 2 + 0 + 2 + 2) / 6)
    begun = replace(run, started=100.0, ended=None)
    assert [seconds_taken(begun, now) for now in (130.0, 40.0)] == [30.0, 0.0]
    assert [seconds_taken(replace(begun, ended=ended), 9e9) for ended in (160.0, 50.0)] == [60.0, 0.0]
    assert seconds_taken(replace(begun, started=None), 9e9) == 0.0


def test_steps_of_another_stage_say_nothing(run):
    assert seconds_left(run, [*steps(0, 1, 2, 3, 4, stage="reward"), *steps(5, 15)], now=15.0) is None
    assert seconds_left(replace(run, status="paused"), steps(0, 2, 4, 6, 8, 10), now=10.0) is None
    assert seconds_left(replace(run, total=0), steps(0, 2, 4, 6, 8, 10), now=10.0) is None


def test_only_the_stage_at_work_says_whether_it_may_end_early(run):
    settings = {"ppo": {"kl_budget": 5.5}, "reward": {"patience": 0}}
    assert may_end_early(replace(run, config=settings))
    assert not may_end_early(replace(run, config=settings, stage="reward"))
    assert may_end_early(replace(run, config={"reward": {"patience": 2}}, stage="reward"))
    assert not may_end_early(replace(run, config={"ppo": {"kl_budget": None}}))
    assert not may_end_early(replace(run, config={}, stage="preferences"))

"""Watched prompts: the reference's answers first, the updated policy's afterwards, and the training none the wiser."""

import copy

import pytest

from core.alignment.ppo import train_ppo
from core.alignment.watching import watch
from core.language.configs import SamplingConfig
from core.language.sampling import sample
from core.record import WATCHED
from tests import tiny
from tests.alignment.test_ppo import CONFIG as USUAL
from tests.alignment.test_ppo import judge

CONFIG = USUAL.model_copy(update={"watch_every": 2})
WATCHED_PROMPTS = ["The cat", "One day"]


def run(watched=(), state=None, controls=lambda update: {}):
    policy, reference = tiny.gpt2(), tiny.gpt2()
    records = train_ppo(
        policy, reference, judge(), tiny.PROMPTS, CONFIG, tiny.tokenizer(), state, controls, watched=watched
    )
    return list(records), policy


def of(records, update):
    found = [one for record in records for one in record.samples if one.get("kind") == WATCHED]
    return [one for one in found if one["update"] == update]


def curve(records):
    return [
        {name: value for name, value in record.metrics.items() if not name.startswith("time/") and name != "eps"}
        for record in records
    ]


def test_each_reading_is_what_that_policy_writes_from_the_first_random_numbers():
    records, tuned = run(WATCHED_PROMPTS)
    sampling = SamplingConfig(max_new_tokens=CONFIG.max_new_tokens, seed=CONFIG.seed)
    for update, policy in ((0, tiny.gpt2()), (CONFIG.updates, tuned)):
        written = sample(policy, tiny.tokenizer(), WATCHED_PROMPTS, sampling)
        _, scores = judge().rate(written.prompts, written.responses)
        assert [one["response"] for one in of(records, update)] == written.responses
        assert [one["score"] for one in of(records, update)] == pytest.approx(scores.tolist())
    assert of(records, 0) != of(records, CONFIG.updates)
    assert [one["update"] for record in records for one in record.samples if "kind" in one] == [0, 0, 2, 2, 4, 4]


def test_watching_leaves_the_curve_and_a_resumed_run_as_they_were():
    watched, _ = run(WATCHED_PROMPTS)
    plain, _ = run()
    assert curve(watched) == curve(plain)
    first = next(train_ppo(tiny.gpt2(), tiny.gpt2(), judge(), tiny.PROMPTS, CONFIG, tiny.tokenizer(), watched=["The"]))
    rest, _ = run(WATCHED_PROMPTS, state=copy.deepcopy(first.state()))
    assert of(rest, 0) == []
    assert of(rest, 4) == of(watched, 4)


def test_a_known_taste_is_measured_too():
    class Length:
        def utility(self, prompt, response):
            return float(len(response))

    rows = watch(tiny.gpt2(), tiny.tokenizer(), judge(), ["The"], SamplingConfig(max_new_tokens=5), 3, Length())
    assert rows[0]["gold"] == len(rows[0]["response"])
    assert rows[0]["update"] == 3
    assert watch(tiny.gpt2(), tiny.tokenizer(), judge(), [], SamplingConfig(), 3) == []

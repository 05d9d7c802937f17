"""The experiment in small, on the bundled model: what it finds, recomputed from its parts; and resumed, the same."""

import copy

import numpy as np
import pytest

from core.alignment.best_of_n import best_of_table
from core.alignment.experiments.configs import DriftConfig, GoodhartConfig, TaughtConfig
from core.alignment.experiments.goodhart import run_goodhart
from core.alignment.experiments.reference_texts import many_of, pool_of, scale_of, votes_on
from core.alignment.reward_folders import load_reward_model
from core.errors import PlaygroundError
from core.feedback.annotators import get_annotator

SMALL = GoodhartConfig(
    votes=(16, 32),
    betas=(0.0,),
    seeds=1,
    ensemble_votes=16,
    members=2,
    best_of=8,
    best_of_prompts=2,
    measured_on=8,
    reward=TaughtConfig(batch_pairs=8),
    ppo=DriftConfig(updates=2, rollout_batch=4, minibatches=2, max_new_tokens=8),
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("goodhart")
    states = []
    for record in run_goodhart(SMALL, folder):
        states.append(copy.deepcopy(record.state()) if record.state else None)  # an optimiser's state goes on living
    return folder, states, record.result["findings"]


def test_every_run_is_there(ran):
    _, _, findings = ran
    kinds = [finding["cell"] for finding in findings]
    assert kinds == [
        "reward-16-0-0",
        "best-of-n-16-0",
        "ppo-16-0-0-single",
        "reward-32-0-0",
        "best-of-n-32-0",
        "ppo-32-0-0-single",
        "reward-16-0-1",
        "reward-16-0-2",
        "ppo-16-0-0-mean",
        "ppo-16-0-0-min",
    ]
    for finding in findings:
        if finding["kind"] == "ppo":
            assert len(finding["kl"]) == len(finding["proxy"]) == len(finding["gold"]) == 2
            assert finding["kl"][0] == pytest.approx(0, abs=1e-3)


def test_best_of_n_is_that_of_the_saved_responses(ran):
    folder, _, findings = ran
    annotator = get_annotator("sunny")
    scale = scale_of(pool_of(folder / "pool.jsonl"), annotator)
    judge = load_reward_model(folder / "reward-32-0-0")
    many = many_of(folder / "best_of_n.json")
    scores = [judge.rate([prompt] * 8, texts)[1].tolist() for prompt, texts in many]
    golds = [[(annotator.utility(p, text) - scale.mean) / scale.sd for text in texts] for p, texts in many]
    table = best_of_table(scores, golds)
    found = next(one for one in findings if one["cell"] == "best-of-n-32-0")["table"]
    for row, expected in zip(found, table, strict=True):
        assert row == pytest.approx(expected, abs=1e-5)


def test_votes_of_another_seed_are_others_and_the_scale_is_the_pools(ran):
    pool = pool_of(ran[0] / "pool.jsonl")
    annotator = get_annotator("sunny")
    scale = scale_of(pool, annotator)
    utilities = [annotator.utility(pair.prompt, text) for pair in pool for text in (pair.left, pair.right)]
    assert (scale.mean, scale.sd) == pytest.approx((np.mean(utilities), np.std(utilities)))
    assert votes_on(pool, annotator, 8, scale, 0) == votes_on(pool, annotator, 8, scale, 0)
    assert votes_on(pool, annotator, 8, scale, 0) != votes_on(pool, annotator, 8, scale, 1)


def numbers(value):
    """Every number in nested lists and dictionaries, in order."""
    if isinstance(value, dict):
        return numbers(list(value.values()))
    if isinstance(value, list):
        return [number for one in value for number in numbers(one)]
    return [value] if isinstance(value, int | float) else []


def test_resumed_it_finds_the_same(ran):
    folder, states, findings = ran
    middle = [state for state in states if state is not None]
    for state in (middle[len(middle) // 2], middle[-2]):
        *_, last = run_goodhart(SMALL, folder, state)
        assert [one["cell"] for one in last.result["findings"]] == [one["cell"] for one in findings]
        assert numbers(last.result["findings"]) == numbers(findings)


def test_an_ensemble_needs_votes_that_are_there(tmp_path):
    with pytest.raises(PlaygroundError, match="ensemble_votes"):
        next(run_goodhart(SMALL.model_copy(update={"ensemble_votes": 64}), tmp_path))

"""Every method on the plane in small: where a policy stands is recomputed; the first update is the reference's."""

import pytest

from core.alignment.experiments.configs import FrontierConfig
from core.alignment.experiments.frontier import run_frontier

SMALL = FrontierConfig(
    votes=16,
    rollout_batch=8,
    betas=(0.1,),
    dpo_betas=(0.1,),
    updates=1,
    best_of=8,
    best_of_prompts=2,
    evaluation_prompts=4,
)


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    *_, last = run_frontier(SMALL, tmp_path_factory.mktemp("frontier"))
    return {finding["cell"]: finding for finding in last.result["findings"]}


def test_every_method_is_measured(findings):
    methods = {"ppo_shared-0.1-0", "ppo_separate-0.1-0", "rloo-0.1-0", "grpo-0.1-0", "dpo-0.1-0"}
    assert set(findings) == methods | {"best-of-n-0"}
    for name in methods:
        one = findings[name]
        assert {"gold", "gold_se", "proxy", "win_rate", "kl", "words"} <= set(one) and 0 <= one["win_rate"] <= 1
        assert one["kl"] > 0  # measured after training, over the full vocabulary


def test_methods_that_write_begin_at_the_reference(findings):
    for name in ("ppo_shared-0.1-0", "rloo-0.1-0"):
        curve = findings[name]["curve"]
        assert curve["kl"][0] == pytest.approx(0, abs=1e-3) and len(curve["gold"]) == 1
    assert findings["dpo-0.1-0"]["curve"]["kl"] == []


def test_all_that_write_see_the_same_first_scores_on_the_same_prompts(findings):
    shared, separate = findings["ppo_shared-0.1-0"]["curve"], findings["ppo_separate-0.1-0"]["curve"]
    assert shared["proxy"][0] == pytest.approx(separate["proxy"][0], abs=1e-5)

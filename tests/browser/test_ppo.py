"""The PPO page as a laboratory: curves that move by themselves, one update at a time, and a run that branches."""

import re

import pytest

from core.alignment.configs import PPOConfig, RewardConfig
from core.runs.jobs import PPOJob, RewardJob
from tests.browser.test_loop import LONG, POINTS, wait_until

UPDATES = 400  # more than there is time for


@pytest.fixture
def store(served, monkeypatch):
    """The runs of the app that is served."""
    from core.runs.store import RunStore

    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(served[1]))
    return RunStore()


def test_watch_pause_step_and_branch(page, store):
    reward = store.create(RewardJob(preferences=("simulated:sunny:32",), reward=RewardConfig(weights_kept=0)))
    ppo = PPOConfig(updates=UPDATES, rollout_batch=4, max_new_tokens=8, minibatches=1, watch_prompts=1, weights_every=0)
    run = store.create(PPOJob(reward_model=str(reward.folder / "reward_model"), ppo=ppo)).id

    page.goto(f"/ppo?run={run}")
    page.evaluate("window.neverReloaded = true")
    page.wait_for_function(f"({POINTS}) >= 2", timeout=2 * LONG)
    early = page.evaluate(POINTS)
    page.wait_for_function(f"({POINTS}) > {early + 1}", timeout=LONG)
    assert page.evaluate("window.neverReloaded"), "the page was loaded anew instead of being kept up to date"

    status = page.locator(".st-key-run_status")
    page.get_by_role("button", name="Pause").click()
    status.get_by_text("paused").wait_for(timeout=LONG)
    before = len(store.steps(run))
    status.get_by_role("button", name="Step").click()
    wait_until(lambda: len(store.steps(run)) == before + 1, 150)
    status.get_by_role("button", name="Step").wait_for(timeout=LONG)  # it has paused again
    page.wait_for_timeout(1500)
    assert len(store.steps(run)) == before + 1, "a single step is one update"
    page.wait_for_function(f"({POINTS}) == {before + 1}", timeout=LONG)

    page.get_by_role("button", name="Branch from a checkpoint").click()
    page.get_by_role("button", name="Start the branch").click()
    page.wait_for_url(
        lambda url: re.search(r"run=ppo-", url) is not None and f"run={run}" not in url.split("ppo_with")[0]
    )
    new = re.search(r"[?&]run=(ppo-\w+)", page.url).group(1)
    assert new != run
    page.get_by_text(f"Branched from {run} after its step {before + 1}").wait_for(timeout=LONG)
    past = [(step.number, step.metrics) for step in store.steps(run)]
    assert [(step.number, step.metrics) for step in store.steps(new)][: before + 1] == past
    wait_until(lambda: len(store.steps(new)) > before + 1, 150)
    page.get_by_test_id("stVegaLiteChart").first.get_by_text(run).wait_for(timeout=LONG)  # its origin is laid beside it
    assert page.get_by_test_id("stException").count() == 0
    for one in (run, new):
        store.request(one, "stop")

"""The second person is the first one's mirror; the votes are mixed in the share asked for."""

import pytest

from core.alignment.experiments.configs import TastesConfig
from core.alignment.experiments.tastes import run_tastes, swapped
from core.feedback.pairs import PreferencePair

SMALL = TastesConfig(shares=(0.0, 1.0), votes=32, measured_on=8, rollout_batch=8, updates=1)


def test_swapping_is_its_own_inverse_but_for_the_name():
    pair = PreferencePair("a", "b", "c", 1.0, "sunny")
    back = swapped(swapped(pair))
    assert (swapped(pair).chosen, swapped(pair).rejected) == ("c", "b")
    assert (back.prompt, back.chosen, back.rejected, back.margin) == ("a", "b", "c", 1.0)


def test_wholly_the_others_votes_are_the_mirror_image(tmp_path):
    *_, last = run_tastes(SMALL, tmp_path)
    found = {finding["cell"]: finding for finding in last.result["findings"]}
    assert set(found) == {"reward-0", "ppo-0", "reward-1", "ppo-1"}
    for share in ("0", "1"):
        one = found[f"reward-{share}"]
        assert one["first"] + one["second"] == pytest.approx(1)
    # the loss is symmetric in its two texts: from a head at zero, opposite votes teach the opposite score
    assert found["reward-0"]["first"] == pytest.approx(found["reward-1"]["second"], abs=1e-6)

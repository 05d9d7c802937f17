"""What flowed, read back from a kept rollout, is what torch computed of it while padding was masked."""

import pytest

from core.alignment.masked import masked_mean, masked_var
from core.alignment.ppo import train_ppo
from core.alignment.ppo_reading.rollout_flow import rollout_flow
from core.runs.shelf import Shelf, rollout_files
from tests import tiny
from tests.alignment.test_ppo import CONFIG, judge


def test_shapes_and_masked_means_of_a_kept_rollout(tmp_path):
    record = next(train_ppo(tiny.gpt2(), tiny.gpt2(), judge(), tiny.PROMPTS, CONFIG, tiny.tokenizer()))
    (tmp_path / "run").mkdir()
    Shelf(tmp_path / "run").keep_rollout(1, record.rollout)
    t, mask = record.rollout, record.rollout["mask"]
    seen = rollout_flow(rollout_files(tmp_path / "run")[1])
    assert (seen.responses, seen.length) == tuple(mask.shape)
    assert seen.query_length == t["query_ids"].shape[1]
    assert seen.tokens == int(mask.sum())
    for name, value in (("rewards", seen.reward), ("values", seen.value), ("returns", seen.returns)):
        assert value == pytest.approx(masked_mean(t[name], mask).item(), abs=1e-6)
    assert seen.advantage_sd == pytest.approx(masked_var(t["raw_advantages"], mask).sqrt().item(), rel=1e-5)
    assert seen.pushed_up == pytest.approx(masked_mean((t["advantages"] > 0).float(), mask).item())
    with pytest.raises(FileNotFoundError):
        rollout_flow(tmp_path / "run" / "rollouts" / "00000009.safetensors")

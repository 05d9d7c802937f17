"""The band holds what it promises: one more run of the same kind lies in it as often as it says."""

import numpy as np
import pytest

from core.alignment.configs import LoopConfig, PPOConfig
from core.alignment.ppo_reading.curve_bands import band_from, band_of, outside
from core.alignment.ppo_reading.diagnosis import diagnose, is_healthy
from core.gallery import load_entry
from core.language.registry import STORYTELLER, model_hash


def test_one_more_run_lies_inside_as_often_as_promised():
    random = np.random.default_rng(0)
    trend = np.linspace(0, 3, 10)
    inside = []
    for _ in range(400):
        runs = trend + random.normal(0, 0.5, (4, 10))
        band = band_of(runs[:3].tolist(), level=0.9)
        missed, covered = outside(runs[3].tolist(), band)
        inside.append(1 - missed / covered)
    assert np.mean(inside) == pytest.approx(0.9, abs=0.02)


def test_at_one_update_it_is_the_textbooks_interval():
    # Three values 1, 2, 3: mean 2, s = 1; t(0.975, 2) = 4.3027; half-width 4.3027 * sqrt(4/3) = 4.9683.
    band = band_of([[1.0], [2.0], [3.0]])
    assert band.low == pytest.approx([2 - 4.9683], abs=1e-3)
    assert band.high == pytest.approx([2 + 4.9683], abs=1e-3)
    assert band_of([[1.0], [2.0], [3.0]], lowest=0.0).low == [0.0]


def test_runs_of_different_length_are_compared_where_all_are():
    band = band_of([[1.0, 2.0, 3.0], [1.1, 2.1]])
    assert len(band.low) == 2 and band.runs == 2
    assert outside([1.05, 99.0, 1.0], band) == (1, 2)
    with pytest.raises(ValueError, match="two runs"):
        band_of([[1.0]])


def test_the_gallerys_bands_are_those_of_its_healthy_default_runs():
    entry = load_entry("ppo_bands")
    key, curves, bands = entry["key"], entry["data"]["curves"], entry["data"]["bands"]
    assert entry["model_hash"] == model_hash(STORYTELLER)
    usual, loop = PPOConfig(), LoopConfig()
    assert (key["updates"], key["kl_coef"], key["learning_rate"]) == (usual.updates, usual.kl_coef, usual.learning_rate)
    assert (key["annotator"], key["pairs"]) == (loop.annotator, loop.pairs)
    for name, of_runs in curves.items():
        again = band_of(of_runs, 0.0 if min(bands[name]["low"]) == 0 else None)
        assert bands[name]["high"] == pytest.approx(again.high, rel=1e-3, abs=1e-3)
        assert bands[name]["low"] == pytest.approx(again.low, rel=1e-3, abs=1e-3)
    for place in range(len(key["seeds"])):
        run = {name: of_runs[place] for name, of_runs in curves.items()}
        paid = [
            score - key["kl_coef"] * kl for score, kl in zip(run["objective/scores"], run["objective/kl"], strict=True)
        ]
        findings = diagnose(run | {"objective/rlhf_reward": paid}, usual.rollout_batch)
        assert is_healthy(findings) and len(findings) == 8


def test_a_run_of_another_seed_lies_in_the_bands_about_as_often_as_they_promise():
    rows, entry = load_entry("loop")["curves"]["ppo"], load_entry("ppo_bands")
    counts = [outside([row[name] for row in rows], band_from(band, 3)) for name, band in entry["data"]["bands"].items()]
    missed, covered = (sum(column) for column in zip(*counts, strict=True))
    assert missed / covered < 0.15, f"{missed} of {covered} readings lie outside"  # 0.05 promised, neighbours depend

"""The ensemble: plain folders, resamples of the training votes alone, resumed bit for bit, and its interval."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import t
from transformers import AutoModelForSequenceClassification

from core.alignment.configs import RewardConfig
from core.alignment.cross_examination.reward_ensemble import (
    bootstrap,
    load_ensemble,
    member_scores,
    train_ensemble,
)
from core.alignment.cross_examination.spread import by_split, by_spread, right_by_agreement, spreads
from core.alignment.cross_examination.verdict import ensemble_verdict, laplace_verdict
from core.alignment.cross_examination.vote_flip import largest_difference
from core.alignment.pair_report import report_pairs
from core.alignment.reward_model import score
from core.alignment.reward_training import split_by_prompt
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.quantiles import T_95, t_95
from tests import tiny

CONFIG = RewardConfig(epochs=1, batch_pairs=8, learning_rate=3e-3, head_learning_rate=1e-2, heldout_share=0.25)
PAIRS = [PreferencePair(f"Day {i}. The cat was", f" happy{'!' * (i % 3)}", f" green{'.' * (i % 2)}") for i in range(32)]


def trained(folder, state=None):
    policy, tokenizer = tiny.gpt2(), tiny.tokenizer()
    return list(train_ensemble(policy, tokenizer, PAIRS, CONFIG, 3, "tiny", folder, state))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RLHF_PLAYGROUND_PRECISION", "float32")
        folder = tmp_path_factory.mktemp("whole") / "ensemble"
        return folder, trained(folder)


def test_members_are_plain_folders_that_differ(whole):
    folder, records = whole
    assert sorted(path.name for path in folder.iterdir()) == ["ensemble.json", "member-1", "member-2", "member-3"]
    members = load_ensemble(folder)
    for number, member in enumerate(members, 1):
        plain = AutoModelForSequenceClassification.from_pretrained(folder / f"member-{number}")
        assert torch.equal(plain.score.weight, member.model.score.weight)
    assert largest_difference(folder / "member-1", folder / "member-2") > 1e-4
    assert [record.step for record in records[:-1]] == list(range(1, 10)) and records[0].total == 9
    _, heldout = split_by_prompt(PAIRS, 0.25, 0)
    chosen, rejected = member_scores(members, heldout)
    result = records[-1].result
    assert result["accuracy_heldout"] == report_pairs(chosen.mean(0), rejected.mean(0)).accuracy
    assert result["log_loss_each"][1] == pytest.approx(report_pairs(chosen[1], rejected[1]).log_loss)
    second = members[1]
    prompts, texts = [pair.prompt for pair in heldout], [pair.chosen for pair in heldout]
    torch.testing.assert_close(score(second.model, second.tokenizer, prompts, texts), chosen[1], atol=1e-5, rtol=0)


def test_resumed_within_a_member_it_is_the_same_ensemble(whole, tmp_path):
    folder, _ = whole
    begun = tmp_path / "ensemble"
    policy, tokenizer = tiny.gpt2(), tiny.tokenizer()
    for record in train_ensemble(policy, tokenizer, PAIRS, CONFIG, 3, "tiny", begun):
        if record.step == 5:  # the second of the second member's three
            state = record.state()
            break
    rest = trained(begun, state)
    assert [record.step for record in rest[:-1]] == [6, 7, 8, 9]
    for member in (1, 2, 3):
        assert largest_difference(folder / f"member-{member}", begun / f"member-{member}") == 0.0


def test_nothing_held_out_is_drawn_and_a_resample_repeats_some():
    train, heldout = split_by_prompt(PAIRS, 0.25, 0)
    drawn = bootstrap(train, (0, 1))
    assert len(drawn) == len(train) and set(drawn) < set(train) and not set(drawn) & set(heldout)
    assert drawn == bootstrap(train, (0, 1)) != bootstrap(train, (0, 2))
    shares = [len(set(bootstrap(range(1000), (0, j)))) / 1000 for j in range(20)]
    assert np.mean(shares) == pytest.approx(1 - math.exp(-1), abs=0.01)


def test_students_quantiles():
    assert {k: round(float(t.ppf(0.975, k)), 3) for k in T_95} == T_95
    assert [t_95(k) for k in range(1, 200)] == pytest.approx(t.ppf(0.975, range(1, 200)), abs=1e-3)


def test_the_interval_holds_the_next_members_verdict():
    """Of ensembles of four from one normal, 95 in a hundred intervals hold a fifth draw."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(4000):
        *known, new = rng.normal(0.3, 0.7, size=5).tolist()
        found = ensemble_verdict(known)
        held += found.low < 1 / (1 + math.exp(-new)) < found.high
    assert held / 4000 == pytest.approx(0.95, abs=0.012)


def test_verdicts_by_hand():
    found = ensemble_verdict([1.0, 2.0, 3.0])
    reach = 4.303 * 1.0 * math.sqrt(4 / 3)
    assert (found.difference, found.sd) == (2.0, 1.0)
    assert found.low == pytest.approx(1 / (1 + math.exp(-(2 - reach)))) and not found.decided
    sure = laplace_verdict(2.0, 0.5)
    assert sure.low == pytest.approx(1 / (1 + math.exp(-(2 - 0.5 * 1.959964)))) and sure.decided


def test_no_ensemble_is_said(tmp_path):
    with pytest.raises(PlaygroundError, match="no ensemble here"):
        load_ensemble(tmp_path)


def test_spread_and_split_by_hand():
    found = spreads([[1.0, 2.0, -1.0, 0.5], [3.0, -2.0, -1.0, 0.7], [2.0, 0.0, -1.0, -0.1]])
    assert (found[0].mean, found[0].sd, found[0].positive) == (2.0, 1.0, 3)
    assert [one.minority for one in found] == [0, 1, 0, 1]
    assert by_split(found) == [1, 3, 0, 2]
    assert by_spread(found)[0] == 1 and by_spread(found)[-1] == 2
    assert right_by_agreement(found) == (0.5, 0.5)  # pairs 1 (mean 0) and 0; then 3 and 2

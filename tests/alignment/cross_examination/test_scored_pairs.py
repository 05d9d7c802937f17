"""Overlap against the ROC curve's area, mistakes in their order, and what a run wrote down read back the same."""

import random
from statistics import median

import pytest
from sklearn.metrics import roc_auc_score

from core.alignment.cross_examination.mistakes import Filter, loss_share, noise_among, worst_first
from core.alignment.cross_examination.run_pairs import (
    TaughtPair,
    read_run_pairs,
    reward_config_of,
    taught,
    write_run_pairs,
)
from core.alignment.cross_examination.scored_pairs import ScoredPair, accuracy, as_row, from_row, overlap, split_taught
from core.alignment.pair_term import pair_term
from core.alignment.reward_training import split_by_prompt
from core.errors import PlaygroundError
from core.feedback.annotators import get_annotator
from core.feedback.pairs import PreferencePair


def scored(place, chosen, rejected, voter="ada", gap=None, text="a"):
    pair = PreferencePair(f"p{place}", f"{text} c{place}", f"{text} r{place}", annotator=voter)
    return ScoredPair(place, TaughtPair(pair, "votes:ada", gap), chosen, rejected)


def test_accuracy_counts_a_tie_half_as_the_overlap_does():
    assert accuracy([1.0, 2.0, 3.0, 3.0], [0.0, 2.0, 4.0, 2.0]) == 2.5 / 4
    assert accuracy([0.0] * 3, [0.0] * 3) == overlap([0.0] * 3, [0.0] * 3).above == 0.5


def test_overlap_is_the_area_under_the_roc_curve():
    rng = random.Random(0)
    chosen = [round(rng.gauss(1, 2)) for _ in range(40)]  # rounded: many ties
    rejected = [round(rng.gauss(0, 1)) for _ in range(55)]
    found = overlap(chosen, rejected)
    assert found.above == pytest.approx(roc_auc_score([1] * 40 + [0] * 55, chosen + rejected))
    assert found.rejected_above_median == sum(score > median(chosen) for score in rejected) / 55
    assert overlap([2.0, 4.0], [1.0, 3.0]).distance == pytest.approx(1 / 2**0.5)


PAIRS = [
    scored(0, 1.0, 0.0),
    scored(1, 0.0, 3.0, "bob", -0.5),
    scored(2, 0.0, 0.1, "bob", 0.5, text="A dragon"),
    scored(3, -1.0, 1.0),
]


def test_the_worst_mistakes_come_first():
    assert [one.place for one in worst_first(PAIRS)] == [1, 3, 2]
    everything = worst_first(PAIRS, Filter(wrong_only=False))
    assert [one.place for one in everything] == [1, 3, 2, 0]
    losses = [pair_term(one.chosen, one.rejected).loss for one in everything]
    assert losses == sorted(losses, reverse=True)


def test_the_share_of_the_loss_is_theirs():
    losses = [pair_term(one.chosen, one.rejected).loss for one in PAIRS]
    assert loss_share(PAIRS, PAIRS[1:2]) == pytest.approx(losses[1] / sum(losses))


def test_filters_leave_out_what_they_say():
    assert [one.place for one in worst_first(PAIRS, Filter(voter="bob"))] == [1, 2]
    assert [one.place for one in worst_first(PAIRS, Filter(containing="DRAGON"))] == [2]
    assert [one.place for one in worst_first(PAIRS, Filter(against_taste=True))] == [1]
    assert [one.place for one in worst_first(PAIRS, Filter(against_taste=False))] == [2]
    assert noise_among(PAIRS) == (1, 2)


def test_a_row_is_the_scored_pair_again():
    assert [from_row(as_row(one)) for one in PAIRS] == PAIRS


def test_what_a_run_wrote_down_is_read_back(tmp_path):
    votes = [PreferencePair("p", " happy", " sad", 1.5, "sunny"), PreferencePair("q", " sad", " happy", None, "sunny")]
    known = taught(votes, "simulated:sunny:8") + taught(votes, "dataset:3")
    write_run_pairs(tmp_path, known)
    assert read_run_pairs(tmp_path) == known
    utility = get_annotator("sunny").utility
    assert known[0].gold_gap == utility("p", " happy") - utility("p", " sad") > 0
    assert known[1].gold_gap < 0  # noise decided
    assert known[2].gold_gap is None  # an imported voter of that name is somebody else
    with pytest.raises(PlaygroundError, match="did not write down"):
        read_run_pairs(tmp_path / "nothing")


def test_the_split_is_the_trainers_with_all_votes_of_a_pair_on_one_side():
    voters = ("ada", "bob", "eve")
    pairs = [PreferencePair(f"p{i}", "x", "y", annotator=name) for i in range(20) for name in voters]
    known = taught(pairs, "dataset:1")
    train, heldout = split_taught(known, 0.2, 3)
    assert ([one.pair for one in train], [one.pair for one in heldout]) == split_by_prompt(pairs, 0.2, 3)
    assert len(heldout) == 12  # four prompts, three voters each
    assert not {one.pair.prompt for one in train} & {one.pair.prompt for one in heldout}


def test_a_loops_seed_holds_for_its_reward_model():
    assert reward_config_of({"seed": 7, "reward": {"epochs": 2}}).seed == 7
    assert reward_config_of({"reward": {"epochs": 2, "seed": 5}}).seed == 5

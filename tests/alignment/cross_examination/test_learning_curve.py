"""The learning curve: nested sets, the same held-out votes everywhere, and resumed as it would have been."""

import statistics

import pytest

from core.alignment.configs import RewardConfig
from core.alignment.cross_examination import learning_curve
from core.alignment.cross_examination.learning_curve import train_curve
from core.alignment.cross_examination.vote_counts import by_votes, epochs_for, sizes_up_to
from core.alignment.reward_training import split_by_prompt
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from tests import tiny

CONFIG = RewardConfig(batch_pairs=16, learning_rate=3e-3, head_learning_rate=1e-2, heldout_share=0.25)
PAIRS = [PreferencePair(f"Day {i}. The cat was", f" happy{'!' * (i % 3)}", f" green{'.' * (i % 2)}") for i in range(96)]


def trained(config=CONFIG, state=None, seeds=2):
    return train_curve(tiny.gpt2(), tiny.tokenizer(), PAIRS, config, seeds, state)


def test_sizes_double_and_end_with_all():
    assert sizes_up_to(460) == [32, 64, 128, 256, 460]
    assert sizes_up_to(20) == [20]
    assert sizes_up_to(520) == [32, 64, 128, 256, 520]  # 512 is within a tenth of all


def test_few_votes_are_gone_over_several_times():
    assert epochs_for(32, CONFIG) == 8 and epochs_for(128, CONFIG) == 3 and epochs_for(4096, CONFIG) == 1
    assert epochs_for(32, CONFIG.model_copy(update={"epochs": 20})) == 20


def test_sets_are_nested_and_nothing_held_out_is_learned(monkeypatch):
    taught = []
    real = learning_curve.retrained

    def watched(model, tokenizer, pairs, *rest):
        taught.append(pairs)
        return real(model, tokenizer, pairs, *rest)

    monkeypatch.setattr(learning_curve, "retrained", watched)
    records = list(trained())
    train, heldout = split_by_prompt(PAIRS, 0.25, 0)
    assert [len(pairs) for pairs in taught] == [32, 32, 64, 64, 72, 72]
    assert not any(set(pairs) & set(heldout) for pairs in taught)
    assert taught[0] == taught[2][:32] and taught[1] == taught[3][:32] and taught[0] != taught[1]
    result = records[-1].result
    assert result["pairs_heldout"] == len(heldout)
    assert [point["votes"] for point in result["points"]] == sizes_up_to(len(train))
    accuracy = [row["heldout/accuracy"] for row in result["rows"] if row["votes"] == 32]
    assert result["points"][0]["accuracy"] == pytest.approx(statistics.mean(accuracy))
    assert result["points"][0]["accuracy_sd"] == pytest.approx(statistics.stdev(accuracy))


def test_resumed_it_is_the_same_curve():
    whole = list(trained())
    state = whole[1].state()
    rest = list(trained(state=state))
    assert [record.metrics for record in rest] == [record.metrics for record in whole[2:]]
    assert rest[-1].result == whole[-1].result


def test_without_held_out_votes_there_is_nothing_to_measure():
    with pytest.raises(PlaygroundError, match="held-out"):
        list(trained(CONFIG.model_copy(update={"heldout_share": 0.0})))


def test_one_seed_has_no_spread():
    rows = [{"votes": 32.0, "heldout/accuracy": 0.6, "heldout/log_loss": 0.6}]
    assert by_votes(rows)[0]["accuracy_sd"] == 0.0

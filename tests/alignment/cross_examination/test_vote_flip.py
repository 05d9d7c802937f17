"""One vote flipped: the data differ in one row, the order in nothing, and unflipped it is the original bit for bit."""

from itertools import pairwise

import pytest

from core.alignment import reward_training
from core.alignment.configs import RewardConfig
from core.alignment.cross_examination.flip_reading import reach_of
from core.alignment.cross_examination.vote_flip import flipped, largest_difference, train_flip
from core.alignment.reward_folders import load_reward_model
from core.alignment.reward_model import score
from core.alignment.reward_training import split_by_prompt
from core.alignment.stages import reward_stage
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.record import no_controls
from tests import tiny

CONFIG = RewardConfig(epochs=2, batch_pairs=8, learning_rate=3e-3, head_learning_rate=1e-2, heldout_share=0.25)
PAIRS = [
    PreferencePair(f"Day {i}. The cat was", f" happy{'!' * (i % 3)}", f" green and very{'.' * (i % 2)}")
    for i in range(32)
]
TRAIN, HELDOUT = split_by_prompt(PAIRS, 0.25, 0)
PLACE = PAIRS.index(TRAIN[3])


def flip(folder, original=None, state=None, place=PLACE):
    policy, tokenizer = tiny.gpt2(), tiny.tokenizer()
    return train_flip(policy, tokenizer, PAIRS, place, CONFIG, "tiny", original, folder, state)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RLHF_PLAYGROUND_PRECISION", "float32")
        folder = tmp_path_factory.mktemp("flip")
        policy, tokenizer = tiny.gpt2(), tiny.tokenizer()
        list(reward_stage(policy, tokenizer, PAIRS, CONFIG, "tiny", folder / "original", None, no_controls))
        records = list(flip(folder, folder / "original"))
        return folder, records


def test_exactly_one_row_differs():
    changed = flipped(PAIRS, PLACE)
    assert [place for place in range(32) if changed[place] != PAIRS[place]] == [PLACE]
    assert (changed[PLACE].chosen, changed[PLACE].rejected) == (PAIRS[PLACE].rejected, PAIRS[PLACE].chosen)
    assert flipped(changed, PLACE) == PAIRS


def test_both_trainings_see_the_same_pairs_in_the_same_order(monkeypatch, tmp_path):
    orders = []
    of = reward_training.batches_by_length

    def watched(*given):
        orders.append([part.tolist() for part in of(*given)])
        return of(*given)

    monkeypatch.setattr(reward_training, "batches_by_length", watched)
    list(flip(tmp_path))
    assert orders[:2] == orders[2:] and orders[0] != orders[1]


def test_unflipped_it_is_the_original_bit_for_bit(done):
    folder, records = done
    assert records[-1].result["difference_to_original"] == 0.0
    assert largest_difference(folder / "original", folder / "unflipped") == 0.0
    assert largest_difference(folder / "unflipped", folder / "flipped") > 1e-5


def test_what_changed_is_what_the_two_folders_say(done):
    folder, records = done
    result = records[-1].result
    one = PAIRS[PLACE]
    for name in ("unflipped", "flipped"):
        model = load_reward_model(folder / name)
        scores = score(model.model, model.tokenizer, [one.prompt] * 2, [one.chosen, one.rejected]).tolist()
        assert result["scores"][name] == pytest.approx(scores, abs=1e-5)
    before, after = (result["scores"][name][0] - result["scores"][name][1] for name in ("unflipped", "flipped"))
    assert after < before  # it now believes the old winner less
    held = result["heldout"]
    assert len(held["differences"][0]) == len(HELDOUT)
    assert held["accuracy"][0] == sum(d > 0 for d in held["differences"][0]) / len(HELDOUT)


def test_neighbours_are_others_and_the_likest_first(done):
    near = done[1][-1].result["neighbours"]
    for name in ("chosen", "rejected"):
        assert len(near[name]) == 8
        likeness = [row["likeness"] for row in near[name]]
        assert likeness == sorted(likeness, reverse=True)
        assert all(row["prompt"] != PAIRS[PLACE].prompt for row in near[name])


def test_resumed_it_is_the_same(done, tmp_path):
    folder, records = done
    cut = records[len(records) // 2 + 1].step
    for record in flip(tmp_path):
        if record.step == cut:
            state = record.state()
            break
    list(flip(tmp_path, None, state))
    for name in ("unflipped", "flipped"):
        assert largest_difference(folder / name, tmp_path / name) == 0.0


def test_a_vote_that_taught_nothing_is_refused(tmp_path):
    with pytest.raises(PlaygroundError, match="held out"):
        list(flip(tmp_path, place=PAIRS.index(HELDOUT[0])))
    with pytest.raises(PlaygroundError, match="no vote number"):
        list(flip(tmp_path, place=99))


def test_the_reach_by_hand():
    scores = {"unflipped": [1.0, 0.0], "flipped": [0.5, 2.0]}
    held = {"differences": [[1.0, -1.0], [0.8, -0.6]]}
    found = reach_of({"scores": scores, "heldout": held})
    assert (found.own, found.unseen) == (2.5, pytest.approx(0.3)) and found.stays
    assert reach_of({"scores": scores}) is None


def test_the_only_vote_there_is_can_be_flipped_and_has_no_neighbours(tmp_path):
    config = CONFIG.model_copy(update={"heldout_share": 0.0})
    *_, last = train_flip(tiny.gpt2(), tiny.tokenizer(), PAIRS[:1], 0, config, "tiny", None, tmp_path)
    assert last.result["neighbours"] == {"chosen": [], "rejected": []}


def test_the_steps_of_one_that_ends_early_never_count_backwards(tmp_path):
    config = CONFIG.model_copy(update={"epochs": 20, "patience": 1, "evaluate_every": 1, "learning_rate": 1e-2})
    records = list(train_flip(tiny.gpt2(), tiny.tokenizer(), PAIRS, PLACE, config, "tiny", None, tmp_path))[:-1]
    assert len(records) < records[0].total  # both did end early
    assert len({record.total for record in records}) == 1
    assert all(one.step < other.step for one, other in pairwise(records))

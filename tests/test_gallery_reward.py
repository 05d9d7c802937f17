"""The reward model's entries in the gallery hold together, as far as that can be told without its weights."""

import pytest

from core.alignment.configs import LoopConfig
from core.alignment.cross_examination.scored_pairs import from_row
from core.alignment.cross_examination.text_traits import text_traits
from core.alignment.cross_examination.vote_counts import by_votes
from core.feedback.annotators import get_annotator
from core.feedback.sources import bundled_pairs
from core.gallery import FOLDER, load_entry
from core.language.registry import STORYTELLER, model_hash

NAMES = ("heldout", "traits", "words", "ensemble", "curve", "compare", "flip")


def data(name):
    return load_entry(f"reward_{name}")["data"]


@pytest.mark.parametrize("name", NAMES)
def test_each_is_of_this_model_and_this_loop(name):
    entry, loop = load_entry(f"reward_{name}"), LoopConfig()
    assert entry["model_hash"] == model_hash(STORYTELLER)
    assert entry["key"].items() >= {"annotator": loop.annotator, "seed": loop.seed, "pairs": loop.pairs}.items()


def test_together_they_are_small():
    assert sum((FOLDER / f"reward_{name}.json").stat().st_size for name in NAMES) < 300_000


def test_the_voters_taste_is_its_utility():
    utility = get_annotator("sunny").utility
    rows = data("heldout")["pairs"] + data("heldout")["resisted"]
    assert len(rows) > 100
    for row in rows:
        gap = utility(row["prompt"], row["chosen"]) - utility(row["prompt"], row["rejected"])
        assert row["gold_gap"] == pytest.approx(gap, abs=1e-3 + 1e-4 * abs(gap))


def test_training_votes_resisted_most_are_no_heldout_ones_and_in_order():
    heldout = {row["prompt"] for row in data("heldout")["pairs"]}
    losses = [from_row(row).term.loss for row in data("heldout")["resisted"]]
    assert losses == sorted(losses, reverse=True)
    assert not heldout & {row["prompt"] for row in data("heldout")["resisted"]}


def test_every_trait_and_every_word_is_there():
    assert {row["name"] for row in data("traits")["traits"]} == {trait.name for trait in text_traits()}
    for example, pair in zip(data("words")["examples"], bundled_pairs(), strict=False):
        assert example["texts"] == [pair.response_a, pair.response_b]
        for text, read in zip(example["texts"], example["read"], strict=True):
            assert "".join(word for word, _ in read["words"]) == text
            assert "".join(token for token, _ in read["running"]) == pair.prompt + text
            assert read["running"][-1][1] == pytest.approx(read["score"], abs=1e-3)
            assert read["summed"] == pytest.approx(sum(effect for _, effect in read["words"]), abs=1e-2)
        assert len(example["members"]) == load_entry("reward_words")["key"]["members"]


def test_members_and_the_second_model_answer_the_same_pairs():
    pairs = len(data("heldout")["pairs"])
    assert {len(row) for row in data("ensemble")["differences"]} == {pairs}
    for row, accuracy in zip(data("ensemble")["differences"], data("ensemble")["result"]["accuracy_each"], strict=True):
        assert sum(delta > 0 for delta in row) / pairs == pytest.approx(accuracy, abs=1e-4)
    assert len(data("compare")["second"]) == pairs


def test_the_curve_is_the_mean_of_its_trainings():
    for point, again in zip(data("curve")["points"], by_votes(data("curve")["rows"]), strict=True):
        assert point == pytest.approx(again, abs=1e-4, rel=1e-4)


def test_the_flip_had_a_control_that_held():
    flip = data("flip")
    assert flip["difference_to_original"] == 0.0
    assert flip["place"] == data("heldout")["resisted"][0]["place"]
    assert flip["scores"]["unflipped"] == pytest.approx(data("heldout")["resisted"][0]["scores"], abs=1e-3)
    before, after = flip["heldout"]["differences"]
    assert flip["heldout"]["turned"] == sum((a > 0) != (b > 0) for a, b in zip(before, after, strict=True))

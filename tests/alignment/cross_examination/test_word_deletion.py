"""Word deletion against deleting words by hand and scoring each text alone."""

import pytest
import torch

from core.alignment.cross_examination.word_deletion import pieces, word_deletions
from core.alignment.reward_model import RewardModel, new_reward_model, score
from tests import tiny

PROMPT, RESPONSE = "The cat was", ' happy, so happy! She said, "I don\'t mind."'
BY_HAND = [
    ', so happy! She said, "I don\'t mind."',
    ' happy so happy! She said, "I don\'t mind."',
    ' happy, happy! She said, "I don\'t mind."',
    ' happy, so! She said, "I don\'t mind."',
    ' happy, so happy She said, "I don\'t mind."',
    ' happy, so happy! said, "I don\'t mind."',
    ' happy, so happy! She, "I don\'t mind."',
    ' happy, so happy! She said "I don\'t mind."',
    " happy, so happy! She said,I don't mind.\"",
    ' happy, so happy! She said, " don\'t mind."',
    ' happy, so happy! She said, "I mind."',
    ' happy, so happy! She said, "I don\'t."',
    " happy, so happy! She said, \"I don't mind",
]


@pytest.fixture(scope="module")
def judge():
    model = new_reward_model(tiny.gpt2(), tiny.tokenizer())
    torch.nn.init.normal_(model.score.weight, generator=torch.Generator().manual_seed(0))
    return RewardModel(model, tiny.tokenizer())


def test_every_effect_is_the_score_with_it_minus_the_score_without(judge):
    found = word_deletions(judge, PROMPT, RESPONSE)
    whole = score(judge.model, judge.tokenizer, [PROMPT], [RESPONSE]).item()
    assert found.score == pytest.approx(whole, abs=1e-5)
    assert found.prompt_score == pytest.approx(score(judge.model, judge.tokenizer, [PROMPT], [""]).item(), abs=1e-5)
    assert len(found.words) == len(BY_HAND)
    for word, left in zip(found.words, BY_HAND, strict=True):
        alone = score(judge.model, judge.tokenizer, [PROMPT], [left]).item()
        assert word.effect == pytest.approx(whole - alone, abs=1e-5), word.text
    assert max(abs(word.effect) for word in found.words) > 0.01


@pytest.mark.parametrize("text", ["", "  ", RESPONSE, "\n\nÉtait-il là?  ", "a_b  c'est 10.5% — ok\t"])
def test_the_pieces_are_the_text_again(text):
    assert "".join(pieces(text)) == text

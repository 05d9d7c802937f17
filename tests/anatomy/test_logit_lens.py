"""The logit lens: its last row is the model, its words are what a softmax over everything says."""

import pytest
import torch

from core.alignment.kl import exact_kl
from core.anatomy.block import residual_stream
from core.anatomy.logit_lens import lens_difference, logit_lens, positions_at_once, read_one, settled_at
from core.errors import PlaygroundError
from core.language.registry import load_policy
from tests.tiny import OPENED, gpt2

IDS = [5, 9, 77, 300, 9, 12]


@pytest.fixture(scope="module")
def storyteller():
    return load_policy("storyteller")[0]


def models():
    return [*OPENED.values()]


def lens_and_logits(model, ids=IDS):
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    return logit_lens(model, residual_stream(model, ids)[0::2]), logits


@pytest.mark.parametrize("family", [*OPENED, "storyteller"])
def test_the_last_row_is_the_models_own_prediction(family, storyteller):
    model = storyteller if family == "storyteller" else OPENED[family]()
    lens, logits = lens_and_logits(model)
    best = logits.softmax(-1).topk(5)
    torch.testing.assert_close(lens.probabilities[-1], best.values, rtol=1e-4, atol=1e-6)
    assert torch.equal(lens.ids[-1], best.indices)
    assert lens.to_final[-1].abs().max() < 1e-5
    torch.testing.assert_close(lens.of_answer[-1], lens.probabilities[-1, :, 0])


def test_a_middle_row_is_the_final_norm_and_the_unembedding_of_that_layers_hidden_state(storyteller):
    with torch.no_grad():
        output = storyteller(torch.tensor([IDS]), output_hidden_states=True)
        middle = storyteller.lm_head(storyteller.transformer.ln_f(output.hidden_states[3][0]))
    lens, _ = lens_and_logits(storyteller)
    torch.testing.assert_close(lens.probabilities[3], middle.softmax(-1).topk(5).values, rtol=1e-4, atol=1e-6)
    final = output.logits[0].log_softmax(-1)
    torch.testing.assert_close(lens.to_final[3], exact_kl(final, middle.log_softmax(-1)), rtol=1e-3, atol=1e-5)
    answer = final.argmax(-1, keepdim=True)
    torch.testing.assert_close(
        lens.of_answer[3], middle.softmax(-1).gather(-1, answer).squeeze(-1), rtol=1e-3, atol=1e-7
    )


def test_a_part_of_the_positions_is_that_part_of_the_whole():
    model = gpt2()
    states = residual_stream(model, IDS)[0::2]
    whole, part = logit_lens(model, states), logit_lens(model, states[:, 2:4])
    assert torch.equal(whole.ids[:, 2:4], part.ids)


def test_settled_is_the_first_row_that_never_changes_again():
    rows = torch.tensor([[7, 1, 3], [7, 2, 1], [7, 1, 2], [7, 1, 3]])
    assert settled_at(rows).tolist() == [0, 2, 3]


def test_a_model_is_no_distance_from_itself_and_some_from_another():
    model, other = gpt2(0), gpt2(1)
    states, its = residual_stream(model, IDS)[0::2], residual_stream(other, IDS)[0::2]
    assert lens_difference(model, states, model, states).abs().max() < 1e-6
    found = lens_difference(model, states, other, its)
    with torch.no_grad():
        expected = exact_kl(*(one(torch.tensor([IDS])).logits[0].log_softmax(-1) for one in (model, other)))
    torch.testing.assert_close(found[-1], expected, rtol=1e-3, atol=1e-4)
    with pytest.raises(PlaygroundError, match="as many layers"):
        lens_difference(model, states, other, its[:2])


def test_one_state_reads_as_its_row_of_the_lens():
    model = gpt2()
    states = residual_stream(model, IDS)[0::2]
    ids, probabilities = read_one(model, states[1, 4])
    lens = logit_lens(model, states)
    assert torch.equal(ids, lens.ids[1, 4])
    torch.testing.assert_close(probabilities, lens.probabilities[1, 4])


def test_a_large_vocabulary_shows_fewer_positions_at_once(storyteller):
    assert positions_at_once(storyteller, 7) >= 256
    assert positions_at_once(storyteller, 100_000) == 4

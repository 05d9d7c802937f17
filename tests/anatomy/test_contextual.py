"""States through the layers against the model's own hidden states; similarity and movement against plain sums."""

import numpy as np
import pytest
import torch

from core.anatomy import contextual, movement
from core.anatomy.parts import final_norm
from core.anatomy.repeats import repeated
from core.anatomy.vocabulary import cosine
from core.errors import PlaygroundError
from tests.tiny import OPENED, gpt2

IDS = [5, 9, 200, 9, 4000, 3]


@pytest.mark.parametrize("family", OPENED)
def test_states_are_the_models_own(family):
    model = OPENED[family]()
    states = contextual.residual_states(model, IDS)
    with torch.no_grad():
        own = model(torch.tensor([IDS]), output_hidden_states=True).hidden_states
        last = final_norm(model)(torch.tensor(states[-1]))
    for mine, theirs in zip(states[:-1], own[:-1], strict=True):
        np.testing.assert_allclose(mine, theirs[0].numpy(), atol=1e-5)
    np.testing.assert_allclose(last.numpy(), own[-1][0].numpy(), atol=1e-5)  # transformers norms the last one


def test_similarity_against_the_plain_loop():
    states = np.random.default_rng(0).normal(size=(3, 5, 8))
    content = np.random.default_rng(1).normal(size=(5, 8))
    found = contextual.self_similarity(states, content, 1, 3)
    for layer in range(3):
        assert found["same"][layer] == pytest.approx(cosine(states[layer, 1], states[layer, 3]))
        others = [cosine(states[layer, i], states[layer, j]) for i in (1, 3) for j in (0, 2, 4)]
        assert found["others"][layer] == pytest.approx(np.mean(others))
        own = [cosine(states[layer, i], content[i]) for i in (1, 3)]
        assert found["content"][layer] == pytest.approx(np.mean(own))


def test_two_tokens_alone_have_no_others():
    states = np.random.default_rng(0).normal(size=(2, 2, 4))
    assert np.isnan(contextual.self_similarity(states, states[0], 0, 1)["others"]).all()


def test_a_trajectory_is_a_projection_of_unit_states():
    states = np.random.default_rng(0).normal(size=(3, 5, 8)) * 10
    found = contextual.trajectory(states)
    longer = contextual.trajectory(states * np.arange(1, 4)[:, None, None])
    np.testing.assert_allclose(found["points"], longer["points"], atol=1e-9)  # lengths do not count
    assert found["points"].shape == (3, 5, 2)
    assert np.linalg.norm(found["points"], axis=-1).max() <= 2


def test_repeated_tokens_by_their_first_two_places():
    assert repeated([7, 1, 7, 2, 1, 7]) == [(0, 2), (1, 4)]
    assert repeated([1, 2, 3]) == []


def test_movement_against_the_plain_loop():
    before, after = np.random.default_rng(0).normal(size=(2, 6, 4))
    after[2] = before[2]
    found = movement.moved(before, after)
    for token in range(6):
        assert found["distance"][token] == pytest.approx(np.linalg.norm(after[token] - before[token]))
        assert found["cosine"][token] == pytest.approx(cosine(before[token], after[token]))
    assert found["relative"][0] == pytest.approx(found["distance"][0] / np.linalg.norm(before[0]))
    most = movement.moved_most(found["distance"], np.arange(6))
    assert most == sorted(set(range(6)) - {2}, key=lambda token: -found["distance"][token])
    assert set(movement.moved_most(found["distance"], np.array([1, 2, 4]), 5)) == {1, 4}


def test_two_vocabularies_of_different_shapes_are_refused():
    with pytest.raises(PlaygroundError, match="shapes"):
        movement.moved(np.ones((3, 2)), np.ones((4, 2)))


def test_a_model_has_not_moved_from_itself_and_has_when_a_layer_changed():
    states = contextual.residual_states(gpt2(), IDS)
    np.testing.assert_allclose(movement.moved_in_context(states, states), 0, atol=1e-6)
    changed = gpt2()
    with torch.no_grad():
        changed.transformer.h[1].mlp.c_proj.weight.mul_(-1)
    found = movement.moved_in_context(states, contextual.residual_states(changed, IDS))
    assert found.shape == (len(IDS), 3)
    np.testing.assert_allclose(found[:, :2], 0, atol=1e-6)
    assert (found[:, 2] > 1e-3).all()

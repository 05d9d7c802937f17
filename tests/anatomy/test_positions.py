"""Positions against closed forms and the model's own rotary embedding."""

import math

import numpy as np
import pytest
import torch

from core.anatomy import positions
from core.anatomy.parts import rotate, rotation
from tests.tiny import gpt2, llama


@pytest.mark.parametrize(("place", "pair"), [(0, 0), (1, 0), (7, 3), (50, 15)])
def test_sinusoids_are_the_papers_formula(place, pair):
    table = positions.sinusoids(64, 32)
    angle = place / 10000 ** (2 * pair / 32)
    assert table[place, 2 * pair] == pytest.approx(math.sin(angle))
    assert table[place, 2 * pair + 1] == pytest.approx(math.cos(angle))


def test_sinusoids_dot_product_depends_on_the_distance_alone():
    table = positions.sinusoids(64, 32)
    for distance in (0, 1, 5, 40):
        dots = [table[t] @ table[t + distance] for t in range(64 - distance)]
        closed = sum(math.cos(distance / 10000 ** (2 * i / 32)) for i in range(16))
        np.testing.assert_allclose(dots, closed, atol=1e-9)
    assert positions.spread(positions.similarity(table)) < 1e-9


def test_learned_positions_are_the_models_and_know_more_than_distance():
    model = gpt2()
    table = positions.learned(model, 16)
    np.testing.assert_array_equal(table, model.transformer.wpe.weight.detach()[:16].numpy())
    assert positions.spread(positions.similarity(table)) > 0.1
    assert positions.learned(llama(), 16) is None


def test_frequencies_are_the_models_own():
    model = llama()
    np.testing.assert_allclose(positions.rotary_frequencies(model), positions.frequencies(8), rtol=1e-6)
    assert positions.rotary_frequencies(gpt2()) is None


def test_turning_is_the_models_own_rotation():
    model = llama()
    vector = torch.randn(8, generator=torch.Generator().manual_seed(0))
    cos, sin = rotation(model, torch.arange(20))
    own = rotate(vector.expand(20, 8), cos, sin).numpy()
    found = positions.turned(vector.double().numpy(), positions.angles(positions.rotary_frequencies(model), 20))
    np.testing.assert_allclose(found, own, atol=1e-5)


def test_rotary_similarity_is_its_closed_form_and_knows_only_distance():
    theta = positions.frequencies(64)
    matrix = positions.rotary_similarity(theta, 40)
    far = np.arange(40)
    closed = np.cos(np.subtract.outer(far, far)[..., None] * theta).mean(axis=-1)
    np.testing.assert_allclose(matrix, closed, atol=1e-9)
    assert positions.spread(matrix) < 1e-9


def test_by_distance_follows_the_diagonals():
    matrix = np.arange(16.0).reshape(4, 4)
    rows = positions.by_distance(matrix, [0, 2], 3)
    np.testing.assert_array_equal(rows[0], [0, 1, 2, 3])
    np.testing.assert_array_equal(rows[1], [10, 11, np.nan, np.nan])


def test_spread_is_the_widest_range_on_a_diagonal():
    matrix = np.eye(3)
    matrix[0, 1], matrix[1, 2] = 0.2, 0.9
    assert positions.spread(matrix) == pytest.approx(0.7)


def test_a_wavelength_brings_a_pair_back():
    theta = positions.frequencies(8)
    back = positions.wavelengths(theta)[2] * theta[2]
    np.testing.assert_allclose(positions.turned(np.ones(2), np.array([[back]])), [[1, 1]], atol=1e-9)

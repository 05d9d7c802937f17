"""What is written out beside a matrix adds up to the matrix."""

import numpy as np
import pytest

from core.anatomy.attention import read, trace_head
from core.anatomy.written_out import change, dot_product, softmax_row, weighted_sum
from tests.tiny import OPENED

IDS = [5, 9, 77, 300, 9, 12]


@pytest.fixture(params=OPENED)
def trace(request):
    model = OPENED[request.param]()
    return {
        name: value.numpy() for name, value in vars(trace_head(model, read(model, IDS), 1, 1, temperature=1.5)).items()
    }


def test_the_terms_of_a_dot_product_sum_to_the_score(trace):
    found = dot_product(trace["q"][4], trace["k"][2])
    assert found.terms.sum() == pytest.approx(found.total)
    assert found.total == pytest.approx(float(trace["scores"][4, 2]), rel=1e-4)


@pytest.mark.parametrize("query", [0, 4])
def test_a_row_of_the_softmax(trace, query):
    found = softmax_row(trace["masked"][query], temperature=1.5)
    np.testing.assert_allclose(found.weights, trace["weights"][query], rtol=1e-4, atol=1e-6)
    assert found.exponentials.sum() == pytest.approx(found.denominator)
    assert found.exponentials.max() == 1
    assert (found.exponentials[query + 1 :] == 0).all()
    as_kept = np.where(np.isfinite(trace["masked"][query]), trace["masked"][query], np.nan)
    np.testing.assert_array_equal(softmax_row(as_kept, temperature=1.5).weights, found.weights)


def test_large_scores_do_not_overflow():
    assert softmax_row([1000.0, 999.0]).weights == pytest.approx([0.731, 0.269], abs=1e-3)


@pytest.mark.parametrize("shown", [1, 4, 10])
def test_the_shares_sum_to_the_heads_output(trace, shown):
    found = weighted_sum(trace["weights"][5], trace["v"], shown)
    np.testing.assert_allclose(found.parts.sum(0), trace["head_output"][5], rtol=1e-4, atol=1e-5)
    assert sum(found.weights) + found.rest == pytest.approx(1, abs=1e-5)
    assert found.weights == sorted(found.weights, reverse=True)
    assert len(found.keys) == min(shown, 6)


def test_the_first_token_has_nobody_else():
    found = weighted_sum([1.0, 0.0], [[1.0, 2.0], [3.0, 4.0]])
    assert found.keys == [0]
    assert found.rest == 0


def test_a_change_and_where_it_is_largest():
    found = change([[1.0, 0.0], [0.5, 0.5]], [[1.0, 0.0], [0.9, 0.1]])
    np.testing.assert_allclose(found.moved, [[0, 0], [0.4, -0.4]])
    assert (found.query, found.key) == (1, 0)

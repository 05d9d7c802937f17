"""Each statistic on weights whose value is known without computing it."""

import math

import pytest
import torch

from core.anatomy.head_statistics import head_statistics

IDS = torch.tensor([7, 3, 7, 5, 7])  # token 7 comes three times


def looking_at(*keys: int) -> torch.Tensor:
    """A head that puts all its weight on one key each."""
    return torch.nn.functional.one_hot(torch.tensor(keys), len(keys)).float()


def test_a_head_that_looks_one_token_back():
    found = head_statistics(looking_at(0, 0, 1, 2, 3), IDS)
    assert found.previous == 1
    assert found.entropy == 0
    assert found.distance == pytest.approx(4 / 5)
    assert found.first == pytest.approx(1 / 4)


def test_a_uniform_causal_head():
    length = 6
    weights = torch.ones(length, length).tril()
    weights = weights / weights.sum(-1, keepdim=True)
    found = head_statistics(weights, torch.arange(length))
    assert found.entropy == pytest.approx(sum(math.log(n) for n in range(1, length + 1)) / length)
    assert found.distance == pytest.approx(sum((n - 1) / 2 for n in range(1, length + 1)) / length)
    assert found.first == pytest.approx(sum(1 / n for n in range(2, length + 1)) / (length - 1))


def test_a_head_that_looks_at_earlier_copies():
    found = head_statistics(looking_at(0, 0, 0, 0, 2), IDS)
    assert found.duplicate == 1
    assert found.induction == 0


def test_an_induction_head_looks_at_what_followed_the_copy():
    found = head_statistics(looking_at(0, 0, 1, 0, 3), IDS)
    assert found.induction == 1
    assert found.duplicate == 0


def test_a_token_twice_in_a_row_is_not_its_own_follower():
    found = head_statistics(looking_at(0, 1), torch.tensor([4, 4]))
    assert found.induction == 0


def test_all_heads_at_once_are_each_alone():
    weights = torch.rand(2, 3, 5, 5, generator=torch.Generator().manual_seed(0)).tril()
    weights = weights / weights.sum(-1, keepdim=True)
    together = head_statistics(weights, IDS)
    for name, value in vars(together).items():
        assert value.shape == (2, 3)
        torch.testing.assert_close(value[1, 2], getattr(head_statistics(weights[1, 2], IDS), name))


def test_what_cannot_be_measured_is_no_number():
    one = head_statistics(torch.ones(1, 1), torch.tensor([7]))
    assert one.entropy == 0
    assert all(torch.isnan(value) for value in (one.previous, one.first, one.duplicate, one.induction))
    assert torch.isnan(head_statistics(looking_at(0, 0), torch.tensor([1, 2])).duplicate)

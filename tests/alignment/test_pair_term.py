"""The page's numbers against the very loss that trains, and its autograd."""

import pytest
import torch

from core.alignment.pair_term import pair_term
from core.alignment.reward_model import pairwise_loss


@pytest.mark.parametrize(("chosen", "rejected"), [(1.3, -0.4), (-0.4, 1.3), (2.0, 2.0), (60.0, -60.0), (-60.0, 60.0)])
def test_same_loss_and_gradient_as_training(chosen, rejected):
    winner = torch.tensor([chosen], dtype=torch.double, requires_grad=True)
    loss = pairwise_loss(winner, torch.tensor([rejected], dtype=torch.double))
    loss.backward()
    term = pair_term(chosen, rejected)
    assert term.loss == pytest.approx(loss.item(), rel=1e-12, abs=1e-300)
    assert term.pull == pytest.approx(winner.grad.item(), rel=1e-9, abs=1e-15)


def test_only_the_difference_matters():
    assert pair_term(0.75, 0.25) == pair_term(100.75, 100.25)

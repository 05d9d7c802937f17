"""One comparison: the gradient shown is autograd's, the surface is the training loss, steps keep the sum."""

import numpy as np
import pytest
import torch

from core.alignment.loss_surface.one_comparison import descend, place, surface
from core.alignment.reward_model import pairwise_loss


@pytest.mark.parametrize(("chosen", "rejected"), [(-2.0, 1.0), (0.0, 0.0), (3.5, -4.0), (-30.0, 30.0), (60.0, -60.0)])
def test_the_arrow_is_minus_the_gradient_of_the_training_loss(chosen, rejected):
    scores = torch.tensor([chosen, rejected], dtype=torch.float64, requires_grad=True)
    loss = pairwise_loss(scores[:1], scores[1:])
    loss.backward()
    here = place(chosen, rejected)
    assert here.term.loss == pytest.approx(loss.item(), rel=1e-12)
    assert here.downhill == pytest.approx(tuple(-scores.grad.numpy()), rel=1e-9, abs=1e-25)


def test_the_surface_is_the_training_loss_and_rows_are_the_rejected():
    scores = np.linspace(-5, 5, 11)
    heights = surface(scores)
    for row, rejected in enumerate(scores):
        for column, chosen in enumerate(scores):
            expected = pairwise_loss(torch.tensor([chosen]), torch.tensor([rejected])).item()
            assert heights[row, column] == pytest.approx(expected, abs=1e-6)
    assert heights[0, -1] < 1e-4 and heights[-1, 0] > 9.9


def test_steps_are_torch_sgds_and_keep_the_sum():
    scores = torch.tensor([-2.0, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([scores], lr=0.7)
    for here in descend(-2.0, 1.0, 0.7, 25):
        assert (here.chosen, here.rejected) == pytest.approx(tuple(scores.detach().numpy()), abs=1e-12)
        assert here.chosen + here.rejected == pytest.approx(-1.0, abs=1e-12)
        optimizer.zero_grad()
        pairwise_loss(scores[:1], scores[1:]).backward()
        optimizer.step()

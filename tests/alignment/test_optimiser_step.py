"""A step of an optimiser: what it moves, what it leaves behind, and what it refuses."""

import math

import pytest
import torch
from torch import nn

from core.alignment.optimiser_step import optimiser_step


def parameter(*gradient):
    weights = nn.Parameter(torch.zeros(len(gradient)))
    weights.grad = torch.tensor(gradient)
    return weights


def test_the_gradient_is_clipped_to_its_norm_and_gone_afterwards():
    weights = parameter(3.0, 4.0)
    norm = optimiser_step(torch.optim.SGD([weights], lr=1.0), [weights], 1.0, "here")
    assert norm == pytest.approx(5.0)
    torch.testing.assert_close(weights.detach(), torch.tensor([-0.6, -0.8]))
    assert weights.grad is None


@pytest.mark.parametrize("gradient", [(3.0, 4.0), (0.3, 0.4)], ids=["clipped", "short"])
def test_a_fused_step_moves_as_clipping_first_and_stepping_then(gradient):
    ours, plain = parameter(*gradient), parameter(*gradient)
    fused, slow = torch.optim.AdamW([ours], eps=0.1, fused=True), torch.optim.AdamW([plain], eps=0.1)
    for times in (1, 2):  # the second time without anything left of the first
        ours.grad, plain.grad = torch.tensor(gradient) / times**4, torch.tensor(gradient) / times**4
        torch.nn.utils.clip_grad_norm_([plain], 1.0)
        slow.step()
        assert optimiser_step(fused, [ours], 1.0, "here") == pytest.approx(math.hypot(*gradient) / times**4)
        torch.testing.assert_close(ours.detach(), plain.detach(), atol=1e-7, rtol=1e-5)
        assert ours.grad is None


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_weights_are_left_alone_by_a_gradient_that_is_not_finite(bad):
    weights = parameter(1.0, bad)
    with pytest.raises(FloatingPointError, match=r"norm is (nan|inf) at step 7: lower the learning rate"):
        optimiser_step(torch.optim.SGD([weights], lr=1.0), [weights], 1.0, "at step 7")
    assert weights.detach().eq(0).all()

"""Muon: momentum whose matrix updates are orthogonalised before they are applied."""

from collections.abc import Iterable

import torch
from torch import Tensor


def orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """About the nearest semi-orthogonal matrix, UVᵀ of `matrix` = USVᵀ: singular values land in about [0.7, 1.2].

    Quintic Newton–Schulz iteration X ← aX + (bA + cA²)X with A = XXᵀ, in the matrix's own precision.

    Shapes: [rows, columns] -> [rows, columns]. Source: K. Jordan, "Muon: an optimizer for hidden layers" (2024).
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Muon for the matrices of a transformer's blocks; embeddings, norms and biases belong to Adam.

    Differs from `torch.optim.Muon` in two ways that matter here: the iteration runs in the gradient's precision
    (bfloat16 matrix products are ten times slower than float32 on processors without the instructions), and a parameter
    group may say `blocks=3` to have the fused query-key-value matrix orthogonalised a third at a time, by columns.

    `lr` is the spectral norm of a step (before the shape factor √max(1, out/in)).
    """

    def __init__(self, params: Iterable, lr: float = 0.02, momentum: float = 0.95, weight_decay: float = 0.0):
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "blocks": 1}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum = state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                direction = weight.grad.lerp(momentum, group["momentum"])  # Nesterov
                pieces = [orthogonalise(piece) for piece in direction.chunk(group["blocks"], dim=1)]
                rows, columns = pieces[0].shape  # GPT-2 stores its weights as [in, out]
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(torch.cat(pieces, dim=1), alpha=-group["lr"] * max(1.0, columns / rows) ** 0.5)

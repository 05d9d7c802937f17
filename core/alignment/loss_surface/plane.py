"""A plane through the weights of a trained model, in which its loss can be drawn: along its own path, or at random."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from core.alignment.loss_surface.trail import Trail
from core.errors import PlaygroundError


@dataclass(frozen=True)
class Plane:
    """θ(x, y) = θ_end + x u + y v, and where the trail's places lie in it and beside it."""

    origin: Tensor  # [weights]: where training ended
    u: Tensor  # [weights]
    v: Tensor  # [weights]
    places: np.ndarray  # [places, 2]: each place's projection
    beside: np.ndarray  # [places]: its distance to the plane, in weights' Euclidean length
    far: np.ndarray  # [places]: its distance to the end
    shares: tuple[float, float]  # of the places' variance along u and along v


def path_plane(trail: Trail) -> Plane:
    """The plane of the two directions in which the trail varies most (PCA), laid through its end.

    u and v are unit vectors, orthogonal. PCA through the Gram matrix of the places, so that nothing larger than one
    tensor of all places is in memory. Source: Li et al., "Visualizing the Loss Landscape of Neural Nets" (2018),
    section 7.2. Raises PlaygroundError for fewer than three places, or when they do not move.
    """
    if len(trail) < 3:
        raise PlaygroundError(f"a plane through the path needs weights at three steps at least: here are {len(trail)}")
    gram = _gram(trail)
    centre = np.eye(len(gram)) - 1 / len(gram)
    variances, vectors = np.linalg.eigh(centre @ gram @ centre)
    variances, vectors = variances[::-1].clip(min=0), vectors[:, ::-1]
    if variances[1] <= 1e-12 * max(1.0, variances.sum()):
        raise PlaygroundError("the weights moved along a line, or not at all: there is no plane through their path")
    # the direction Σ c_i (θ_i − mean) of unit length; the centring matrix takes the mean away
    mixing = centre @ vectors[:, :2] / np.sqrt(variances[:2])
    places = gram @ mixing
    signs = np.array([np.sign(-places[0, 0]) or 1.0, np.sign(places[len(places) // 2, 1]) or 1.0])
    mixing, places = mixing * signs, places * signs
    u, v = _mixed(trail, mixing)
    beside = np.sqrt((np.diag(gram) - (places**2).sum(1)).clip(min=0))
    total = variances.sum()
    shares = float(variances[0] / total), float(variances[1] / total)
    return Plane(trail.at(-1), u, v, places, beside, np.sqrt(np.diag(gram)), shares)


def random_plane(trail: Trail, transposed: Collection[str], seed: int) -> Plane:
    """The plane of two random directions, each filter as long as the model's own (`filter_normalised`), at the end.

    A unit of x or y changes every filter by its own length. The places are projected by least squares.
    """
    generator = torch.Generator().manual_seed(seed)
    origin, directions = trail.at(-1), []
    for _ in range(2):
        parts, first = [], 0
        for name, parameter in trail.parameters.items():
            values = origin[first : first + parameter.numel()].view(parameter.shape)
            noise = torch.randn(parameter.shape, generator=generator)
            parts.append(filter_normalised(noise, values, name in transposed).flatten())
            first += parameter.numel()
        directions.append(torch.cat(parts))
    both = torch.stack(directions).double()
    gram = _gram(trail)
    inner = _inner(trail, both)  # [places, 2]
    places = np.linalg.solve((both @ both.T).numpy(), inner.T).T
    lengths = (places * inner).sum(1)
    orthogonal = np.linalg.qr((both / both.norm(dim=1, keepdim=True)).T.numpy())[0]
    shares = _variance_shares(_inner(trail, torch.from_numpy(orthogonal.T)), gram)
    beside = np.sqrt((np.diag(gram) - lengths).clip(min=0))
    return Plane(origin, directions[0], directions[1], places, beside, np.sqrt(np.diag(gram)), shares)


def filter_normalised(noise: Tensor, weights: Tensor, transposed: bool = False) -> Tensor:
    """`noise` with each filter d_j scaled to ‖w_j‖: d_j ← d_j / ‖d_j‖ · ‖w_j‖. Biases and norms do not move.

    A filter is what makes one output: a row of a matrix [out, in] (an embedding's row is a token's vector), a column
    where transformers keeps it transposed as [in, out]. Source: Li et al. (2018), section 4; as in their code,
    parameters of one dimension get no direction.
    """
    if weights.ndim < 2:
        return torch.zeros_like(weights)
    along = 0 if transposed else 1
    return noise / noise.norm(dim=along, keepdim=True).clamp(min=1e-12) * weights.norm(dim=along, keepdim=True)


def transposed_weights(model: nn.Module) -> set[str]:
    """Names of the matrices that are kept as [in, out]: GPT-2's."""
    return {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, Conv1D)}


def _gram(trail: Trail) -> np.ndarray:
    """(θ_i − θ_end) · (θ_j − θ_end): [places, places]."""
    total = torch.zeros(len(trail), len(trail), dtype=torch.float64)
    for _, rows in trail.tensors():
        moved = (rows - rows[-1]).double()
        total += moved @ moved.T
    return total.numpy()


def _inner(trail: Trail, directions: Tensor) -> np.ndarray:
    """(θ_i − θ_end) · d_k: [places, directions]."""
    total, first = torch.zeros(len(trail), len(directions), dtype=torch.float64), 0
    for _, rows in trail.tensors():
        part = directions[:, first : first + rows.shape[1]].double()
        total += (rows - rows[-1]).double() @ part.T
        first += rows.shape[1]
    return total.numpy()


def _mixed(trail: Trail, mixing: np.ndarray) -> tuple[Tensor, Tensor]:
    """Σ_i c_ik (θ_i − θ_end), for both columns k of `mixing`: [weights] twice."""
    weights = torch.from_numpy(mixing.T.copy())
    parts = [(weights @ (rows - rows[-1]).double()).float() for _, rows in trail.tensors()]
    both = torch.cat(parts, dim=1)
    return both[0].contiguous(), both[1].contiguous()


def _variance_shares(inner: np.ndarray, gram: np.ndarray) -> tuple[float, float]:
    """The share of the places' variance along each of two orthonormal directions."""
    centre = np.eye(len(gram)) - 1 / len(gram)
    total = np.trace(centre @ gram @ centre)
    along = ((inner - inner.mean(0)) ** 2).sum(0)
    return float(along[0] / total), float(along[1] / total)

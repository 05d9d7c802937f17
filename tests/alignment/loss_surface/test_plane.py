"""The plane: PCA against scikit-learn, filters against the definition, the trail through adapters too."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from core.alignment.loss_surface.levels import filled_in, order_of
from core.alignment.loss_surface.loss_at import LossAt
from core.alignment.loss_surface.plane import filter_normalised, path_plane, random_plane, transposed_weights
from core.alignment.loss_surface.trail import Trail
from core.alignment.probe import Probe
from core.alignment.reward_model import new_reward_model, pairwise_loss, score
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.language import adapters
from core.language.snapshots import save_snapshot
from tests import tiny

CPU = torch.device("cpu")
PAIRS = [
    PreferencePair(f"Day {i}. The cat was", f" happy{'!' * (i % 4)}", " green and red" if i % 3 else " happy", i % 2)
    for i in range(37)
] + [PreferencePair("", "a", "b c"), PreferencePair("Once", "", " upon a time"), PreferencePair("The end", ".", "")]


def moved(model, seed, size):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += size * torch.randn(parameter.shape, generator=generator)


@pytest.fixture
def trail(tmp_path):
    """A model, and where it stood at the start and at four later steps that wander off."""
    model = new_reward_model(tiny.gpt2(), tiny.tokenizer())
    folders = []
    for step, size in enumerate((0.03, 0.02, 0.02, 0.01)):
        folders.append(tmp_path / str(step))
        moved(model, step % 3, size)
        save_snapshot(model, folders[-1])
    return Trail(new_reward_model(tiny.gpt2(), tiny.tokenizer()), folders, start=True)


def places(trail):
    return torch.stack([trail.at(place) for place in range(len(trail))]).double().numpy()


def test_the_path_plane_is_scikit_learns_pca_laid_through_the_end(trail):
    plane, weights = path_plane(trail), places(trail)
    pca = PCA(n_components=2, svd_solver="full").fit(weights)
    assert plane.shares == pytest.approx(tuple(pca.explained_variance_ratio_), abs=1e-6)
    for ours, theirs in zip((plane.u, plane.v), pca.components_, strict=True):
        assert abs(ours.double().numpy() @ theirs) == pytest.approx(1.0, abs=1e-5)
    moves = weights - weights[-1]
    both = torch.stack([plane.u, plane.v]).double().numpy()
    assert plane.places == pytest.approx(moves @ both.T, abs=1e-4)
    assert plane.places[-1] == pytest.approx([0, 0], abs=1e-9) and plane.beside[-1] == 0
    rest = np.linalg.norm(moves - plane.places @ both, axis=1)
    assert plane.beside == pytest.approx(rest, abs=1e-3)
    assert plane.far == pytest.approx(np.linalg.norm(moves, axis=1), rel=1e-5)
    assert plane.places[0, 0] < 0  # the path is read from left to right


def test_too_few_places_or_a_straight_line_make_no_plane(tmp_path):
    model = new_reward_model(tiny.gpt2(), tiny.tokenizer())
    save_snapshot(model, tmp_path / "a")
    with pytest.raises(PlaygroundError, match="three steps"):
        path_plane(Trail(model, [tmp_path / "a"], start=True))
    with pytest.raises(PlaygroundError, match="not at all"):
        path_plane(Trail(model, [tmp_path / "a"] * 3, start=False))


@pytest.mark.parametrize("transposed", [False, True])
def test_each_filter_of_a_random_direction_is_as_long_as_the_models(transposed):
    noise, weights = torch.randn(5, 7), torch.randn(5, 7) * torch.arange(1, 8)
    scaled = filter_normalised(noise, weights, transposed)
    filters = range(7) if transposed else range(5)
    for one in filters:
        at = (slice(None), one) if transposed else (one,)
        assert scaled[at].norm() == pytest.approx(weights[at].norm().item(), rel=1e-5)
        assert torch.cosine_similarity(scaled[at], noise[at], dim=0) == pytest.approx(1.0, abs=1e-5)
    assert (filter_normalised(torch.randn(4), torch.randn(4)) == 0).all()


def test_the_random_plane_is_seeded_filter_normalised_and_projects_by_least_squares(trail):
    model = new_reward_model(tiny.gpt2(), tiny.tokenizer())
    names = transposed_weights(model)
    assert "transformer.h.0.attn.c_attn.weight" in names and "transformer.wte.weight" not in names
    plane, again = random_plane(trail, names, 3), random_plane(trail, names, 3)
    assert torch.equal(plane.u, again.u) and not torch.equal(plane.u, random_plane(trail, names, 4).u)
    first = 0
    for name, parameter in trail.parameters.items():
        part = plane.u[first : first + parameter.numel()].view(parameter.shape)
        weights = plane.origin[first : first + parameter.numel()].view(parameter.shape)
        first += parameter.numel()
        if parameter.ndim < 2:
            assert (part == 0).all()
        else:
            along = 0 if name in names else 1
            assert torch.allclose(part.norm(dim=along), weights.norm(dim=along), rtol=1e-4)
    both = torch.stack([plane.u, plane.v]).double().numpy()
    moves = places(trail) - places(trail)[-1]
    expected = np.linalg.lstsq(both.T, moves.T, rcond=None)[0].T
    assert plane.places == pytest.approx(expected, abs=1e-6)
    assert plane.beside == pytest.approx(np.linalg.norm(moves - expected @ both, axis=1), abs=1e-4)
    assert 0 < sum(plane.shares) < 0.05
    orthonormal = np.linalg.qr(both.T)[0]
    centred = moves - moves.mean(0)
    assert sum(plane.shares) == pytest.approx(((centred @ orthonormal) ** 2).sum() / (centred**2).sum(), rel=1e-5)


def long_way(model):
    """The training loss through transformers, a text at a time."""
    prompts, tokenizer = [pair.prompt for pair in PAIRS], tiny.tokenizer()
    chosen = score(model, tokenizer, prompts, [pair.chosen for pair in PAIRS], batch_size=1)
    rejected = score(model, tokenizer, prompts, [pair.rejected for pair in PAIRS], batch_size=1)
    return pairwise_loss(chosen, rejected, torch.tensor([float(pair.margin or 0) for pair in PAIRS])).item()


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_the_loss_at_any_weights_is_the_models_own(family, tmp_path):
    tokenizer = tiny.tokenizer()
    model = new_reward_model(tiny.FAMILIES[family](), tokenizer)
    other = new_reward_model(tiny.FAMILIES[family](seed=4), tokenizer)
    moved(other, 1, 0.05)
    loss_at = LossAt(model, tokenizer, PAIRS, 64)
    weights = torch.cat([p.detach().flatten() for p in other.parameters() if p.requires_grad])
    assert loss_at(weights) == pytest.approx(long_way(other), abs=1e-5)
    u, v = torch.randn_like(weights), torch.randn_like(weights)
    with torch.no_grad():
        first = 0
        for parameter in other.parameters():
            if not parameter.requires_grad:
                continue
            part = slice(first, first + parameter.numel())
            parameter += (0.02 * u[part] - 0.01 * v[part]).view(parameter.shape)
            first += parameter.numel()
    assert loss_at.on_plane(weights, u, v, 0.02, -0.01) == pytest.approx(long_way(other), abs=1e-4)


def test_adapters_alone_are_walked_where_a_model_has_them(tmp_path, monkeypatch):
    monkeypatch.setattr(adapters, "LORA_FROM", 1)
    tokenizer = tiny.tokenizer()

    def fresh():
        torch.manual_seed(0)
        return adapters.with_adapters(new_reward_model(tiny.llama(), tokenizer), 2, "SEQ_CLS", 0)

    model, recorded, probe = fresh(), [], Probe(tokenizer, PAIRS, 64, CPU)
    for step in range(3):
        moved(model, step, 0.3)
        save_snapshot(model, tmp_path / str(step))
        recorded.append(probe.loss(model))
    trail = Trail(fresh(), [tmp_path / str(step) for step in range(3)], start=False)
    assert len(path_plane(trail).origin) == sum(p.numel() for p in model.parameters() if p.requires_grad)
    loss_at = LossAt(fresh(), tokenizer, PAIRS, 64)
    assert [loss_at(trail.at(place)) for place in range(3)] == pytest.approx(recorded, abs=1e-6)


def test_weights_of_another_model_or_none_are_refused(tmp_path):
    save_snapshot(new_reward_model(tiny.llama(), tiny.tokenizer()), tmp_path / "llama")
    model = new_reward_model(tiny.gpt2(), tiny.tokenizer())
    with pytest.raises(PlaygroundError, match="another model"):
        Trail(model, [tmp_path / "llama"], start=True)
    with pytest.raises(PlaygroundError, match="cannot be opened"):
        Trail(model, [tmp_path / "nothing"], start=True)


@pytest.mark.parametrize("points", [7, 13, 25, 49])
def test_a_grid_is_measured_coarse_to_fine_and_each_point_once(points):
    order = order_of(points)
    assert sorted(order) == list(itertools.product(range(points), repeat=2))
    stride = (points - 1) // 6
    assert all(row % stride == 0 and column % stride == 0 for row, column in order[:49])
    if points == 25:
        assert all(row % 2 == 0 and column % 2 == 0 for row, column in order[:169])


@pytest.mark.parametrize("points", [1, 8, 19, 24])
def test_a_grid_that_cannot_be_halved_is_refused(points):
    with pytest.raises(ValueError, match="halved"):
        order_of(points)


def test_what_is_not_measured_borrows_from_the_nearest_coarser_point():
    values = np.full((13, 13), np.nan)
    for row, column in order_of(13)[:49]:
        values[row, column] = 100 * row + column
    filled = filled_in(values)
    assert not np.isnan(filled).any()
    for row, column in itertools.product(range(13), repeat=2):
        r, c = divmod(filled[row, column], 100)
        assert abs(r - row) <= 1 and abs(c - column) <= 1
    values[3, 4] = -1.0
    assert filled_in(values)[3, 4] == -1.0
    assert np.isnan(filled_in(np.full((13, 13), np.nan))).all()

"""Two weights: loss, minimum, curvature and walks against autograd, scikit-learn, scipy and torch.optim."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from sklearn.linear_model import LogisticRegression

from core.alignment.loss_surface import linear_reward as linear
from core.alignment.loss_surface.cases import CASES, votes_of
from core.alignment.loss_surface.descent import adam, gradient_descent, momentum
from core.alignment.loss_surface.features import differences, features
from core.alignment.loss_surface.reading import fate_of
from core.alignment.loss_surface.separability import shape_of
from core.alignment.reward_model import pairwise_loss
from core.errors import PlaygroundError
from core.feedback.annotators import get_annotator
from core.feedback.pairs import PreferencePair
from core.feedback.sources import load_preferences


@pytest.fixture(scope="module")
def votes():
    return differences(load_preferences("bundled:sunny"), ("valence", "length"))


def torch_loss(weights, d, l2):
    return pairwise_loss(torch.from_numpy(d) @ weights, torch.zeros(len(d))) + 0.5 * l2 * (weights**2).sum()


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_loss_gradient_and_curvature_are_autograds(votes, l2):
    at = np.array([0.7, -1.3])
    weights = torch.tensor(at, requires_grad=True)
    loss = torch_loss(weights, votes, l2)
    (slope,) = torch.autograd.grad(loss, weights)
    curvature = torch.autograd.functional.hessian(lambda w: torch_loss(w, votes, l2), torch.tensor(at))
    assert linear.loss(at, votes, l2) == pytest.approx(loss.item(), abs=1e-12)
    assert linear.gradient(at, votes, l2) == pytest.approx(slope.numpy(), abs=1e-12)
    assert linear.hessian(at, votes, l2) == pytest.approx(curvature.numpy(), abs=1e-12)
    xs, ys = np.linspace(-2, 2, 5), np.linspace(-1, 1, 3)
    assert linear.surface(xs, ys, votes, l2)[2, 1] == pytest.approx(linear.loss(np.array([-1.0, 1.0]), votes, l2))


def sklearn_minimum(d, l2):
    """Each vote as its own difference and as the opposite one, so that both classes are there."""
    model = LogisticRegression(
        fit_intercept=False, C=1 / (2 * len(d) * l2) if l2 else np.inf, tol=1e-10, solver="newton-cholesky"
    )
    model.fit(np.concatenate([d, -d]), [1] * len(d) + [0] * len(d))
    return model.coef_[0]


@pytest.mark.parametrize("names", [("valence", "length"), ("dialogue", "questions"), ("animals", "exclamations")])
@pytest.mark.parametrize(
    ("case", "l2"), [("as voted", 0.0), ("as voted", 0.05), ("some reversed", 0.0), ("agreeing alone", 0.01)]
)
def test_the_minimum_is_scikit_learns(names, case, l2):
    d = votes_of(differences(load_preferences("bundled:sunny"), names), case)
    assert linear.minimum(d, l2) == pytest.approx(sklearn_minimum(d, l2), abs=2e-5)


def test_features_are_what_the_annotators_measure_in_their_own_unit():
    pairs = load_preferences("bundled:sunny")[:40]
    d = differences(pairs, ("valence", "length"))
    sunny = get_annotator("sunny")
    values = np.array([[sunny.utility(p.prompt, text) for text in (p.chosen, p.rejected)] for p in pairs])
    assert d[:, 0] == pytest.approx((values[:, 0] - values[:, 1]) / values.std())
    assert features()["length"].read("", "One day, it's here") == 4
    with pytest.raises(PlaygroundError, match="exclamations"):
        differences([PreferencePair("a", "b", "c")], ("exclamations",))


def test_a_rate_below_two_over_the_curvature_settles_and_one_above_never_does(votes):
    bottom = linear.minimum(votes)
    limit = linear.largest_stable_rate(linear.hessian(bottom, votes))
    heavy = linear.largest_stable_rate(linear.hessian(bottom, votes), 0.9)
    assert heavy == pytest.approx(1.9 * limit)

    def distances(walk, rate):
        return np.linalg.norm(walk(lambda w: linear.gradient(w, votes), bottom + 1e-4, rate, 400) - bottom, axis=1)

    for walk, edge in ((gradient_descent, limit), (momentum, heavy)):
        assert distances(walk, 0.97 * edge)[-1] < 0.3 * 1e-4
        assert distances(walk, 1.03 * edge)[-50:].min() > 3e-4
    # from afar as well: below the limit it settles, above it jumps to and fro
    for rate, fate in ((0.5 * limit, "settled"), (1.15 * limit, "bouncing")):
        points = gradient_descent(lambda w: linear.gradient(w, votes), np.array([-1.0, 1.2]), rate, 80)
        assert fate_of(points, bottom, 3.0) == fate


@pytest.mark.parametrize(
    ("walk", "optimizer"),
    [
        (gradient_descent, lambda w: torch.optim.SGD([w], lr=0.3)),
        (momentum, lambda w: torch.optim.SGD([w], lr=0.3, momentum=0.9)),
        (adam, lambda w: torch.optim.Adam([w], lr=0.3)),
    ],
)
def test_the_walks_are_torchs(votes, walk, optimizer):
    weights = torch.tensor([-1.0, 2.0], dtype=torch.float64, requires_grad=True)
    stepper = optimizer(weights)
    for point in walk(lambda w: linear.gradient(w, votes, 0.01), np.array([-1.0, 2.0]), 0.3, 30):
        assert point == pytest.approx(weights.detach().numpy(), abs=1e-9)
        stepper.zero_grad()
        torch_loss(weights, votes, 0.01).backward()
        stepper.step()


def test_a_walk_that_runs_away_ends():
    points = gradient_descent(lambda w: 10 * w, np.ones(2), 1.0, 500)
    assert len(points) < 20 and np.isfinite(points).all()
    assert fate_of(points, np.zeros(2), 1.0) == "gone"


def open_by_linear_programming(d) -> bool:
    """Whether some w has d·w ≥ 0 for every vote, and more for at least one."""
    done = linprog(np.zeros(2), A_ub=np.vstack([-d, -d.sum(0)]), b_ub=[0.0] * len(d) + [-1.0], bounds=(None, None))
    return done.status == 0


def test_separability_is_what_linear_programming_says():
    rng = np.random.default_rng(0)
    kinds = set()
    for trial in range(300):
        count = int(rng.integers(1, 9))
        d = rng.integers(-2, 3, size=(count, 2)).astype(float)  # small whole numbers: ties, zeros, exact opposites
        shape = shape_of(d)
        kinds.add(shape.kind)
        assert (shape.kind == "open") == open_by_linear_programming(d), (trial, d)
        if shape.kind == "open":
            along = d @ shape.direction
            assert along.min() > -1e-12 and along.max() > 0
            assert shape.strict == bool((along[np.any(d != 0, axis=1)] > 1e-9).all())
        elif shape.kind == "gutter":
            assert np.abs(d @ shape.direction).max() < 1e-12
    assert kinds == {"bowl", "open", "gutter", "level"}


def test_a_gap_of_half_a_turn_is_told_from_one_a_bit_short_of_it():
    upper = [(1.0, 0.0), (0.3, 0.7)]
    below = np.nextafter(0.0, -1.0)
    assert shape_of(np.array([*upper, (-1.0, 0.0)])).kind == "open"
    assert shape_of(np.array([*upper, (-1.0, 0.0)])).strict is False
    assert shape_of(np.array([*upper, (-1.0, below)])).kind == "bowl"
    near = 1 + 2**-52
    assert shape_of(np.array([(1.0, near), (-1.0, -1.0), (0.0, 1.0)])).kind == "open"
    assert shape_of(np.array([(1.0, near), (-1.0, -1.0), (1.0, 0.0)])).kind == "bowl"


def test_the_cases_are_what_they_say(votes):
    kinds = {case: shape_of(votes_of(votes, case)).kind for case in CASES}
    assert kinds == {"as voted": "bowl", "agreeing alone": "open", "some reversed": "bowl"}
    agreeing = votes_of(votes, "agreeing alone")
    assert len(agreeing) < len(votes) and (agreeing @ linear.minimum(votes) > 0).all()
    reversed_ = votes_of(votes, "some reversed")
    assert (np.any(reversed_ != votes, axis=1).sum() <= len(votes) // 4) and (reversed_[3] == -votes[3]).all()
    # an open surface has no minimum to find, and a contradiction or a penalty makes one
    with pytest.raises(ValueError, match="no single minimum"):
        linear.minimum(agreeing)
    direction = shape_of(agreeing).direction
    assert np.all(np.diff(linear.loss(direction * np.array([[1.0], [10.0], [100.0]]), agreeing)) < 0)
    contradicted = np.vstack([agreeing, -agreeing[:1]])
    assert shape_of(contradicted).kind == "bowl" and np.isfinite(linear.minimum(contradicted)).all()
    sizes = [np.linalg.norm(linear.minimum(agreeing, l2)) for l2 in (0.001, 0.01, 0.1)]
    assert sizes[0] > sizes[1] > sizes[2]


def test_votes_that_are_separable_from_the_start_are_left_as_they_are():
    d = np.array([[1.0, 0.2], [0.5, -0.1]])
    assert (votes_of(d, "agreeing alone") == d).all()


def test_two_votes_that_say_the_opposite_leave_nobody_agreeing_and_stay():
    d = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert (votes_of(d, "agreeing alone") == d).all()

"""Gradients through time against finite differences, PyTorch's own layers, closed forms and autograd's Jacobians."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from core.anatomy import recurrence
from core.anatomy.flow_config import FlowConfig
from core.anatomy.flow_reading import (
    band,
    clipped,
    pace,
    read_flow,
    share_in_cell,
    through_eigenvalue,
    through_forget_gate,
    verdict_of,
)
from core.anatomy.gradient_flow import gradient_flow
from core.anatomy.jacobians import attention_jacobians, jacobian_product, step_jacobians
from core.anatomy.race_config import KINDS
from core.anatomy.recurrence import (
    CELLS,
    driven_by,
    initial_weights,
    loss_at_the_end,
    question,
    scaled_to,
    spectral_radius,
    states_of,
    transformer_layer,
)
from core.anatomy.recurrence_views import flow_view, jacobian_view
from core.gallery import load_entry

SMALL = FlowConfig(width=8, length=12, seeds=2)
RECURRENT = ("rnn", "lstm", "gru")


def loss_from(kind, weights, driven, states, answer, t):
    """L_T of one seed when the state behind token t (from 1) is `states`: the rest of the sequence is run again."""
    for place in range(t, driven.shape[1]):
        drive = driven[:, place : place + 1]
        states = CELLS[kind](weights, drive, states)
    return loss_at_the_end(kind, weights, states[:, 0], answer)


@pytest.mark.parametrize("kind", RECURRENT)
def test_gradients_are_those_of_finite_differences(kind):
    weights, asked = initial_weights(kind, SMALL), question(SMALL)
    driven = driven_by(weights, asked.x)
    states = states_of(kind, weights, asked.x)
    norms = gradient_flow(kind, SMALL).state_norms
    for t in (1, 6, 12):
        state, slopes = states[t - 1], []
        for i in range(state.shape[-1]):
            moved = torch.zeros_like(state)
            moved[..., i] = 1e-6
            up, down = (loss_from(kind, weights, driven, state + way * moved, asked.answer, t) for way in (1, -1))
            slopes.append((up - down) / 2e-6)
        torch.testing.assert_close(torch.stack(slopes).norm(dim=0), norms[:, 12 - t], rtol=1e-6, atol=1e-9)


def test_the_transformers_gradients_are_those_of_finite_differences():
    weights, asked = initial_weights("transformer", SMALL), question(SMALL)
    h = asked.x + weights["positions"]
    norms = gradient_flow("transformer", SMALL).state_norms
    for t in (1, 6, 12):
        slopes = []
        for i in range(8):
            moved = torch.zeros_like(h)
            moved[:, t - 1, i] = 1e-6
            up, down = (
                loss_at_the_end(
                    "transformer", weights, transformer_layer(weights, h + way * moved)[:, -1], asked.answer
                )
                for way in (1, -1)
            )
            slopes.append((up - down) / 2e-6)
        torch.testing.assert_close(torch.stack(slopes).norm(dim=0), norms[:, 12 - t], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("kind", "layer"), [("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU)])
def test_cells_are_pytorchs(kind, layer):
    weights, x = initial_weights(kind, SMALL), question(SMALL).x
    theirs = layer(8, 8, batch_first=True).double()
    with torch.no_grad():
        for name, value in (("weight_hh_l0", "W_h"), ("weight_ih_l0", "W_x"), ("bias_ih_l0", "b")):
            theirs.get_parameter(name).copy_(weights[value][1].T.squeeze())
        theirs.bias_hh_l0.zero_()
        expected = theirs(x[1:])[0][0]
    ours = torch.stack([state[1, 0, :8] for state in states_of(kind, weights, x)])
    torch.testing.assert_close(ours, expected)


def test_attention_is_causal_and_written_out():
    weights, x = initial_weights("transformer", SMALL), question(SMALL).x
    changed = x.clone()
    changed[:, 7:] += 1
    torch.testing.assert_close(transformer_layer(weights, x)[:, :7], transformer_layer(weights, changed)[:, :7])
    normed = nn.functional.layer_norm(x, (8,))
    q, k, v = (normed[0] @ weights["W_qkv"][0]).split(8, -1)
    mixed = []
    for head in range(4):
        part = slice(2 * head, 2 * head + 2)
        scores = q[:, part] @ k[:, part].T / math.sqrt(2)
        scores = scores.masked_fill(torch.ones(12, 12).triu(1).bool(), -torch.inf)
        mixed.append(scores.softmax(-1) @ v[:, part])
    y = x[0] + torch.cat(mixed, -1) @ weights["W_o"][0]
    up = nn.functional.gelu(nn.functional.layer_norm(y, (8,)) @ weights["W_up"][0])
    torch.testing.assert_close(transformer_layer(weights, x)[0], y + up @ weights["W_down"][0])


@pytest.mark.parametrize("radius", [0.5, 0.8, 1.0, 1.5])
@pytest.mark.parametrize("recurrent", ["orthogonal", "gaussian"])
def test_the_spectral_radius_is_exact(radius, recurrent):
    config = FlowConfig(spectral_radius=radius, recurrent=recurrent, seeds=3)
    W_h = initial_weights("rnn", config)["W_h"]
    for matrix in W_h.numpy():  # numpy's eigenvalues, not ours
        assert abs(np.linalg.eigvals(matrix)).max() == pytest.approx(radius, rel=1e-12)
    assert spectral_radius(scaled_to(W_h, 0.25)).tolist() == pytest.approx([0.25] * 3)


def test_a_linear_recurrence_loses_exactly_the_radius_a_step():
    """Without input the state stays at zero, tanh is the identity there, and a rotation times ρ leaves ρⁿ."""
    config = FlowConfig(input_gain=0.0, spectral_radius=0.9, length=60)
    norms = gradient_flow("rnn", config).state_norms
    for n in (10, 50):
        expected = (norms[:, 0] * through_eigenvalue(0.9, n)).tolist()
        assert norms[:, n].tolist() == pytest.approx(expected, rel=1e-9)


def test_a_forget_gate_alone_loses_exactly_its_sigmoid_a_step(monkeypatch):
    """With all matrices at zero the cell is multiplied by σ(b), and by nothing else."""
    plain = recurrence.initial_weights

    def silent(kind, config):
        return {name: w * 0 if name in ("W_h", "W_x") else w for name, w in plain(kind, config).items()}

    monkeypatch.setattr("core.anatomy.gradient_flow.initial_weights", silent)
    norms = gradient_flow("lstm", FlowConfig(forget_bias=2.0, length=60)).state_norms
    expected = (norms[:, 1] * through_forget_gate(2.0, 40)).tolist()
    assert norms[:, 41].tolist() == pytest.approx(expected, rel=1e-9)


def test_without_feedback_an_lstm_keeps_the_product_of_its_forget_gates():
    """∂L/∂c_{T−n} = ∂L/∂c_T ⊙ ∏ f_k, with the gates that the tokens alone make."""
    config = FlowConfig(length=40, forget_bias=1.0)
    norms = gradient_flow("lstm", config, feedback=False).state_norms
    gates = driven_by(initial_weights("lstm", config), question(config).x)
    i, f, g, o = gates.chunk(4, -1)
    f = f.sigmoid()
    cell, cells = torch.zeros_like(f[:, 0]), []
    for t in range(config.length):
        cell = f[:, t] * cell + i[:, t].sigmoid() * g[:, t].tanh()
        cells.append(cell)
    last = cells[-1].requires_grad_()
    hidden = o[:, -1].sigmoid() * last.tanh()
    losses = loss_at_the_end("lstm", initial_weights("lstm", config), hidden, question(config).answer)
    (of_cell,) = torch.autograd.grad(losses.sum(), last)
    for n in (1, 10, 39):
        expected = (of_cell * f[:, config.length - n :].prod(1)).norm(dim=-1)
        torch.testing.assert_close(norms[:, n], expected, rtol=1e-9, atol=0)


def test_vanishing_and_exploding_are_measured():
    readings = {
        radius: read_flow(band(gradient_flow("rnn", FlowConfig(spectral_radius=radius)).state_norms.numpy()).mean)
        for radius in (0.5, 0.8, 1.5)
    }
    assert [one.verdict for one in readings.values()] == ["vanishes", "vanishes", "explodes"]
    assert readings[0.5].at[50] < 1e-14 < readings[0.8].at[50] < 1e-4 < 1 < readings[1.5].at[50]
    attention = read_flow(band(gradient_flow("transformer", FlowConfig()).state_norms.numpy()).mean)
    assert attention.verdict == "holds" and 0.3 < attention.at[200] / attention.at[10] < 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_does_not_depend_on_how_many_there_are(kind):
    one = gradient_flow(kind, SMALL.model_copy(update={"seeds": 1}))
    two = gradient_flow(kind, SMALL)
    torch.testing.assert_close(one.state_norms[0], two.state_norms[0])
    assert not torch.allclose(two.state_norms[0], two.state_norms[1])


@pytest.mark.parametrize("kind", KINDS)
def test_the_weights_norm_is_what_pytorch_clips_by(kind):
    config = SMALL.model_copy(update={"seeds": 1, "spectral_radius": 1.5})
    flow = gradient_flow(kind, config)
    weights = {name: nn.Parameter(weight) for name, weight in initial_weights(kind, config).items()}
    asked = question(config)
    if kind == "transformer":
        last = transformer_layer(weights, asked.x + weights["positions"])[:, -1]
    else:
        last = states_of(kind, weights, asked.x)[-1][:, 0]
    loss_at_the_end(kind, weights, last, asked.answer).sum().backward()
    assert flow.weight_norms.tolist() == pytest.approx([nn.utils.clip_grad_norm_(weights.values(), 0.5).item()])
    after = math.sqrt(sum(float(weight.grad.square().sum()) for weight in weights.values()))
    (factor,) = clipped(flow.weight_norms.tolist(), 0.5)
    assert flow.weight_norms.item() * factor == pytest.approx(after, rel=1e-4)


def test_clipping_bounds_the_norm_and_leaves_the_slope():
    flow = gradient_flow("rnn", FlowConfig(spectral_radius=1.5, length=100))
    factors = clipped(flow.weight_norms.tolist(), 1.0)
    before, after = band(flow.state_norms.numpy()), band(flow.state_norms.numpy(), factors)
    assert max(factors) < 1e-1
    np.testing.assert_allclose(before.mean / before.mean[0], after.mean / after.mean[0])
    assert clipped([0.5, 4.0], 1.0) == [1.0, 0.25]


def test_what_is_exactly_zero_or_too_large_is_counted():
    one = band(np.array([[1.0, 1e-300, 0.0], [1.0, 1e-310, np.inf]]))
    assert (one.zeros, one.overflows) == (1, 1)
    assert one.mean[1] == pytest.approx(1e-305, rel=1e-3)
    assert not 0 < one.mean[2] < np.inf or one.mean[2] == 0
    flow = gradient_flow("rnn", FlowConfig(spectral_radius=0.0, length=10))
    assert band(flow.state_norms.numpy()).zeros == 5 * 9


def test_pace_and_verdict():
    assert pace([1.0, 0.5, 0.25], 0, 2) == pytest.approx(0.5)
    assert pace([0.0, 0.0], 0, 1) == 0.0 and pace([1.0], 0, 0) == 1.0
    assert [verdict_of(x) for x in (0.9, 0.99, 1.01, 1.1)] == ["vanishes", "holds", "holds", "explodes"]
    reading = read_flow([0.5**n for n in range(60)])
    assert reading.at == {10: 0.5**10, 50: 0.5**50} and reading.shares[10] == 0.5**10


@pytest.mark.parametrize("kind", RECURRENT)
def test_the_product_of_jacobians_is_autograds(kind):
    config = FlowConfig(width=8, length=20, seeds=1, spectral_radius=1.2)
    weights, x = initial_weights(kind, config), question(config).x
    driven, states = driven_by(weights, x), states_of(kind, weights, x)
    product = jacobian_product(kind, config, 20)
    for n in (1, 7, 15):

        def last(state, n=n):
            for drive in driven[:, 20 - n :].split(1, dim=1):
                state = CELLS[kind](weights, drive, state)
            return state[0, 0]

        expected = torch.autograd.functional.jacobian(last, states[19 - n])[:, 0, 0]
        torch.testing.assert_close(product.products[n - 1], expected)
        theirs = np.linalg.svd(expected.numpy(), compute_uv=False)
        ours = product.singular_values[n - 1]
        np.testing.assert_allclose(ours[~ours.isnan()], theirs[: int((~ours.isnan()).sum())], rtol=1e-3)
    # and the chain from the loss: what is left of its gradient is the last one through the product
    torch.testing.assert_close(
        torch.autograd.functional.jacobian(lambda s: loss_at_the_end(kind, weights, s[:, 0], x.new_zeros(1).long()), states[-1])[
            0, 0, 0
        ]
        @ product.products[6],
        torch.autograd.functional.jacobian(
            lambda s: loss_from(kind, weights, driven, s, x.new_zeros(1).long(), 13), states[12]
        )[0, 0, 0],
    )  # fmt: skip


def test_the_rnns_jacobian_in_closed_form():
    """J_t = diag(1 − h_t²) · W_hᵀ, W_h [in, out] as the cell has it."""
    config = FlowConfig(width=8, length=10, seeds=1)
    weights, x = initial_weights("rnn", config), question(config).x
    steps, states = step_jacobians("rnn", weights, x), states_of("rnn", weights, x)
    for step, state in zip(steps, states, strict=True):
        torch.testing.assert_close(step, (1 - state[0, 0] ** 2)[:, None] * weights["W_h"][0].T)


def test_what_float64_cannot_tell_from_rounding_is_left_out():
    product = jacobian_product("lstm", FlowConfig(width=8, length=60, seeds=1), 60)
    values = product.singular_values
    assert values[40].isnan().any()  # the hidden half
    assert (values[~values.isnan()] > 0).all() and not values[:, 0].isnan().any()


def test_attention_has_one_factor_and_it_is_the_gradients():
    config = FlowConfig(width=8, length=12, seeds=1)
    weights, asked = initial_weights("transformer", config), question(config)
    y = transformer_layer(weights, asked.x + weights["positions"])[:, -1]
    slope = torch.autograd.functional.jacobian(
        lambda last: loss_at_the_end("transformer", weights, last, asked.answer)[0], y
    )
    norms = (slope[0] @ attention_jacobians(config)).norm(dim=-1)
    torch.testing.assert_close(norms, gradient_flow("transformer", config).state_norms[0])


def test_who_multiplies_nothing_is_refused():
    with pytest.raises(ValueError, match="no product"):
        jacobian_product("transformer", SMALL, 3)
    with pytest.raises(ValueError, match="as many tokens"):
        jacobian_product("rnn", SMALL, 13)


def test_only_what_a_network_looks_at_is_relevant():
    turned = FlowConfig(spectral_radius=1.3, forget_bias=0.0)
    assert turned.relevant("rnn") == FlowConfig(spectral_radius=1.3)
    assert turned.relevant("lstm") == FlowConfig(forget_bias=0.0)
    assert turned.relevant("gru") == turned.relevant("transformer") == FlowConfig()
    for kind in KINDS:
        changed, plain = gradient_flow(kind, turned), gradient_flow(kind, turned.relevant(kind))
        assert torch.equal(changed.state_norms, plain.state_norms)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gallery_is_what_is_computed_now(kind):
    entry = load_entry("why_transformers")
    fresh = flow_view(kind, FlowConfig(**entry["key"]))
    assert entry["key"] == FlowConfig().model_dump()
    for name, values in fresh.items():
        np.testing.assert_allclose(np.asarray(entry["data"][kind][name]), values, rtol=1e-4)


def test_the_gallerys_jacobians_are_what_is_computed_now():
    entry = load_entry("why_transformers_jacobians")
    key = dict(entry["key"])
    fresh = jacobian_view(key.pop("kind"), FlowConfig(**key))
    np.testing.assert_allclose(np.asarray(entry["data"]["values"], float), fresh["values"], rtol=1e-4)
    np.testing.assert_allclose(np.asarray(entry["data"]["attention"], float), fresh["attention"], rtol=1e-4)


def test_a_gradient_that_is_nowhere_is_read_as_nothing():
    reading = read_flow([0.0] * 60)
    assert reading.verdict == "vanishes" and set(reading.shares.values()) == {0.0}


def test_the_share_of_the_cell_is_the_best_directions_own():
    """Hidden vector first, the cell behind it: a product that passes one place of either alone."""
    hidden, cell = np.zeros((4, 4)), np.zeros((4, 4))
    hidden[2, 1] = cell[0, 3] = 2.0
    assert share_in_cell(hidden) == 0.0 and share_in_cell(cell) == 1.0
    assert share_in_cell(np.outer(np.ones(4), [3.0, 0.0, 4.0, 0.0])) == pytest.approx(16 / 25)

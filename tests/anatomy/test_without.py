"""Parts taken out: gradients against finite differences, and the whole model where nothing is out."""

import pytest
import torch
import torch.nn.functional as F

from core.anatomy.block import Switches, embed, trace_block
from core.anatomy.parts import layers, logits_of
from core.anatomy.without import backward_through
from core.errors import PlaygroundError
from tests.tiny import OPENED, gpt2

IDS = [5, 9, 77, 300, 9, 12]
SWITCHES = [Switches(), Switches(residuals_off_from=1), Switches(norms_off_from=0), Switches(0, 1)]


@pytest.mark.parametrize("family", OPENED)
def test_with_everything_in_place_it_is_the_models_own_loss_and_gradient(family):
    model = OPENED[family]()
    found = backward_through(model, IDS)
    ids = torch.tensor([IDS])
    output = model(ids, labels=ids, output_hidden_states=True)
    states = output.hidden_states[:-1]  # the last of them is behind the final norm
    gradients = torch.autograd.grad(output.loss, states)
    assert found.loss == pytest.approx(float(output.loss.detach()), rel=1e-5)
    for layer, gradient in enumerate(gradients):
        assert float(found.gradients[layer]) == pytest.approx(float(gradient.norm()), rel=1e-4)
        assert float(found.states[layer]) == pytest.approx(float(states[layer].detach().norm()), rel=1e-5)
    torch.testing.assert_close(found.logits, output.logits[0, -1].detach(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", OPENED)
@pytest.mark.parametrize("switches", SWITCHES)
def test_the_gradient_is_the_slope_of_the_loss(family, switches):
    """Along the gradient itself the loss rises by its length: (L(h + εg) − L(h − εg)) / 2ε‖g‖ = ‖g‖.

    In double, but for Llama's final norm, which rounds to float32 by itself: hence the long step.
    """
    model = OPENED[family]().double()
    found = backward_through(model, IDS, switches)
    stream, places = embed(model, IDS)
    for start in range(len(layers(model))):
        with torch.enable_grad():
            h = stream.detach().requires_grad_()
            (g,) = torch.autograd.grad(loss_from(model, start, h, places, switches), h)
        step = 1e-3 * g / g.norm()
        with torch.no_grad():
            up, down = (loss_from(model, start, h + s, places, switches) for s in (step, -step))
        assert float((up - down) / 2e-3) == pytest.approx(float(found.gradients[start]), rel=2e-3)
        stream = trace_block(model, start, stream, places, switches).leaving.detach()


def loss_from(model, start, h, places, switches):
    for block in layers(model)[start:]:
        h = trace_block(model, block.index, h, places, switches).leaving
    return F.cross_entropy(logits_of(model, h)[:-1], torch.tensor(IDS[1:]))


def test_the_shared_model_is_left_as_it_was():
    model = gpt2()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    backward_through(model, IDS, Switches(0, 0))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_one_token_has_no_loss():
    with pytest.raises(PlaygroundError, match="at least two"):
        backward_through(gpt2(), [5])

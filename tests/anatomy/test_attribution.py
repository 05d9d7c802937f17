"""The parts of a logit sum to the model's own logit, and each is what it says."""

import pytest
import torch

from core.anatomy.attribution import attribute_logit
from core.anatomy.parts import captured, final_norm, layers
from core.errors import PlaygroundError
from core.language.registry import load_policy
from tests.tiny import OPENED, gpt2

IDS = [5, 9, 77, 300, 9, 12]


@pytest.fixture(params=[*OPENED, "storyteller"])
def model(request):
    if request.param == "storyteller":
        return load_policy("storyteller")[0]
    model = OPENED[request.param]()
    with torch.no_grad():  # norms and biases as training leaves them, not as they begin
        for name, parameter in model.named_parameters():
            if "norm" in name or "ln_" in name or name.endswith("bias"):
                parameter.add_(torch.randn(parameter.shape) * 0.1)
    return model


@pytest.mark.parametrize("length", [1, 6])
def test_the_parts_sum_to_the_models_logit(model, length):
    logits = model(torch.tensor([IDS[:length]])).logits[0, -1].detach()
    for token in (300, int(logits.argmax())):
        found = attribute_logit(model, IDS[:length], token)
        assert found.logit == pytest.approx(float(logits[token]), rel=1e-4, abs=1e-4)
        assert found.total == pytest.approx(float(logits[token]), rel=1e-4, abs=1e-3)


def test_a_difference_of_two_logits(model):
    one, other = attribute_logit(model, IDS, 300), attribute_logit(model, IDS, 77)
    both = attribute_logit(model, IDS, 300, against=77)
    torch.testing.assert_close(both.heads, one.heads - other.heads, rtol=1e-3, atol=1e-3)
    assert both.total == pytest.approx(one.logit - other.logit, rel=1e-3, abs=1e-3)


def test_a_heads_part_is_what_leaves_the_logit_when_it_is_taken_out_of_the_stream(model):
    """With the norm's statistics frozen: the head's output taken from the stream, the logit read again."""
    block = layers(model)[0]
    with torch.no_grad(), captured({"mixed": block.output_projection, "stream": final_norm(model)}, "input") as found:
        model(torch.tensor([IDS]))
        size = block.head_size
        output = found["mixed"][0, -1, size : 2 * size] @ block.of_head("o", 1)[0]
        norm, stream = final_norm(model), found["stream"][0, -1]
        if isinstance(norm, torch.nn.LayerNorm):
            centred = output - output.mean()
            normed = centred / (stream.var(unbiased=False) + norm.eps).sqrt() * norm.weight
        else:
            normed = output / (stream.square().mean() + norm.variance_epsilon).sqrt() * norm.weight
        expected = float(normed @ model.get_output_embeddings().weight[300])
    assert float(attribute_logit(model, IDS, 300).heads[0, 1]) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_what_cannot_be_attributed_is_said():
    with pytest.raises(PlaygroundError, match="no tokens"):
        attribute_logit(gpt2(), [], 5)
    with pytest.raises(PlaygroundError, match="no token 4096"):
        attribute_logit(gpt2(), IDS, 5, against=4096)

"""What is chosen for a processor changes no number that is measured, and of what is learnt from less than rounding does."""

import pytest
import torch
import torch.nn.functional as F

from core.language.precision import TanhGelu, suit_processor, tanh_gelu
from tests import tiny


def test_in_float32_gelu_is_the_one_with_tanh():
    x = torch.linspace(-8, 8, 1001)
    inside = (2 / torch.pi) ** 0.5 * (x.double() + 0.044715 * x.double() ** 3)
    torch.testing.assert_close(tanh_gelu(x).double(), x.double() / 2 * (1 + inside.tanh()), atol=1e-6, rtol=1e-6)


def test_in_bfloat16_gelu_is_no_further_from_it_than_rounding_its_input_is():
    exact = torch.linspace(-8, 8, 100001)
    x = exact.bfloat16()
    rounded = (F.gelu(x.float(), approximate="tanh") - F.gelu(exact, approximate="tanh")).abs().max()
    form = (F.gelu(x.float()) - F.gelu(x.float(), approximate="tanh")).abs().max()
    assert 0 < form < rounded / 10
    torch.testing.assert_close(tanh_gelu(x), F.gelu(x.float()).bfloat16(), atol=0, rtol=2**-7)


@pytest.mark.parametrize("bf16", [True, False])
def test_a_model_made_ready_says_and_saves_the_same(bf16, monkeypatch, tmp_path):
    monkeypatch.setenv("RLHF_PLAYGROUND_PRECISION", "bfloat16" if bf16 else "float32")
    plain, ready = tiny.gpt2().eval(), tiny.gpt2().eval()
    suit_processor(ready)
    assert ready.config._attn_implementation == ("eager" if bf16 else "sdpa")
    assert any(isinstance(part, TanhGelu) for part in ready.modules())
    ids = torch.randint(0, 40, (3, 9), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(ready(ids).logits, plain(ids).logits, atol=1e-5, rtol=0)
    ready.save_pretrained(tmp_path)
    again = type(plain).from_pretrained(tmp_path)
    assert again.config.activation_function == plain.config.activation_function
    assert all(torch.equal(p, dict(again.named_parameters())[name]) for name, p in plain.named_parameters())

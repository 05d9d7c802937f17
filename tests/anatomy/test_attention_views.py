"""What the page draws, against the model's own output and against its plain parts."""

import base64

import numpy as np
import pytest
import torch

from core.anatomy.attention import all_head_weights, read, trace_head
from core.anatomy.attention_views import (
    attribution_view,
    contributions_view,
    each_head_view,
    effect_view,
    head_view,
    heads_view,
    thumbnails,
)
from core.anatomy.parts import captured, layers
from tests.tiny import OPENED, gpt2, llama, tokenizer

IDS = [5, 9, 77, 300, 9, 12]


@pytest.mark.parametrize("family", OPENED)
def test_the_bars_of_a_layer_sum_to_the_length_of_its_output(family):
    model = OPENED[family]()
    with torch.no_grad():
        if family == "gpt2":
            torch.nn.init.normal_(layers(model)[1].output_projection.bias)
    with torch.no_grad(), captured({"out": layers(model)[1].attention}) as found:
        model(torch.tensor([IDS]))
    view = contributions_view(model, read(model, IDS), 1)
    np.testing.assert_allclose(view["total"], found["out"][0].norm(dim=-1).numpy(), rtol=1e-4)
    np.testing.assert_allclose(view["along"].sum(0), view["total"], rtol=1e-4)
    assert (np.abs(view["along"]) <= view["norm"] + 1e-5).all()
    assert view["norm"].shape == (layers(model)[1].heads + 1, len(IDS))


def test_entropy_with_and_without_scaling_whatever_is_shown():
    model = gpt2()
    reading = read(model, IDS)
    scaled, plain = head_view(model, reading, 1, 0), head_view(model, reading, 1, 0, scale=False)
    for name in ("entropy_scaled", "entropy_unscaled"):
        assert scaled[name] == pytest.approx(plain[name])
    weights = trace_head(model, reading, 1, 0, scale=False).weights
    assert scaled["entropy_unscaled"] == pytest.approx(float(torch.special.entr(weights).sum(-1).mean()), rel=1e-5)
    assert np.isnan(scaled["masked"]).sum() == 15
    assert head_view(llama(), read(llama(), IDS), 0, 3)["group"] == [2, 3]


def test_only_one_family_norms_its_queries():
    for family, make in OPENED.items():
        model = make()
        assert head_view(model, read(model, IDS), 0, 0)["normed"] == (family == "qwen3")


def test_pictures_are_the_weights_as_bytes():
    model = llama()
    reading = read(model, IDS)
    view = heads_view(model, reading)
    pixels = np.frombuffer(base64.b64decode(view["pictures"]), np.uint8).reshape(2, 4, 6, 6)
    np.testing.assert_allclose(pixels / 255, all_head_weights(model, reading).numpy(), atol=0.51 / 255)
    assert view["side"] == 6
    assert np.asarray(view["statistics"]["entropy"]).shape == (2, 4)


def test_a_long_sentence_keeps_its_lines():
    weights = torch.zeros(1, 200, 200)
    weights[0, :, 77] = 1  # one column of 200
    small = thumbnails(weights)
    assert small.shape == (1, 64, 64)
    assert (small.max(-1).values == 255).all()
    assert ((small[0] == 255).sum(-1) <= 2).all()


def test_an_ablation_is_seen_in_the_distribution():
    model = gpt2()
    untouched = effect_view(model, tokenizer(), IDS, [], "zero")
    assert untouched["kl"] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(untouched["before"], untouched["after"])
    found = effect_view(model, tokenizer(), IDS, [(0, 1)], "zero")
    expected = model(torch.tensor([IDS])).logits[0, -1].softmax(-1)
    np.testing.assert_allclose(found["before"], expected[found["tokens"]].detach(), rtol=1e-4)
    assert int(expected.argmax()) == found["tokens"][0]
    assert found["kl"] == pytest.approx(float(each_head_view(model, IDS, "zero")["kl"][0, 1]), rel=1e-3)


def test_each_kind_of_part_is_counted_once():
    found = attribution_view(gpt2(), IDS, 300)
    assert sum(found["sums"].values()) == pytest.approx(found["total"], abs=1e-4)
    assert found["total"] == pytest.approx(found["logit"], abs=1e-3)

"""The next-token distribution: against a softmax written out, and against what sampling cuts."""

import math

import pytest
import torch

from core.anatomy.next_token import entropy, next_token
from core.errors import PlaygroundError
from core.language.sampling import filter_logits

LOGITS = torch.randn(50, generator=torch.Generator().manual_seed(0)) * 3


def test_nothing_cut_at_temperature_one_is_the_softmax():
    found = next_token(LOGITS, shown=50)
    ordered = LOGITS.double().softmax(-1).sort(descending=True)
    torch.testing.assert_close(found.before, ordered.values)
    torch.testing.assert_close(found.after, ordered.values)
    assert torch.equal(found.ids, ordered.indices)
    assert (found.kept, found.others) == (50, 0)
    assert found.kept_mass == pytest.approx(1)
    assert (
        found.entropy
        == pytest.approx(found.entropy_plain)
        == pytest.approx(-(ordered.values * ordered.values.log()).sum())
    )


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(0.5, 0, 1.0), (1.0, 7, 1.0), (1.3, 0, 0.6), (0.7, 5, 0.9)]
)
def test_each_number_follows_from_the_one_before(temperature, top_k, top_p):
    found = next_token(LOGITS, temperature, top_k, top_p, shown=20)
    torch.testing.assert_close(found.scaled, found.logits / temperature)
    torch.testing.assert_close(found.before, (found.scaled - found.log_total).exp())
    drawn = filter_logits((LOGITS.double() / temperature).unsqueeze(0), top_k, top_p)[0].softmax(-1)
    torch.testing.assert_close(found.after, drawn[found.ids])
    kept = found.after > 0
    torch.testing.assert_close(found.after[kept], found.before[kept] / found.kept_mass)
    assert found.kept == int((drawn > 0).sum())
    assert float(found.before.sum()) + found.others_before == pytest.approx(1)
    assert float(found.after.sum()) + found.others_after == pytest.approx(1)
    assert found.entropy == pytest.approx(float(torch.distributions.Categorical(drawn).entropy()))


def test_what_top_k_and_top_p_mean():
    assert next_token(LOGITS, top_k=3).kept == 3
    found = next_token(LOGITS, top_p=0.5, shown=50)
    assert found.before[: found.kept].sum() >= 0.5 > found.before[: found.kept - 1].sum()


def test_entropy_in_nats():
    assert entropy(torch.full((8,), 1 / 8)) == pytest.approx(math.log(8))
    assert entropy(torch.tensor([1.0, 0.0])) == 0


def test_a_temperature_must_be_above_zero():
    with pytest.raises(PlaygroundError, match="temperature is 0"):
        next_token(LOGITS, 0)

"""Both texts come back whole from their differences; each place's numbers again from plain forward passes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.convert_slow_tokenizer import bytes_to_unicode

from core.alignment.before_after.perplexity import response_nll
from core.alignment.before_after.side_by_side import differing, parting, read_by_both
from core.language.configs import SamplingConfig
from core.language.sampling import sample
from tests import tiny

SAMPLING = SamplingConfig(max_new_tokens=8, seed=2)
TEXTS = st.lists(st.sampled_from(["the ", "cat ", "sat. ", "dog ", "!"]), max_size=12).map("".join)


@given(TEXTS, TEXTS)
def test_the_segments_are_the_texts_and_what_is_shared_is_the_same(first, second):
    ours, theirs = differing(first, second)
    assert "".join(one.text for one in ours) == first
    assert "".join(one.text for one in theirs) == second
    assert [one.text for one in ours if not one.differs] == [one.text for one in theirs if not one.differs]


def test_one_word_that_differs_is_one_segment():
    ours, theirs = differing(" a big dog ran.", " a small dog ran.")
    assert [(one.text, one.differs) for one in ours] == [(" a", False), (" big", True), (" dog ran.", False)]
    assert [one.text for one in theirs if one.differs] == [" small"]


def test_where_two_responses_part():
    assert parting([1, 2, 3], [1, 2, 4]) == 2
    assert parting([1, 2], [1, 2, 4]) == 2
    assert parting([1, 2], [1, 2]) is None


def plain(model, query, response):
    with torch.no_grad():
        return model(torch.cat([query, response])[None]).logits[0, len(query) - 1 : -1].log_softmax(-1)


def read(tokenizer, token):
    """The token's text; of a part of a character its bytes, by the alphabet that byte-level tokens are written in."""
    if "\ufffd" not in (text := tokenizer.decode([token])):
        return text
    byte_of = {character: byte for byte, character in bytes_to_unicode().items()}
    values = (byte_of[character] for character in tokenizer.convert_ids_to_tokens(token))
    return "⟨" + " ".join(f"{value:02X}" for value in values) + "⟩"


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_every_place_equals_a_plain_forward(family):
    policy, reference, tokenizer = tiny.FAMILIES[family](seed=1), tiny.FAMILIES[family](seed=2), tiny.tokenizer()
    rollout = sample(policy, tokenizer, tiny.PROMPTS, SAMPLING)
    for row in range(len(rollout)):
        query = rollout.query_ids[row][rollout.query_mask[row].bool()]
        response = rollout.response_ids[row][rollout.response_mask[row].bool()]
        p, q = plain(policy, query, response), plain(reference, query, response)
        places = read_by_both(policy, reference, tokenizer, rollout, row)
        assert len(places) == len(response)
        for t, (place, token) in enumerate(zip(places, response.tolist(), strict=True)):
            assert place.text == read(tokenizer, token)
            assert place.policy == pytest.approx(p[t, token].exp().item(), rel=1e-3)
            assert place.reference == pytest.approx(q[t, token].exp().item(), rel=1e-3)
            assert place.log_ratio == pytest.approx((p[t, token] - q[t, token]).item(), abs=1e-3)
            kl = torch.nn.functional.kl_div(q[t], p[t], log_target=True, reduction="sum").item()
            assert place.kl == pytest.approx(kl, rel=1e-3, abs=1e-5)
            assert place.policy_top[0] == (
                read(tokenizer, int(p[t].argmax())),
                pytest.approx(p[t].max().exp().item(), rel=1e-3),
            )


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_perplexity_is_that_of_a_plain_forward(family):
    policy, reference = tiny.FAMILIES[family](seed=1), tiny.FAMILIES[family](seed=2)
    rollout = sample(policy, tiny.tokenizer(), tiny.PROMPTS, SAMPLING)
    nll = response_nll(reference, rollout, batch_size=3)
    for row in range(len(rollout)):
        query = rollout.query_ids[row][rollout.query_mask[row].bool()]
        response = rollout.response_ids[row][rollout.response_mask[row].bool()]
        log_p = plain(reference, query, response)
        mean = torch.nn.functional.nll_loss(log_p, response).item()
        assert (nll[row] / len(response)).exp().item() == pytest.approx(torch.tensor(mean).exp().item(), rel=1e-3)

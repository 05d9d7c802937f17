"""Writing token by token: the same text as sampling, and branches that differ by one choice alone."""

import threading
from itertools import islice

import pytest
import torch

from core.anatomy.writing import Writing, write
from core.errors import PlaygroundError
from core.language.configs import SamplingConfig
from core.language.registry import load_policy
from core.language.sampling import sample
from tests.tiny import OPENED, tokenizer

PROMPTS = ["Once upon a time, there was", "", "The 🐶 said שלום to"]


@pytest.fixture(scope="module")
def storyteller():
    return load_policy("storyteller")


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize(
    "settings", [{}, {"temperature": 0.6, "top_k": 40, "seed": 7}, {"temperature": 1.4, "top_p": 0.8}]
)
def test_with_no_branch_it_is_what_sample_writes(storyteller, prompt, settings):
    config = SamplingConfig(max_new_tokens=30, **settings)
    rollout = sample(*storyteller, [prompt], config)
    tokens = list(write(*storyteller, prompt, config))
    assert [one.id for one in tokens] == rollout.response_ids[0, : len(tokens)].tolist()
    assert "".join(one.text for one in tokens) == rollout.responses[0].rstrip("\ufffd")
    expected = rollout.logprobs[0, : len(tokens)].exp()
    torch.testing.assert_close(torch.tensor([one.probability for one in tokens]), expected, rtol=1e-3, atol=1e-5)
    assert len(tokens) == int(rollout.response_mask[0].sum())


@pytest.mark.parametrize("family", OPENED)
def test_both_families(family):
    model, words = OPENED[family](), tokenizer()
    config = SamplingConfig(max_new_tokens=20, seed=3)
    expected = sample(model, words, ["One day"], config).response_ids[0].tolist()
    assert [one.id for one in write(model, words, "One day", config)] == expected


def test_alternatives_are_the_likeliest_of_what_is_drawn_from(storyteller):
    model, words = storyteller
    first = next(write(model, words, "Once upon a", SamplingConfig(max_new_tokens=4, temperature=0.5)))
    with torch.no_grad():
        logits = model(torch.tensor([words("Once upon a")["input_ids"]])).logits[0, -1]
    share = (logits / 0.5).softmax(-1)
    assert [one.id for one in first.alternatives] == share.topk(8).indices.tolist()
    assert [one.probability for one in first.alternatives] == pytest.approx(share.topk(8).values.tolist(), rel=0.05)
    assert first.entropy == pytest.approx(float(torch.distributions.Categorical(share).entropy()), rel=0.05, abs=1e-3)
    narrow = next(write(model, words, "Once upon a", SamplingConfig(max_new_tokens=4, top_k=3)))
    assert len(narrow.alternatives) == 3
    assert sum(one.probability for one in narrow.alternatives) == pytest.approx(1, abs=1e-5)


def test_a_branch_keeps_what_came_before_and_the_random_numbers_behind(storyteller):
    config = SamplingConfig(max_new_tokens=16)
    plain = list(write(*storyteller, "Once upon a time, there was a", config))
    other = plain[5].alternatives[1].id if plain[5].alternatives[0].id == plain[5].id else plain[5].alternatives[0].id
    branch = list(write(*storyteller, "Once upon a time, there was a", config, {5: other}))
    assert branch[:5] == plain[:5]
    assert (branch[5].id, branch[5].chosen) == (other, True)
    assert branch[5].entropy == plain[5].entropy
    assert all(one.uniform == other.uniform for one, other in zip(branch, plain, strict=False))
    assert len(branch) > 6
    assert not any(one.chosen for one in branch[6:])


def test_to_choose_what_was_drawn_changes_nothing(storyteller):
    config = SamplingConfig(max_new_tokens=12)
    plain = list(write(*storyteller, "Once upon a time, there was a", config))
    again = list(write(*storyteller, "Once upon a time, there was a", config, {3: plain[3].id}))
    assert [one.id for one in again] == [one.id for one in plain]


def test_a_branch_read_at_once_is_the_branch_written_again(storyteller):
    config = SamplingConfig(max_new_tokens=16)
    plain = list(write(*storyteller, "Once upon a time, there was a", config))
    other = plain[8].alternatives[2].id
    slow = list(write(*storyteller, "Once upon a time, there was a", config, {8: other}))
    fast = list(write(*storyteller, "Once upon a time, there was a", config, {8: other}, begun=plain[:8]))
    assert [one.id for one in fast] == [one.id for one in slow]
    assert [one.probability for one in fast] == pytest.approx([one.probability for one in slow], rel=0.05)


def test_it_ends_at_the_end_token(storyteller):
    model, words = storyteller
    tokens = list(write(model, words, "Once upon a time", SamplingConfig(max_new_tokens=30), {2: words.eos_token_id}))
    assert len(tokens) == 3
    assert tokens[-1].end
    assert tokens[-1].text == ""


def test_half_a_character_adds_no_text_until_it_is_whole(storyteller):
    model, words = storyteller
    ids = words("🐶", add_special_tokens=False)["input_ids"]
    assert len(ids) > 1
    tokens = list(write(model, words, "A", SamplingConfig(max_new_tokens=len(ids)), dict(enumerate(ids))))
    assert "".join(one.text for one in tokens) == "🐶"
    assert tokens[0].text == ""


def test_a_writing_is_written_once_however_many_ask(storyteller):
    drawn = []

    def counted():
        for token in write(*storyteller, "Once", SamplingConfig(max_new_tokens=10)):
            drawn.append(token)
            yield token

    shared = Writing(counted())
    found = []
    readers = [threading.Thread(target=lambda n=n: found.append(shared.first(n)[0])) for n in (3, 10, 6, 10)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(drawn) == 10
    longest = max(found, key=len)
    assert all(one == longest[: len(one)] for one in found)
    assert shared.first(4) == (longest[:4], False)


def test_what_cannot_be_written_is_said(storyteller):
    with pytest.raises(PlaygroundError, match="context is 256"):
        write(*storyteller, "A", SamplingConfig(max_new_tokens=256))
    with pytest.raises(PlaygroundError, match="no token 4096"):
        write(*storyteller, "A", SamplingConfig(), {0: 4096})
    assert len(list(islice(write(*storyteller, "word " * 900, SamplingConfig(max_new_tokens=3)), 3))) == 3

"""One block against the model's own hidden states, module by module."""

import threading

import pytest
import torch

from core import paths
from core.anatomy.block import Switches, embed, residual_stream, trace_block, trace_blocks
from core.anatomy.parts import captured, layers, logits_of
from core.errors import PlaygroundError
from core.language.registry import load_policy
from core.language.sampling import positions
from tests.tiny import OPENED, gpt2, llama, padding_mask

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
HOME = paths.home()  # where the reader's own models live, seen before each test is given a home of its own


def random_ids(*shape, vocabulary=4096):
    return torch.randint(2, vocabulary, shape, generator=torch.Generator().manual_seed(0))


def its_own(model, ids, mask=None):
    """What every module really returned, and the logits."""
    mask = torch.ones_like(ids) if mask is None else mask
    parts = {}
    for one in layers(model):
        parts |= {
            f"attention_input {one.index}": one.attention_norm,
            f"attention {one.index}": one.attention,
            f"feed_forward_input {one.index}": one.feed_forward_norm,
            f"feed_forward {one.index}": one.feed_forward,
            f"leaving {one.index}": one.block,
        }
    with torch.no_grad(), captured(parts) as found, captured({"entering 0": layers(model)[0].block}, "input") as first:
        logits = model(input_ids=ids, attention_mask=mask, position_ids=positions(mask)).logits
    return found | first, logits


def assert_same_vectors(ours, theirs):
    """To 1e-5 of each token's length: single entries of a long vector are rounded in proportion to all of it."""
    off = (ours - theirs).norm(dim=-1) / theirs.norm(dim=-1)
    assert off.max() <= 1e-5, off.max()


@torch.no_grad()
def assert_every_box_is_the_models(model, ids, mask=None):
    theirs, logits = its_own(model, ids, mask)
    kept = torch.ones_like(ids).bool() if mask is None else mask.bool()
    ours = list(trace_blocks(model, ids, mask))
    for layer, trace in enumerate(ours):
        values = {
            "entering": trace.entering,
            "attention_input": trace.attention_input,
            "attention": trace.attention,
            "feed_forward_input": trace.feed_forward_input,
            "feed_forward": trace.feed_forward.output,
            "leaving": trace.leaving,
        }
        for name, value in values.items():
            expected = theirs.get(f"{name} {layer}", theirs.get(f"leaving {layer - 1}"))
            assert_same_vectors(value[kept], expected[kept])
        torch.testing.assert_close(trace.between, trace.entering + trace.attention)
    assert_same_vectors(logits_of(model, ours[-1].leaving)[kept], logits[kept])


@pytest.mark.parametrize("family", OPENED)
@pytest.mark.parametrize("length", [1, 2, 17, 64])
def test_every_box_of_the_block(family, length):
    assert_every_box_is_the_models(OPENED[family](), random_ids(1, length))


@pytest.mark.parametrize("family", OPENED)
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_nothing(family, side):
    assert_every_box_is_the_models(OPENED[family](), random_ids(3, 12), padding_mask(side))


@pytest.mark.parametrize("length", [1, 40, 256])
def test_the_storyteller(length):
    assert_every_box_is_the_models(load_policy("storyteller")[0], random_ids(1, length))


def test_smollm2(monkeypatch):
    if not (HOME / "models").exists():
        pytest.skip("SmolLM2 is not converted in RLHF_PLAYGROUND_HOME")
    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(HOME))
    try:
        model, tokenizer = load_policy("smollm2-135m")
    except PlaygroundError as error:
        pytest.skip(str(error))
    ids = torch.tensor([tokenizer("The dog lost the ball")["input_ids"]])
    assert_every_box_is_the_models(model, ids)


@pytest.mark.parametrize("family", OPENED)
def test_the_stream_is_what_was_added_to_the_embedding(family):
    model, ids = OPENED[family](), random_ids(9)
    stream = residual_stream(model, ids)
    with torch.no_grad():
        traces = list(trace_blocks(model, ids))
    assert stream.shape == (5, 9, 32)
    added = torch.stack([part for t in traces for part in (t.attention, t.feed_forward.output)])
    torch.testing.assert_close(stream.diff(dim=0), added, **TOLERANCE)
    torch.testing.assert_close(stream[-1], stream[0] + added.sum(0), **TOLERANCE)


def test_a_single_sequence_is_the_row_of_a_batch():
    model, ids = llama(), random_ids(2, 7)
    torch.testing.assert_close(residual_stream(model, ids)[:, 1], residual_stream(model, ids[1]), **TOLERANCE)


@pytest.mark.parametrize("family", OPENED)
def test_the_feed_forward_in_its_steps(family):
    model = OPENED[family]()
    stream, places = embed(model, random_ids(5))
    fed = trace_block(model, 1, stream, places).feed_forward
    if family == "gpt2":
        assert fed.linear is None
        torch.testing.assert_close(fed.activated, torch.nn.functional.gelu(fed.pre, approximate="tanh"))
        assert torch.equal(fed.hidden, fed.activated)
    else:
        torch.testing.assert_close(fed.activated, fed.pre * fed.pre.sigmoid())
        torch.testing.assert_close(fed.hidden, fed.activated * fed.linear)


@pytest.mark.parametrize("family", OPENED)
def test_switches_take_out_what_they_say_and_from_where(family):
    model, ids = OPENED[family](), random_ids(6)
    plain = list(trace_blocks(model, ids))
    alone = list(trace_blocks(model, ids, switches=Switches(residuals_off_from=1)))
    bare = list(trace_blocks(model, ids, switches=Switches(norms_off_from=1)))
    for switched in (alone, bare):
        assert torch.equal(switched[0].leaving, plain[0].leaving)
        assert not torch.allclose(switched[1].leaving, plain[1].leaving)
    assert torch.equal(alone[1].between, alone[1].attention)
    assert torch.equal(alone[1].leaving, alone[1].feed_forward.output)
    assert torch.equal(bare[1].attention_input, bare[1].entering)
    assert torch.equal(bare[1].feed_forward_input, bare[1].between)


def test_without_the_mask_a_token_feels_what_comes_after_it():
    model, ids = gpt2(), random_ids(6)
    other = ids.clone()
    other[-1] = 77
    for causal in (True, False):
        ours, theirs = (residual_stream(model, one, switches=Switches(causal=causal))[-1, 0] for one in (ids, other))
        assert torch.allclose(ours, theirs) == causal


def test_one_readers_switches_are_not_seen_by_another():
    model, ids = gpt2(), random_ids(1, 9)
    with torch.no_grad():
        expected = model(ids).logits
        halfway = trace_blocks(model, ids, switches=Switches(residuals_off_from=0, norms_off_from=0))
        next(halfway)
        found = []
        other = threading.Thread(target=lambda: found.append(model(ids).logits.detach()))
        other.start()
        other.join()
        list(halfway)
    assert torch.equal(found[0], expected)


def test_what_cannot_be_traced_is_said():
    stream, places = embed(gpt2(), [5, 6])
    with pytest.raises(PlaygroundError, match="no layer 2.*0 to 1"):
        trace_block(gpt2(), 2, stream, places)
    with pytest.raises(PlaygroundError, match="no tokens"):
        residual_stream(gpt2(), [])
    with pytest.raises(PlaygroundError, match="65 tokens.*context is 64"):
        residual_stream(gpt2(), list(range(65)))

"""The cost table against operations that PyTorch counts, paths against a graph, and times against a clock that is known."""

import itertools

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from core.anatomy.layer_timing import LENGTHS, Timing, layer_of, measure, measured_in_process
from core.anatomy.path_length import DECODERS, LAYERS, cache_bytes, cost, crossover, flops, growth, theory
from core.anatomy.recurrence_views import timings_view
from core.gallery import load_entry


@pytest.mark.parametrize("layer", ["attention", "convolution"])
@pytest.mark.parametrize(("n", "d"), [(16, 8), (64, 32)])
def test_operations_are_those_pytorch_counts(layer, n, d):
    x = torch.randn(1, n, d)
    counter = FlopCounterMode(display=False)
    run = layer_of(layer, d)
    with counter, torch.no_grad():
        if layer == "attention":  # written out: the counter sees through no fused kernel on a CPU
            q, k, v = run.qkv(x).chunk(3, -1)
            run.merge((q @ k.mT).softmax(-1) @ v)
        else:
            run(x)
    assert counter.get_total_flops() == flops(layer, n, d)


@pytest.mark.parametrize(("layer", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_operations_of_a_recurrence_are_its_matrices(layer, gates):
    weights = sum(w.numel() for w in _rnn(layer, 32).parameters() if w.ndim == 2)
    assert weights == gates * 2 * 32**2
    assert flops(layer, 10, 32) == 2 * 10 * weights  # a multiply and an add for each, a token


def _rnn(layer, d):
    return {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[layer](d, d)


@pytest.mark.parametrize("n", [2, 3, 9, 10, 64, 100])
def test_the_longest_path_of_the_convolutions_is_what_a_walk_finds(n):
    """Dilated by 1, 3, 9, …: how many layers until the last position has seen the first."""
    seen, layers = {n - 1}, 0
    while 0 not in seen:
        seen |= {p - tap * 3**layers for p, tap in itertools.product(seen, range(3)) if p - tap * 3**layers >= 0}
        layers += 1
    assert cost("convolution", n, 8).longest_path == layers


def test_the_table_is_the_papers():
    """Vaswani et al. 2017, table 1."""
    rows = {layer: cost(layer, 1000, 64) for layer in LAYERS}
    assert [rows[layer].order for layer in LAYERS] == ["n·d²", "n·d²", "n·d²", "n²·d", "k·n·d²"]
    assert [rows[layer].sequential for layer in LAYERS] == [1000, 1000, 1000, 1, 1]
    assert [rows[layer].longest_path for layer in LAYERS] == [999, 999, 999, 1, 7]


def test_growth_and_the_part_that_is_square():
    assert growth("lstm", 500, 64) == 2.0
    assert 2 < growth("attention", 64, 64) < growth("attention", 4096, 64) < 4
    assert cost("attention", crossover(64), 64).pair_share == pytest.approx(0.5)


def test_the_cache_is_what_the_bundled_decoder_really_keeps():
    from core.language.registry import load_policy

    model, tokenizer = load_policy("storyteller")
    ids = tokenizer("Once upon a time", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        kept = model(ids, use_cache=True).past_key_values
    numbers = sum(layer.keys.numel() + layer.values.numel() for layer in kept.layers)
    sizes = DECODERS[0]
    assert cache_bytes(ids.shape[1], sizes.layers, sizes.kv_width, bytes_each=1) == numbers
    assert sizes.width == model.config.n_embd


def test_times_are_medians_of_a_known_clock():
    ticks = iter([0, 1, 10, 12, 20, 29] * 2)
    found = list(measure((8, 16), ("rnn",), width=8, repeats=3, clock=lambda: float(next(ticks))))
    assert found == [Timing("rnn", n, 2.0, 1.0, 9.0) for n in (8, 16)]


def test_measured_beside_theory():
    rows = [{"layer": layer, "length": n, "seconds": n / 100} for layer in LAYERS for n in (256, 128)]
    beside = theory(rows, 64)
    assert beside["rnn"] == (2.0, 2.0)
    assert beside["attention"] == (2.0, pytest.approx(growth("attention", 128, 64)))


def test_measuring_in_a_process_gives_every_layer_and_can_be_left():
    lines = measured_in_process(repeats=1)
    first = [next(lines) for _ in LAYERS]
    assert [one.layer for one in first] == list(LAYERS) and all(one.seconds > 0 for one in first)
    lines.close()


def test_the_gallerys_times_are_complete():
    entry = load_entry("why_transformers_cost")
    rows = entry["data"]["timings"]
    assert {(row["layer"], row["length"]) for row in rows} == set(itertools.product(LAYERS, LENGTHS))
    assert entry["data"]["machine"] == "2-core CPU"
    assert all(row["fastest"] <= row["seconds"] <= row["slowest"] for row in rows)
    assert timings_view([])["width"] == entry["data"]["width"]

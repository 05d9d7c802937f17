"""Path length and cost: the theory's table, what this machine measures, and what a long context takes."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.anatomy.path_length import DECODERS, LAYERS, REACHES, cache_bytes, cost, crossover, growth, theory
from core.figures.networks import NAMES, lines
from core.gallery import load_entry
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._why_transformers.numbers import counted

ENTRY = "why_transformers_cost"
_LENGTHS = [64, 128, 256, 512, 1024, 2048, 8192, 32_768, 131_072, 1_048_576]
_WIDTHS = [64, 128, 256, 512, 768, 1024, 4096]


def show() -> str:
    """Measured times beside the theory, the table, the cache; returns the claim."""
    entry = load_entry(ENTRY)
    measured = st.session_state.get("cost_measured")
    data = measured or (entry["data"] if entry else None)
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        n = st.select_slider(
            "n: tokens", _LENGTHS, 2048, format_func=lambda one: f"{one:,}", key="n", bind="query-params"
        )
        d = st.select_slider("d: width", _WIDTHS, 64, key="d", bind="query-params")
        place = st.container()
        if st.button(
            "Measure on this machine",
            icon=":material/timer:",
            key="cost_measure",
            width="stretch",
            help="Forward and backward of one layer, five kinds, six lengths: about ten seconds, in a process of its "
            "own.",
        ):
            _measure(place)
    with picture:
        if data is None:
            st.info("Nothing was measured yet: press the button.")
        else:
            _times(data, live=measured is not None, command=entry["command"] if entry else "")
    _table(n, d)
    _cache(n)
    _words(n, d)
    return claim(data)


def _measure(place: Any) -> None:
    from core.anatomy.layer_timing import LENGTHS, measured_in_process
    from core.anatomy.recurrence_views import timings_view

    with place:
        bar = st.progress(0.0, "Starting…")
        found = []
        for timing in measured_in_process():
            found.append(timing)
            bar.progress(len(found) / (len(LAYERS) * len(LENGTHS)), f"{NAMES[timing.layer]}, {timing.length} tokens")
    st.session_state["cost_measured"] = timings_view(found)
    st.rerun()


def _times(data: Mapping[str, Any], live: bool, command: str) -> None:
    rows = [
        (NAMES[one["layer"]], one["length"], one["seconds"], one["fastest"], one["slowest"]) for one in data["timings"]
    ]
    table = pd.DataFrame(rows, columns=["network", "x", "y", "low", "high"])
    lengths = sorted({one["length"] for one in data["timings"]})
    st.markdown(
        f"**Seconds for one layer, forward and backward**, width {data['width']}: median of {data['repeats']}, and "
        f"range"
    )
    st.vega_lite_chart(
        table,
        lines(
            LAYERS,
            theme.dark(),
            "n, tokens in the sequence",
            "seconds",
            log_x=True,
            log_y=True,
            points=50,
            x_values=lengths,
            x_format=",d",
            legend_columns=3,
        ),
        key="times",
        alt="Measured seconds of one layer against the length of the sequence, both logarithmic",
    )
    downloads("times", "layer_times", [["layer", "length", "seconds", "fastest", "slowest"], *rows])
    if live:
        badge("live", note="this machine · one thread · float32 · batch 1")
    else:
        badge("cached", note=f"{data['machine']} · one thread · float32 · batch 1 · {command}")
    beside = theory(data["timings"], data["width"])
    parts = [
        f"{NAMES[layer]} {measured:.1f}× (theory {expected:.1f}×)" for layer, (measured, expected) in beside.items()
    ]
    st.caption(
        f"From {lengths[-2]:,} to {lengths[-1]:,} tokens the time grows: {', '.join(parts)}. Theory counts the "
        "operations of the matrix products alone. One thread does one thing at a time: that a recurrence's steps wait "
        "for each other shows on a GPU. PyTorch has a fused kernel for the LSTM here, and loops over the tokens for "
        "RNN and GRU."
    )


def _table(n: int, d: int) -> None:
    st.markdown(f"**Path length and cost of one layer**, n = {n:,} tokens, width d = {d:,} (k = 3 for the convolution)")
    head = ["layer", "operations, forward", "grow as", "steps that must wait", "longest path", "path grows as"]
    rows = [
        [
            f"**{NAMES[layer]}**",
            f"{counted(one.flops)}FLOP",
            one.order,
            f"{one.sequential:,}",
            f"{one.longest_path:,}",
            one.order_path,
        ]
        for layer in LAYERS
        for one in [cost(layer, n, d)]
    ]
    st.markdown("\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]))
    st.caption(
        "Vaswani et al. 2017, table 1, with the numbers put in. Longest path: between any two tokens, in steps of a "
        "recurrence or in layers; a convolution has to be stacked to reach across, ever more dilated for log_k n "
        "layers. All pairs counted: a causal kernel may skip half of attention's n² part."
    )


def _cache(n: int) -> None:
    st.markdown("**What attention keeps**: keys and values of every token, in every layer, while it writes")
    head = ["decoder", "layers × key–value width", "a token", f"{n:,} tokens", "an LSTM of that width and depth"]
    rows = [
        [
            f"**{one.name}**",
            f"{one.layers} × {one.kv_width:,}",
            f"{counted(cache_bytes(1, one.layers, one.kv_width))}B",
            f"{counted(cache_bytes(n, one.layers, one.kv_width))}B",
            f"{counted(one.lstm_state_bytes)}B, for any number of tokens",
        ]
        for one in DECODERS
    ]
    st.markdown("\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]))
    st.caption("Two bytes a number (bfloat16): 2 · layers · key–value width · 2 bytes, for each token.")


def _words(n: int, d: int) -> None:
    grown = growth("attention", n, d)
    share = cost("attention", n, d).pair_share
    st.markdown(
        f"**“Infinite context” is not free.** At d = {d:,} the n² part is {share:.0%} of attention's operations at "
        f"{n:,} tokens (half at {crossover(d):,}), and twice as many tokens take {grown:.2f}× the work and 2× the "
        "memory. A recurrence takes 2× the work and no more memory, but must squeeze the past into one state, and "
        "take its steps one after the other. Methods that promise more (windows, recurrent or linear attention, "
        "compression) give up "
        "exactness, a direct path, or both: " + "; ".join(f"{name}: {what}" for name, what in REACHES.items()) + "."
    )
    show_code(
        "core.anatomy.path_length:flops",
        "core.anatomy.path_length:cost",
        "core.anatomy.path_length:cache_bytes",
        "core.anatomy.layer_timing:measure",
    )


def claim(data: Mapping[str, Any] | None) -> str:
    """One sentence that the table and the measured times make."""
    plain = "Attention's path between any two tokens is one step long, and its cost grows with the square of the length"
    if data is None:
        return f"{plain}."
    beside = theory(data["timings"], data["width"])
    lengths: Sequence[int] = sorted({one["length"] for one in data["timings"]})
    return (
        f"{plain}: from {lengths[-2]:,} to {lengths[-1]:,} tokens it took {beside['attention'][0]:.1f}× the time "
        f"here, an LSTM {beside['lstm'][0]:.1f}×."
    )

"""Gradients through time: how much of the loss at the last token reaches a state n tokens earlier."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.anatomy.flow_config import LONGEST, MARKS, FlowConfig
from core.anatomy.flow_reading import (
    SMALLEST_FLOAT32,
    Band,
    Reading,
    band,
    clipped,
    read_flow,
    through_eigenvalue,
    through_forget_gate,
)
from core.anatomy.race_config import KINDS, Kind
from core.figures.networks import NAMES, lines
from core.gallery import load_entry
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.config_form import config_form
from pages._parts.downloads import downloads
from pages._parts.predict import predict, revealed
from pages._parts.text import raised
from pages._why_transformers.numbers import short

ENTRY = "why_transformers"
_GUESSES = ("it still vanishes", "it stays about as it is", "it explodes")
_OUTCOMES = {"vanishes": _GUESSES[0], "holds": _GUESSES[1], "explodes": _GUESSES[2]}
_STEEP = 1.5  # the radius of the prediction: the slider's end
_TOLD_FROM = 1.2


def show() -> str:
    """Picture, controls, numbers, equation; returns the claim."""
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        config, largest, measured_at = _controls()
    found, live = _all(config)
    factors = {kind: clipped(found[kind]["weight_norms"], largest) if largest else None for kind in KINDS}
    bands = {kind: band(np.asarray(found[kind][measured_at]), factors[kind]) for kind in KINDS}
    readings = {kind: read_flow(bands[kind].mean.tolist()) for kind in KINDS}
    plain = {kind: _reading(found[kind][measured_at]) for kind in KINDS}
    with picture:
        _picture(bands, config, measured_at, largest)
        badge("live" if live else "cached", seed=config.seed, note=_note(config, live))
        _unshown(bands)
    _table(readings, found, factors)
    if largest:
        _clipping(plain["rnn"], readings["rnn"], found["rnn"]["weight_norms"], factors["rnn"] or [], largest)
    _what_h_is()
    _predict(config)
    _equation(config, {name: _reading(norms) for name, norms in _states(found).items()})
    return claim(plain)


def _controls() -> tuple[FlowConfig, float | None, str]:
    """The settings, the clipping norm (None: off), and whether states or inputs are looked at."""
    default = FlowConfig()
    radius = st.slider(
        "Spectral radius of the RNN",
        0.5,
        1.5,
        default.spectral_radius,
        0.01,
        key="radius",
        bind="query-params",
        help="The largest eigenvalue magnitude of W_h: it is scaled to exactly this.",
    )
    bias = st.slider(
        "Forget-gate bias of the LSTM",
        -2.0,
        6.0,
        default.forget_bias,
        0.1,
        key="bias",
        bind="query-params",
        help="The gate starts at σ(bias): 1 is the usual choice, 3 keeps 95 % a token.",
    )
    length = st.slider("Tokens", 10, LONGEST, default.length, key="tokens", bind="query-params")
    clip = st.toggle(
        "Clip to norm 1",
        key="clip",
        bind="query-params",
        help="Multiplies the whole gradient of a network so that its norm is at most 1.",
    )
    with st.popover("More", icon=":material/tune:", width="stretch"):
        at = st.segmented_control(
            "Gradient with respect to",
            ["state h", "input x"],
            default="state h",
            required=True,
            key="wrt",
            bind="query-params",
            help="Inputs are the same thing in all four networks: the token's embedding.",
        )
        more = config_form(default, ("width", "recurrent", "input_gain", "seeds", "seed"), prefix="flow")
        more["width"] -= more["width"] % 4
    config = FlowConfig.checked(spectral_radius=radius, forget_bias=bias, length=length, **more)
    return config, 1.0 if clip else None, "input" if at == "input x" else "state"


@st.cache_data(max_entries=64, show_spinner=False)
def computed(kind: Kind, settings: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """One network's gradients, live; `settings` are only those that it looks at."""
    from core.anatomy.recurrence_views import flow_view

    return flow_view(kind, FlowConfig(**dict(settings)))


def _one(kind: Kind, config: FlowConfig) -> tuple[dict[str, Any], bool]:
    relevant = config.relevant(kind)
    entry = load_entry(ENTRY)
    if entry and FlowConfig(**entry["key"]).relevant(kind) == relevant:
        return entry["data"][kind], False
    return computed(kind, tuple(relevant)), True


def _all(config: FlowConfig) -> tuple[dict[Kind, dict[str, Any]], bool]:
    """Every network's gradients, from the gallery where it has them; and whether one of them was computed now."""
    found = {kind: _one(kind, config) for kind in KINDS}
    return {kind: view for kind, (view, _) in found.items()}, any(live for _, live in found.values())


def _picture(bands: Mapping[Kind, Band], config: FlowConfig, measured_at: str, largest: float | None) -> None:
    symbol = "x" if measured_at == "input" else "h"
    rows = [
        (NAMES[kind], n, one.mean[n], one.low[n], one.high[n])
        for kind, one in bands.items()
        for n in range(config.length)
        if 0 < one.mean[n] < np.inf
    ]
    smallest = min(row[2] for row in rows)
    table = pd.DataFrame(rows, columns=["network", "x", "y", "low", "high"])
    st.markdown(
        rf"$\lVert \partial L_T / \partial {symbol}_t \rVert$ against the distance $T - "
        rf"t${', clipped' if largest else ''}: "
        f"the mean of {config.seeds} untrained networks of each kind, and their range"
    )
    st.vega_lite_chart(
        table,
        lines(
            KINDS,
            theme.dark(),
            "distance T − t, tokens back from the loss",
            "gradient norm, nats a unit",
            log_y=True,
            marks=[n for n in MARKS if n < config.length],
            rule=SMALLEST_FLOAT32 if smallest < SMALLEST_FLOAT32 else None,
            rule_name="below: 0 in float32",
            x_range=(0, config.length - 1),
        ),
        key="flow",
        alt="Gradient norm against the distance from the loss, one line a network, on a logarithmic axis",
    )
    downloads("flow", "gradients_through_time", [list(table.columns), *table.itertuples(index=False)])


def _note(config: FlowConfig, live: bool) -> str:
    made = f"{config.seeds} seeds · width {config.width} · untrained · float64"
    return made if live else f"{made} · python -m core gallery"


def _unshown(bands: Mapping[Kind, Band]) -> None:
    """What a logarithmic axis cannot show is said."""
    for kind, one in bands.items():
        if one.zeros:
            st.caption(
                f"{NAMES[kind]}: {one.zeros} of its gradients are exactly 0, below the smallest float64 (4.9·10⁻³²⁴). "
                "A logarithmic axis has no place for them: its line ends."
            )
        if one.overflows:
            st.caption(f"{NAMES[kind]}: {one.overflows} of its gradients are too large for float64.")


def _table(
    readings: Mapping[Kind, Reading],
    found: Mapping[Kind, Mapping[str, Any]],
    factors: Mapping[Kind, list[float] | None],
) -> None:
    marks = sorted({n for reading in readings.values() for n in reading.at})
    head = ["network", *(f"{n} back" for n in marks), "× a token", "it …", "‖∂L/∂θ‖"]
    head += ["clipped ×"] if factors["rnn"] else []
    rows = []
    for kind, reading in readings.items():
        row = [f"**{NAMES[kind]}**", *(short(reading.at[n]) for n in marks), f"{reading.pace:.3f}", reading.verdict]
        row.append(_span(found[kind]["weight_norms"]))
        row += [_span(factors[kind] or [])] if factors["rnn"] else []
        rows.append(row)
    st.markdown("\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows]))
    st.caption(
        "× a token: the factor from one token to the one before it, from 10 tokens back to the first; more than "
        "tenfold in a hundred tokens *vanishes* or *explodes*. The transformer's level is about 1/T, because "
        "untrained attention is shared out evenly over all tokens; it is level, and training can raise it at any "
        "distance."
    )


def _span(values: Sequence[float]) -> str:
    return short(values[0]) if len(values) == 1 else f"{short(min(values))} to {short(max(values))}"


def _clipping(
    before: Reading, after: Reading, norms: Sequence[float], factors: Sequence[float], largest: float
) -> None:
    """What clipping repairs and what it does not, with the RNN's numbers."""
    far = max(before.at, default=0)
    if not far:
        return
    st.info(
        f"**What clipping does:** the RNN's whole gradient has a norm of {_span(norms)}; multiplied by "
        f"{_span(factors)}, it is at most {largest:g}, and so is the step. **What it does not do:** the gradient from "
        f"{far} tokens back is {short(before.shares[far])} of the last token's before, and {short(after.shares[far])} "
        "after. One factor moves the whole line; its slope, and what has vanished, stay."
    )


def _what_h_is() -> None:
    with st.expander("What exactly is h_t, and what is L_T?"):
        st.markdown(
            "- **RNN, GRU**: the hidden vector after token t.\n"
            "- **LSTM**: hidden vector and cell after token t, side by side: both are handed on.\n"
            "- **transformer**: it hands nothing on. h_t is what the layer reads at position t, token + position; keys "
            "and values are made of it, and every later position reads those directly.\n"
            "- **L_T**: cross-entropy, in nats, of one of 32 classes, read from the network at the last token alone. "
            "Tokens are random vectors; the networks are untrained, as a training would find them at its first step. "
            "What each becomes by training is another question, and another part: *The race*."
        )


def _predict(config: FlowConfig) -> None:
    """The RNN at the slider's end, computed; the reader says first what will happen."""
    if config.spectral_radius > _TOLD_FROM and "flow_guess" not in st.query_params:
        return  # the picture has told it already
    guess = predict(
        "flow_guess",
        f"turn the RNN's spectral radius up to {_STEEP}. With all other settings as they are, its gradient…",
        _GUESSES,
    )
    if guess is None:
        return
    steep, _ = _one("rnn", config.model_copy(update={"spectral_radius": _STEEP}))
    reading = _reading(steep["state"])
    measured = _OUTCOMES[reading.verdict]
    revealed(
        guess,
        measured,
        f"At ρ = {_STEEP} it is {short(reading.farthest)} at the first token, {config.length - 1} "
        f"back, and changes by × {reading.pace:.3f} a token: {measured}."
        + (
            f" Without its tanh it would be × {_STEEP}: saturation holds the explosion back."
            if reading.pace < 0.99 * _STEEP
            else ""
        ),
    )


def _reading(norms: Any) -> Reading:
    """Of the mean over the seeds: [seeds, time] -> one reading."""
    return read_flow(band(np.asarray(norms)).mean.tolist())


def _states(found: Mapping[Kind, Mapping[str, Any]]) -> dict[str, Any]:
    """What the equation speaks of: the states' gradients of RNN and LSTM, and the LSTM's along its cell alone."""
    return {"rnn": found["rnn"]["state"], "lstm": found["lstm"]["state"], "cell": found["lstm"]["cell"]}


def _equation(config: FlowConfig, readings: Mapping[str, Reading]) -> None:
    """`readings` of `_states`."""
    st.subheader("The equation", anchor=False)
    st.latex(
        r"\frac{\partial L_T}{\partial h_t} = \frac{\partial L_T}{\partial h_T}\prod_{k=t+1}^{T}"
        r"\frac{\partial h_k}{\partial h_{k-1}},\qquad \underbrace{\operatorname{diag}(1-h_k^2)\,W_h}_{\text{RNN}}"
        r"\qquad \underbrace{\operatorname{diag}(f_k) + \dots}_{\text{LSTM, cell}}"
    )
    far = max((n for n in MARKS if n < config.length), default=config.length - 1)
    at = {name: reading.at.get(far, reading.farthest) for name, reading in readings.items()}
    st.markdown(
        f"{far} factors: ρⁿ = {config.spectral_radius:g}{raised(far)} = "
        f"**{short(through_eigenvalue(config.spectral_radius, far))}** for the RNN's matrix alone, measured with its "
        f"tanh **{short(at['rnn'])}**."
    )
    st.markdown(
        "An LSTM hands on along two paths. **The cell's**, times the forget gate at every token: its bias alone gives "
        f"σ({config.forget_bias:g}){raised(far)} = **{short(through_forget_gate(config.forget_bias, far))}**; measured "
        f"**{short(at['cell'])}**, with W_h at 0, so that no state goes into the next gates. "
        f"**Through those gates**, h → W_h → gates → cell: with it, **{short(at['lstm'])}** arrive."
    )
    show_code(
        "core.anatomy.gradient_flow:gradient_flow",
        "core.anatomy.recurrence:rnn_cell",
        "core.anatomy.recurrence:lstm_cell",
        "core.anatomy.recurrence:gru_cell",
        "core.anatomy.recurrence:transformer_layer",
        "core.anatomy.recurrence:scaled_to",
        "core.anatomy.flow_reading:clipped",
    )


def claim(readings: Mapping[Kind, Reading]) -> str:
    """One sentence that the measured numbers make."""
    shared = set.intersection(*(set(reading.at) for reading in readings.values()))
    middle = 50 if 50 in shared else max(shared, default=0)
    if not middle:
        return "Over a handful of tokens every network still feels its beginning: turn the number of tokens up."
    rnn, lstm, attention = (readings[kind] for kind in ("rnn", "lstm", "transformer"))
    back = {
        "vanishes": f"{middle} tokens back an RNN's gradient is down to {short(rnn.at[middle])}",
        "explodes": f"An RNN's gradient explodes to {short(rnn.farthest)} on its way back to the first token",
        "holds": f"At this radius an RNN's gradient just holds, {short(rnn.at[middle])} at {middle} tokens back",
    }[rnn.verdict]
    passes = "loses it too, down to" if lstm.verdict == "vanishes" else "lets pass"
    gate = f"an LSTM {passes} {short(lstm.at[middle])}"
    flat = f"a transformer's is {short(attention.at[middle])} there and {short(attention.farthest)} at the first token"
    reason = ": its path is one step, whatever the distance." if attention.verdict == "holds" else "."
    if lstm.at[middle] > attention.at[middle] and attention.verdict == "holds":
        reason = ": smaller, but of much the same size at any distance, because its path is one step."
    return f"{back}; {gate}; {flat}{reason}"

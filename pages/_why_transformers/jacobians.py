"""The product of Jacobians, a factor a step: what its singular values say about what gets through."""

from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import streamlit as st

from core.anatomy.flow_config import FlowConfig
from core.anatomy.flow_reading import pace, share_in_cell, verdict_of
from core.figures.networks import NAMES
from core.figures.singular_values import singular_values
from core.gallery import load_entry
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.matrix import matrix
from pages._parts.told import fragment
from pages._parts.url import number_in_url
from pages._why_transformers.numbers import short

ENTRY = "why_transformers_jacobians"
FACTORS = 100
FIRST = 10  # factors multiplied when the page opens
_TOLD = 50  # factors that the claim speaks of
_PLAY_SECONDS = 0.7
_NETWORKS = ("rnn", "lstm", "gru")
Kind = Literal["rnn", "lstm", "gru"]


def show() -> str:
    """Controls, then the picture that steps through the factors in place; returns the claim."""
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    with controls:
        kind = cast(
            Kind,
            st.segmented_control(
                "Network",
                _NETWORKS,
                format_func=lambda one: NAMES[one],
                default="rnn",
                required=True,
                key="network",
                bind="query-params",
            ),
        )
        default = FlowConfig()
        setting: dict[str, float] = {}
        if kind == "rnn":
            setting["spectral_radius"] = st.slider(
                "Spectral radius", 0.5, 1.5, default.spectral_radius, 0.01, key="radius", bind="query-params", width=280
            )
        elif kind == "lstm":
            setting["forget_bias"] = st.slider(
                "Forget-gate bias", -2.0, 6.0, default.forget_bias, 0.1, key="bias", bind="query-params", width=280
            )
        width = st.segmented_control(
            "Width", [8, 16, 32], default=16, required=True, key="jacobian_width", bind="query-params"
        )
        seed = st.number_input("Seed", 0, 999_999, 0, key="jacobian_seed", bind="query-params", width=130)
    config = FlowConfig.checked(width=width, length=FACTORS, seed=seed, **setting).relevant(kind)
    view, live = _view(kind, config)
    _stepping(kind, config, view, live)
    _equation(kind, config, view)
    return claim(kind, view)


@st.cache_data(max_entries=24, show_spinner="Multiplying Jacobians…")
def computed(kind: Kind, settings: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    from core.anatomy.recurrence_views import jacobian_view

    return jacobian_view(kind, FlowConfig(**dict(settings)))


def _view(kind: Kind, config: FlowConfig) -> tuple[dict[str, Any], bool]:
    entry = load_entry(ENTRY)
    if entry and entry["key"] == config.model_dump() | {"kind": kind}:
        return entry["data"], False
    return computed(kind, tuple(config)), True


def _stepping(kind: Kind, config: FlowConfig, view: dict[str, Any], live: bool) -> None:
    """Step, play, slide: only this part of the page runs again."""
    playing = bool(st.session_state.get("factors_playing"))
    if "factors" not in st.session_state:
        st.session_state["factors"] = _linked()

    @fragment(run_every=_PLAY_SECONDS if playing else None)
    def stepping() -> None:
        if playing != bool(st.session_state.get("factors_playing")):
            st.rerun()  # the clock of a fragment is set where it is made
        if playing:
            _move(1)
            if st.session_state["factors"] >= FACTORS:
                st.session_state["factors_playing"] = False
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.button("Back", icon=":material/skip_previous:", key="factors_back", on_click=_move, args=(-1,))
            st.button("One more factor", icon=":material/skip_next:", key="factors_on", on_click=_move, args=(1,))
            st.button(
                "Pause" if playing else "Play",
                icon=":material/pause:" if playing else ":material/play_arrow:",
                key="factors_play",
                on_click=_play,
                args=(not playing,),
            )
            n = st.slider("Factors multiplied", 1, FACTORS, key="factors", width="stretch")
        st.query_params["factors"] = str(n)  # not bound: a tick that a click interrupts would leave its number there
        chart, square = st.columns([3, 2], gap="large")
        with chart:
            _chart(kind, view, n)
            badge(
                "live" if live else "cached",
                seed=config.seed,
                note=f"{NAMES[kind]} · width {config.width} · untrained · float64"
                + ("" if live else f" · python -m core gallery --only {ENTRY}"),
            )
        with square:
            _matrix(kind, view, n)

    stepping()


def _linked() -> int:
    """The number of factors that the URL names."""
    named = number_in_url("factors")
    return FIRST if named is None else min(FACTORS, max(1, named))


def _move(by: int) -> None:
    st.session_state["factors"] = min(FACTORS, max(1, st.session_state.get("factors", FIRST) + by))


def _play(begins: bool) -> None:
    """Begin, from the first factor where none is left; or pause."""
    st.session_state["factors_playing"] = begins
    if begins and st.session_state.get("factors", FIRST) >= FACTORS:
        st.session_state["factors"] = 1


def _chart(kind: Kind, view: dict[str, Any], n: int) -> None:
    values = np.asarray(view["values"], float)
    rows = [
        ("largest" if rank == 0 else "σ", rank + 1, step + 1, value)
        for rank in range(values.shape[1])
        for step, value in enumerate(values[:, rank])
        if np.isfinite(value)
    ]
    across = [value for value in view["attention"] if value is not None and np.isfinite(value)]
    rows += [("attention", 1, step + 1, value) for step, value in enumerate(across)]
    table = pd.DataFrame([*rows, ("now", 0, n, None)], columns=["line", "rank", "n", "value"])
    st.markdown(f"**Singular values of the product of n Jacobians** · now n = {n}")
    st.vega_lite_chart(
        table,
        singular_values(kind, len(values), theme.dark()),
        key="singular_values",
        alt="Singular values of the product against the number of factors, on a logarithmic axis",
    )
    downloads("singular_values", f"singular_values_{kind}", [["line", "rank", "n", "value"], *rows])
    if missing := int(np.isnan(values[n - 1]).sum()):
        st.caption(f"{missing} of {values.shape[1]} are below 10⁻¹² of the largest: mere rounding, not drawn.")


def _matrix(kind: Kind, view: dict[str, Any], n: int) -> None:
    product = np.asarray(view["products"][n - 1], float)
    largest = float(view["values"][n - 1][0])
    names = [
        f"h[{i}]" if i < _hidden(kind, len(product)) else f"c[{i - _hidden(kind, len(product))}]"
        for i in range(len(product))
    ]
    st.markdown(rf"$\partial h_T / \partial h_{{T-{n}}}$ · entries × {short(largest)}")
    matrix(
        product,
        [f"{name} at T" for name in names],
        [f"{name} at T − {n}" for name in names],
        key="jacobian",
        alt=f"The Jacobian of the last state with respect to the state {n} tokens earlier, divided by its largest "
        "singular value",
        template=f"∂ {{row}} / ∂ {{column}} = {{value}} × {short(largest)}",
        signed=True,
        high=float(np.abs(product).max()),
        column_labels=False,
        download=f"jacobian_{kind}_{n}",
    )
    if kind == "lstm":
        st.caption("The hidden vector comes first, the cell after it: what passes stands in the lower right quarter.")
    st.caption(
        "*Look for* stripes: when few singular values are left, all rows become multiples of each other, and the past "
        "gets through as one number. *Not shown*: how small it all is; the factor above says that."
    )


def _hidden(kind: Kind, state: int) -> int:
    """How many numbers of the state are the hidden vector; the rest is the LSTM's cell."""
    return state // 2 if kind == "lstm" else state


def _equation(kind: Kind, config: FlowConfig, view: dict[str, Any]) -> None:
    st.subheader("The equation", anchor=False)
    st.latex(
        r"\frac{\partial h_T}{\partial h_{T-n}} = J_T\,J_{T-1}\cdots J_{T-n+1},\qquad J_k = "
        + {
            "rnn": r"\frac{\partial h_k}{\partial h_{k-1}} = \operatorname{diag}(1-h_k^2)\,W_h",
            "lstm": r"\frac{\partial (h_k, c_k)}{\partial (h_{k-1}, c_{k-1})},\quad "
            r"\frac{\partial c_k}{\partial c_{k-1}} = \operatorname{diag}(f_k)",
            "gru": r"\frac{\partial h_k}{\partial h_{k-1}} = \operatorname{diag}(z_k) + \dots",
        }[kind]
    )
    values = view["values"]
    words = (
        f"Largest singular value after 1 factor **{short(values[0][0])}**, after 10 **{short(values[9][0])}**, "
        f"after 50 **{short(values[49][0])}**. "
    )
    if kind == "rnn":
        words += (
            f"W_h is a rotation times {config.spectral_radius:g}: measured spectral radius **{view['radius']:.6g}**. "
            "Every factor also has 1 − h², at most 1: tanh can only shrink what passes."
        )
    elif kind == "lstm":
        in_cell = [share_in_cell(np.asarray(view["products"][n - 1], float)) for n in (1, 50)]
        words += (
            f"What passes best is the cell's to **{in_cell[0]:.0%}** after one factor, to **{in_cell[1]:.0%}** after "
            "50: the cell is multiplied by the forget gate, while the other half of the state, the hidden vector, is "
            "written anew at each token."
        )
    else:
        words += "With its biases at zero, z is about ½: half of the old state is replaced at every token."
    across = view["attention"]
    words += (
        f" The transformer multiplies nothing: one factor, σ = **{short(across[9])}** from 10 tokens back and "
        f"**{short(across[49])}** from 50."
    )
    st.markdown(words)
    show_code(
        "core.anatomy.jacobians:step_jacobians",
        "core.anatomy.jacobians:jacobian_product",
        "core.anatomy.jacobians:attention_jacobians",
    )


def claim(kind: Kind, view: dict[str, Any]) -> str:
    """One sentence that the measured singular values make."""
    largest = [1.0, *(float(values[0]) for values in view["values"])]  # none: nothing is changed
    goes = {"vanishes": "shrinks to", "holds": "is still", "explodes": "grows to"}[verdict_of(pace(largest, 0, _TOLD))]
    return (
        f"Going back n tokens multiplies n Jacobians: for this {NAMES[kind]} the largest singular value {goes} "
        f"{short(largest[_TOLD])} after {_TOLD}. Attention goes back any distance in one."
    )

"""A language small enough to know whole: the best there is, what reaches it, and how KL is estimated."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.alignment.experiments.toy_views import ToyConfig, toy_view
from core.figures.named_lines import NamedLine
from core.figures.palette import CONCEPTS, RUNS
from core.figures.plane import Group, plane
from core.figures.rails import rails
from core.gallery import load_entry
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.config_form import config_form
from pages._parts.downloads import downloads

_GROUPS = {
    "the best there is: π_ref·exp(r/β)/Z": RUNS[1],
    "best of n": RUNS[5],
    "climbing, exact gradient": RUNS[0],
    "climbing, from samples (RLOO)": RUNS[3],
}
_ESTIMATORS = {"k1": RUNS[0], "k2": RUNS[1], "k3": RUNS[2]}


def show() -> str:
    """Draw the part; returns the page's claim."""
    picture, controls = st.columns([4, 1], gap="large")
    with controls:
        values = config_form(ToyConfig(), ("beta", "length", "seed"), prefix="toy", labels={"beta": "β"})
    config = ToyConfig.checked(**values)
    entry = load_entry("toy")
    cached = entry is not None and entry["key"] == config.model_dump()
    view = entry["data"] if entry and cached else _computed(config)
    with picture:
        _plane(view)
        badge(
            "cached" if cached else "live",
            seed=config.seed,
            note=f"{view['sequences']:,} sequences, all of them · exact"
            + (f" · {entry['command']}" if entry and cached else ""),
        )
    st.latex(
        r"\pi^{*}(y)=\frac{1}{Z}\,\pi_{\text{ref}}(y)\,e^{\,r(y)/\beta}\qquad "
        r"Z=\sum_y \pi_{\text{ref}}(y)\,e^{\,r(y)/\beta}"
    )
    best, exact, sampled = view["optimum"], view["exact"][-1], view["sampled"][-1]
    st.markdown(
        f"At β = {config.beta:g} the optimum has a reward of **{best['reward']:.3f}** sd at **{best['kl']:.3f}** "
        f"nats. The exact gradient came to {exact['reward']:.3f} at {exact['kl']:.3f}, {config.batch} samples a step "
        f"to {sampled['reward']:.3f} at {sampled['kl']:.3f}. Nothing can lie above the line: no policy has more "
        "reward at its KL."
    )
    _estimators(view, config)
    show_code(
        "core.alignment.experiments.toy:optimal_logprobs",
        "core.alignment.experiments.toy:best_of_n_logprobs",
        "core.alignment.experiments.toy:estimator_errors",
        "core.alignment.kl:kl_estimate",
    )
    return claim(view)


@st.cache_data(show_spinner="Summing over every sequence …")
def _computed(config: ToyConfig) -> dict[str, Any]:
    return toy_view(config)


def _plane(view: Mapping[str, Any]) -> None:
    rows: list[tuple[Any, ...]] = []
    names = list(_GROUPS)
    rows += [(one["kl"], one["reward"], names[0], f"β = {one['beta']:g}", "point", 0) for one in view["frontier"]]
    rows += [(one["kl"], one["reward"], names[1], f"n = {one['n']}", "point", 0) for one in view["best_of_n"]]
    for name, path in ((names[2], view["exact"]), (names[3], view["sampled"])):
        rows += [(one["kl"], one["reward"], name, name, "path", step) for step, one in enumerate(path)]
        rows.append((path[-1]["kl"], path[-1]["reward"], name, "where it ended", "point", 0))
    table = pd.DataFrame(rows, columns=["x", "y", "group", "label", "kind", "order"])
    groups = [Group(name, shade) for name, shade in _GROUPS.items()]
    st.vega_lite_chart(
        table,
        plane(groups, theme.dark(), "exact KL to the reference, nats a sequence", "exact reward, sd"),
        key="toy",
        alt="Expected reward against exact KL: the frontier, best of n, and two policies that climb towards it",
    )
    downloads("toy", "toy_frontier", [list(table.columns), *table.itertuples(index=False)])


def _estimators(view: Mapping[str, Any], config: ToyConfig) -> None:
    st.subheader("How well can KL be estimated from samples?", anchor=False)
    st.latex(
        r"k_1=\log\tfrac{\pi}{\pi_{\text{ref}}}\qquad k_2=\tfrac12\big(\log\tfrac{\pi}{\pi_{\text{ref}}}\big)^2\qquad "
        r"k_3=\tfrac{\pi_{\text{ref}}}{\pi}-1-\log\tfrac{\pi_{\text{ref}}}{\pi}"
    )
    left, right = st.columns(2, gap="large")
    lines = [NamedLine(name, shade) for name, shade in _ESTIMATORS.items()]
    near = [one for one in view["estimators"] if one["kl"] <= 5]
    truth = NamedLine("true KL", CONCEPTS["reference"])
    with left:
        st.markdown(f"**Mean of {config.samples:,} draws**, against the true KL")
        points = [(one["kl"], one["kl"] + one["measured_bias"], one["estimator"]) for one in near]
        points += [(one["kl"], one["kl"], truth.name) for one in near if one["estimator"] == "k1"]
        _lines(points, [*lines, truth], "mean, nats", "estimators_mean")
    with right:
        st.markdown("**Standard deviation of one draw**, exact")
        _lines(
            [(one["kl"], min(one["sd"], 20.0), one["estimator"]) for one in near],
            lines,
            "nats, cut off at 20",
            "estimators_sd",
        )
    st.markdown(_said(view, config))


def _lines(points: list[tuple[float, float, str]], lines: list[NamedLine], y_title: str, key: str) -> None:
    table = pd.DataFrame(points, columns=["x", "y", "line"])
    st.vega_lite_chart(
        table,
        rails(lines, theme.dark(), "true KL, nats", y_title, points=True),
        key=key,
        alt=f"{y_title} of the estimators k1, k2 and k3 against the true KL",
    )
    downloads(key, key, [["true_kl", y_title, "estimator"], *points])


def _said(view: Mapping[str, Any], config: ToyConfig) -> str:
    """What the estimators did at the reader's β and at the farthest policy, from the numbers."""
    at = {one["estimator"]: one for one in view["estimators"] if one["beta"] == config.beta}
    far = {
        one["estimator"]: one for one in view["estimators"] if one["beta"] == min(e["beta"] for e in view["estimators"])
    }
    words = (
        f"At β = {config.beta:g} (true KL {at['k1']['kl']:.3f}): k1 has a bias of {at['k1']['bias']:.3f} and a "
        f"standard deviation of {at['k1']['sd']:.2f}, k2 {at['k2']['bias']:+.3f} and {at['k2']['sd']:.2f}, k3 "
        f"{at['k3']['bias']:.3f} and {at['k3']['sd']:.2f}. Single values of k1 can be negative: it is an estimator, "
        "KL is not."
    )
    if far["k3"]["sd"] > 100 * far["k1"]["sd"]:
        words += (
            f" Beyond what is drawn (β = {far['k3']['beta']:g}, true KL {far['k3']['kl']:.1f}) k3 is "
            f"unbiased only on paper: its mean rests on sequences so rare that {config.samples:,} draws met none, and "
            f"it was off by {far['k3']['measured_bias']:+.2f} nats, k1 by {far['k1']['measured_bias']:+.2f}."
        )
    return words


def claim(view: Mapping[str, Any]) -> str:
    """One sentence of what was computed."""
    best, exact = view["optimum"], view["exact"][-1]
    chosen = view["best_of_n"][-1]
    return (
        f"Where everything can be summed, the best policy is known: {best['reward']:.2f} sd for {best['kl']:.2f} "
        f"nats, and gradient ascent gets there ({exact['reward']:.2f} for {exact['kl']:.2f}). Best of {chosen['n']} "
        f"comes to {chosen['reward']:.2f} for {chosen['kl']:.2f}."
    )

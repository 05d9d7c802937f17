"""From a difference in score to a preferred probability: the logistic curve, and where one pair stands on it."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from core.figures.palette import colour

_REACH = 6.0  # σ(6) = 0.998: beyond it the curve is flat to the eye


def preference(
    difference: float, dark: bool, interval: tuple[float, float] | None = None, members: Sequence[float] = ()
) -> go.Figure:
    """σ(Δ) over Δ = r(A) − r(B), with this pair's Δ marked.

    `interval`: probabilities, drawn as the stretch of the curve between them. `members`: an ensemble's Δ, small marks.
    """
    reach = max(_REACH, *(abs(one) * 1.2 for one in (difference, *members)))
    grid = [reach * (i / 60 - 1) for i in range(121)]
    figure = go.Figure()
    figure.add_scatter(
        x=grid,
        y=[_sigmoid(x) for x in grid],
        mode="lines",
        showlegend=False,
        line={"color": colour("reward", dark), "width": 2},
        hovertemplate="Δ %{x:.2f} → %{y:.1%}<extra></extra>",
    )
    probability = _sigmoid(difference)
    figure.add_scatter(
        x=[difference, difference, -reach],
        y=[0, probability, probability],
        mode="lines",
        showlegend=False,
        hoverinfo="skip",
        line={"color": colour("reference", dark), "dash": "dash", "width": 1},
    )
    if interval:
        ends = [min(reach, max(-reach, _logit(end))) for end in interval]
        inside = [ends[0] + (ends[1] - ends[0]) * i / 40 for i in range(41)]
        figure.add_scatter(
            x=inside,
            y=[_sigmoid(x) for x in inside],
            mode="lines",
            showlegend=False,
            line={"color": colour("reward", dark), "width": 9},
            opacity=0.35,
            hovertemplate=f"95%: {interval[0]:.1%} to {interval[1]:.1%}<extra></extra>",
        )
    if members:
        figure.add_scatter(
            x=list(members),
            y=[_sigmoid(one) for one in members],
            mode="markers",
            showlegend=False,
            marker={"color": colour("policy", dark), "symbol": "line-ns-open", "size": 13, "line": {"width": 2}},
            hovertemplate="a member: Δ %{x:.2f} → %{y:.1%}<extra></extra>",
        )
    figure.add_scatter(
        x=[difference],
        y=[probability],
        mode="markers",
        showlegend=False,
        marker={"color": colour("reward", dark), "symbol": "diamond", "size": 14},
        hovertemplate="this pair: Δ %{x:.2f} → %{y:.1%}<extra></extra>",
    )
    figure.update_layout(
        height=260,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        template="plotly_dark" if dark else "plotly_white",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        xaxis={"title": "Δ = score of A − score of B", "range": [-reach, reach], "zeroline": True},
        yaxis={"title": "probability that A is preferred", "tickformat": ".0%", "range": [-0.02, 1.02]},
    )
    return figure


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability)) if 0 < probability < 1 else math.copysign(700, probability - 0.5)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))

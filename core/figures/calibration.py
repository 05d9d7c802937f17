"""Is a predicted 80 % right four times out of five? Confidence against what was chosen."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from core.figures.palette import colour


def calibration(bins: Sequence[Mapping[str, float]], dark: bool) -> go.Figure:
    """The reliability diagram of a reward model on held-out votes.

    Args:
        bins: each with `confidence` (mean predicted probability of the side the model favours, ½ to 1), `accuracy`
            (how often that side was chosen) and `pairs` (how many: the area of the mark).
        dark: the ground.
    """
    largest = max((row["pairs"] for row in bins), default=1)
    figure = go.Figure()
    figure.add_scatter(
        x=[0.5, 1],
        y=[0.5, 1],
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        line={"color": colour("reference", dark), "dash": "dash", "width": 1.5},
    )
    figure.add_scatter(
        x=[row["confidence"] for row in bins],
        y=[row["accuracy"] for row in bins],
        customdata=[row["pairs"] for row in bins],
        mode="markers+lines",
        showlegend=False,
        line={"color": colour("reward", dark), "width": 1},
        marker={
            "color": colour("reward", dark),
            "symbol": "diamond",
            "size": [8 + 18 * (row["pairs"] / largest) ** 0.5 for row in bins],
        },
        hovertemplate="says %{x:.0%}, right %{y:.0%}<br>%{customdata} held-out votes<extra></extra>",
    )
    figure.add_annotation(x=1.0, y=0.06, text="dashed: perfectly calibrated", showarrow=False, xanchor="right")
    figure.update_layout(
        height=300,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        template="plotly_dark" if dark else "plotly_white",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        xaxis={"title": "probability it gives its favourite", "tickformat": ".0%", "range": [0.48, 1.02]},
        yaxis={"title": "how often that one was chosen", "tickformat": ".0%", "range": [-0.02, 1.04]},
    )
    return figure

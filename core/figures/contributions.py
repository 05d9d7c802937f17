"""A sum and its parts: one bar a part, above or below zero."""

from collections.abc import Sequence

import plotly.graph_objects as go

from core.figures.palette import colour


def contributions(
    names: Sequence[str], along: Sequence[float], norms: Sequence[float], chosen: int | None, dark: bool
) -> go.Figure:
    """What each part adds in the direction of the whole, with its own length on hover; `chosen` is outlined."""
    figure = go.Figure()
    figure.add_bar(
        x=list(along),
        y=list(names),
        customdata=list(norms),
        orientation="h",
        showlegend=False,
        marker={
            "color": [colour("chosen" if value >= 0 else "rejected", dark) for value in along],
            "pattern": {"shape": ["" if value >= 0 else "/" for value in along]},
            "opacity": [1.0 if chosen is None or index == chosen else 0.55 for index in range(len(names))],
        },
        hovertemplate="%{y}: adds %{x:+.3f}; its own length is %{customdata:.3f}<extra></extra>",
    )
    figure.update_layout(
        height=70 + 24 * len(names),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        template="plotly_dark" if dark else "plotly_white",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        xaxis={"title": "added in the direction of the layer's output", "zeroline": True},
        yaxis={"autorange": "reversed"},
    )
    return figure

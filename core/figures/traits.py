"""What a reward model latched on to: how its scores go along with traits that can be computed from the text."""

from collections.abc import Sequence

import plotly.graph_objects as go

from core.figures.palette import colour


def traits(names: Sequence[str], correlations: Sequence[float], reach: Sequence[float], dark: bool) -> go.Figure:
    """A bar a trait: rank correlation with the score, −1 to 1, with the half-width of its 95 % interval."""
    figure = go.Figure()
    figure.add_bar(
        x=list(correlations),
        y=list(names),
        orientation="h",
        showlegend=False,
        error_x={"type": "data", "array": list(reach), "color": colour("reference", dark), "thickness": 1.5},
        marker={
            "color": [colour("chosen" if value >= 0 else "rejected", dark) for value in correlations],
            "pattern": {"shape": ["" if value >= 0 else "/" for value in correlations]},
        },
        hovertemplate="%{y}: %{x:+.2f}<extra></extra>",
    )
    figure.update_layout(
        height=60 + 34 * len(names),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        template="plotly_dark" if dark else "plotly_white",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        xaxis={"title": "rank correlation with the score", "range": [-1, 1], "zeroline": True},
        yaxis={"autorange": "reversed"},
    )
    return figure

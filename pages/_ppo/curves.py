"""PPO's living curves, each with what it is, what is healthy, and what this run's numbers say."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.alignment.ppo_reading.curve_bands import LEVEL, Band, outside
from core.alignment.ppo_reading.reading_curves import CURVES, Curve, few
from core.figures.curves import METRIC_CONCEPTS
from core.figures.named_lines import NamedLine
from core.figures.palette import CONCEPTS, RUNS
from core.figures.run_curves import run_curves
from pages._parts import theme
from pages._parts.downloads import downloads
from pages._parts.series import Row, values_of
from pages._parts.text import minus
from pages._ppo.normal import said_of
from pages._ppo.subject import Subject, bands, comparable, named

_HEIGHT = 170  # pixels, with axis titles
_MOST = len(RUNS) - 1  # runs laid beside the first: as many as can be told apart
_ESTIMATE = "from the samples (k1)"
_EARLY = ":gray-badge[… too early]"


def beside(subject: Subject) -> list[str]:
    """Which other runs' curves to lay beside these; kept in the URL."""
    others = [run.id for run in comparable() if run.id != subject.name]
    others += ["gallery"] if subject.run and named("gallery") else []
    if not others:
        return []
    asked = [name for name in st.query_params.get_all("ppo_with") if name in others]
    chosen = st.multiselect(
        "Lay other runs beside it",
        others,
        default=asked,
        key=f"ppo_with_{subject.name}",
        max_selections=_MOST,
        placeholder="other runs, up to seven",
    )
    if chosen != asked:  # not bound: starting a branch sets it too, and a bound parameter may not be set
        st.query_params["ppo_with"] = chosen
    return chosen


def ppo_curves(subject: Subject, others: Sequence[str] = (), about: str = "outcome") -> None:
    """Two columns of the curves about one thing, a reading under each. Curves that were not recorded are left out."""
    ranges = bands()
    findings = said_of(subject)
    runs = [subject, *(found for name in others if (found := named(name)))]
    if ranges:
        seeds = next(iter(ranges.values())).runs
        st.caption(
            f"Grey: where one more default run on the cached loop's reward model lies with {LEVEL:.0%} probability; "
            f"wide, because it rests on {seeds} runs (`python -m core gallery --only ppo_bands`). Runs with another "
            "reward model, or other settings, may rightly lie elsewhere."
        )
    span = few(len(subject.rows))
    st.caption(
        f"One update is noisy: the sentences compare means over the first {span} and the last {span}."
        if span > 1
        else "So few updates are compared by their first and their last, and one update is noisy."
    )
    shown = [one for one in CURVES if one.about == about and values_of(subject.rows, one.key)]
    for first in range(0, len(shown), 2):
        for column, one in zip(st.columns(2, gap="medium"), shown[first : first + 2], strict=False):
            with column:
                _curve(one, runs, ranges.get(one.key), findings.get(one.key))


def _curve(one: Curve, runs: Sequence[Subject], band: Band | None, found: tuple[str, str] | None) -> None:
    subject, key = runs[0], f"ppo_{one.key.replace('/', '_')}"
    lines, rows = _lines(one, runs)
    data = _table(rows, band)
    st.markdown(f"**{one.title}** · {one.unit}")
    st.vega_lite_chart(
        data,
        run_curves([line for line, _ in lines], theme.dark(), legend=len(runs) > 1, height=_height(len(runs))),
        alt=f"{one.title} against the update; its reading stands below",  # constant: another one builds the chart anew
        key=key,
    )
    mark, reason = found or (_EARLY, one.reading(values_of(subject.rows, one.key)).sentence)
    says = minus(f"{mark} {reason}{_against(subject.rows, one.key, band)}")
    # One element and not three: each takes the browser a while to build.
    st.markdown(f"{_legend(one, runs)}{says}\n\n:small[:gray[{one.what} *Healthy:* {one.healthy}]]")
    downloads(
        key, f"ppo-{one.key.split('/')[-1]}", [list(data.columns), *data.astype(object).fillna("").values.tolist()]
    )


def _legend(one: Curve, runs: Sequence[Subject]) -> str:
    """In words where a curve has two lines; several runs have a legend in the chart."""
    if one.key != "objective/kl_exact" or len(runs) > 1:
        return ""
    return ":small[:orange[dotted: at every token, exact] · :gray[dashed: from the samples, k1]]\n\n"


def _height(runs: int) -> int:
    """With room for the legend under the curves, two names a line."""
    return _HEIGHT if runs == 1 else _HEIGHT + 24 + 20 * -(-runs // 2)


def _lines(one: Curve, runs: Sequence[Subject]) -> tuple[list[tuple[NamedLine, str]], list[tuple[str, Row, str]]]:
    """The lines with their metrics; and (line, row, metric) of every point."""
    if len(runs) > 1:
        lines = [(NamedLine(run.name, RUNS[place]), one.key) for place, run in enumerate(runs)]
        return lines, [(run.name, row, one.key) for run in runs for row in run.rows]
    lines = [(NamedLine(one.title, CONCEPTS[METRIC_CONCEPTS.get(one.key, "policy")]), one.key)]
    if one.key == "objective/kl_exact":
        lines = [
            (NamedLine("at every token, exact", CONCEPTS["kl"]), one.key),
            (NamedLine(_ESTIMATE, CONCEPTS["reference"], 1), "objective/kl"),
        ]
    return lines, [(line.name, row, metric) for line, metric in lines for row in runs[0].rows]


def _table(points: Sequence[tuple[str, Row, str]], band: Band | None) -> pd.DataFrame:
    rows = [(row["step"], row[metric], line, None, None) for line, row, metric in points if row.get(metric) is not None]
    last = max((row["step"] or 0 for _, row, _ in points), default=0)
    if band:
        ends = zip(band.low, band.high, strict=True)
        rows += [(n, None, "", low, high) for n, (low, high) in enumerate(ends, 1) if n <= max(last, 2)]
    return pd.DataFrame(rows, columns=["step", "value", "line", "low", "high"])


def _against(rows: Sequence[Row], metric: str, band: Band | None) -> str:
    """How the run compares with the default ones, in numbers; nothing where there is nothing to compare."""
    if band is None:
        return ""
    values = values_of(rows, metric)
    missed, covered = outside(values, band)
    if not covered:
        return ""
    lies = f"{values[covered - 1]:.3g}; default runs: {band.low[covered - 1]:.3g} to {band.high[covered - 1]:.3g}"
    words = f" Update {covered} alone: {lies}"
    return words + (f"; {missed} of {covered} updates lie outside." if missed else ".")

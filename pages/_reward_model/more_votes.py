"""What more votes would buy: trained on ever more of the same votes, measured on the same unseen ones."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.alignment.cross_examination.vote_counts import by_votes, sizes_up_to
from core.figures.votes_curve import votes_curve
from core.runs.jobs import CurveJob
from core.runs.store import RunStore, Step
from core.share import Share
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._reward_model.again import newest, start_button, watched
from pages._reward_model.subject import Subject

PLAIN = "How much better would it be with more votes? Train it on 32, 64, 128, … of them, and look."


def show(subject: Subject) -> str:
    """The learning curve with its spread over seeds, growing while it is measured. Returns the claim."""
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        _start(subject)
    with picture:
        run = newest(subject, "curve")
        watched(run, _progress)
        rows = _rows(subject)
        if not rows:
            st.info("No learning curve of these votes yet.")
            return PLAIN
        points = by_votes(rows)
        _curve(rows, points, "accuracy", "reward", "held-out accuracy", 0.5, "guessing")
        _curve(rows, points, "log_loss", "rejected", "held-out log-loss (nats)", math.log(2), "saying ½ every time")
        seeds = int(max(row["seed"] for row in rows)) + 1
        subject.badge("reward_curve", f"{seeds} seeds a size, band: mean ± sd" if seeds > 1 else "one seed a size")
    lost = [point["votes"] for point in points if point["log_loss"] > math.log(2)]
    if lost:
        passes = max(row["epochs"] for row in rows if row["votes"] in lost)
        st.markdown(
            f"With up to **{max(lost):,.0f}** votes, gone over {_times(passes)} at most, its log-loss is *worse* than "
            "saying ½ every time: it is sure of itself where it knows nothing."
        )
    st.caption(
        "Every size is trained from nothing and measured on the same held-out votes; a larger set holds the smaller "
        "ones of its seed. Small sets are gone over up to eight times, so that they too get at least 24 steps: a point "
        "under the pointer says how often, and part of a difference between sizes may be the passes'."
        f"{_own_passes(subject, rows)}{_heldout(subject, points)} Look whether the line still rises at its end. It "
        "does not show what votes on *other* pairs would bring."
    )
    show_code(
        "core.alignment.cross_examination.learning_curve:train_curve",
        "core.alignment.cross_examination.vote_counts:epochs_for",
    )
    return _claim(points, seeds)


def _times(passes: float) -> str:
    return "once" if passes == 1 else f"{passes:.0f} times"


def _own_passes(subject: Subject, rows: Sequence[Mapping[str, float]]) -> str:
    """Where the largest set was gone over more often than the run itself did: its point is another model's."""
    most = max(row["votes"] for row in rows)
    passes = max(row["epochs"] for row in rows if row["votes"] == most)
    if passes == subject.reward.epochs:
        return ""
    return (
        f" The run itself went over its votes {_times(subject.reward.epochs)}, the curve's last point {_times(passes)}:"
        " it is not the model under *How good*."
    )


def _heldout(subject: Subject, points: Sequence[Mapping[str, float]]) -> str:
    """How far a share of so many held-out votes may be off, all points alike."""
    result = subject.entry("reward_curve") if subject.cached else (subject.run and subject.run.result)
    held = int((result or {}).get("pairs_heldout") or 0)
    if not held:
        return ""
    low, high = Share(points[-1]["accuracy"] * held, held).interval
    return f" The held-out votes are {held}: chance alone could make the last point {low:.0%} to {high:.0%}."


def _claim(points: Sequence[Mapping[str, float]], seeds: int) -> str:
    if len(points) < 3:
        return PLAIN
    first, before, last = points[0], points[-2], points[-1]
    rise = last["accuracy"] - before["accuracy"]
    noise = max(last["accuracy_sd"], before["accuracy_sd"])
    words = (
        f"From {first['votes']:,.0f} to {last['votes']:,.0f} votes it goes from {first['accuracy']:.0%} to "
        f"{last['accuracy']:.0%} right"
    )
    if seeds == 1:
        return f"{words}, with one seed: whether more votes would help, several of them can tell."
    if rise > noise:
        return f"{words}, and it was still rising: the last step brought {100 * rise:.1f} points."
    return f"{words}; the last step's {100 * rise:+.1f} points are within the spread of the seeds."


def _start(subject: Subject) -> None:
    seeds = st.slider("Seeds", 1, 5, 3, key="curve_seeds", bind="query-params")

    def make(run_id: str) -> CurveJob:
        return CurveJob.checked(of=run_id, model=subject.model, reward=subject.reward, seeds=seeds)

    sizes = ""
    if subject.run and (trained := (subject.run.result or {}).get("pairs_train")):
        several = sizes_up_to(trained)
        if len(several) == 1:
            st.info(f"It learned from {trained} votes, too few for a curve: 36 give its first two sizes, 32 and all.")
            return
        sizes = f" Sizes: {', '.join(f'{size:,}' for size in several)}."
    start_button(subject, "Measure the curve", "curve_start", make, f"In the background, small sizes first.{sizes}")


def _progress(steps: Sequence[Step]) -> str:
    row = steps[-1].metrics
    return f"Last: {row['votes']:.0f} votes, seed {row['seed']:.0f}, {row['heldout/accuracy']:.0%} right."


def _rows(subject: Subject) -> list[dict[str, float]]:
    """One row a training, of the newest curve: also one that is still being measured."""
    if subject.cached:
        return list((subject.entry("reward_curve") or {}).get("rows", []))
    run = newest(subject, "curve")
    return [dict(step.metrics) for step in RunStore().steps(run.id)] if run else []


def _curve(
    rows: Sequence[Mapping[str, float]],
    points: Sequence[Mapping[str, float]],
    name: str,
    concept: str,
    title: str,
    guess: float,
    guess_name: str,
) -> None:
    at = {point["votes"]: point for point in points}
    data: dict[str, list[Any]] = {key: [] for key in ("votes", "value", "mean", "low", "high", "note")}
    for row in rows:
        point = at[row["votes"]]
        mean, sd = point[name], point[f"{name}_sd"]
        note = f"seed {row['seed']:.0f}, {row['epochs']:.0f} pass{'es' if row['epochs'] > 1 else ''}"
        for key, value in zip(data, (row["votes"], row[f"heldout/{name}"], mean, mean - sd, mean + sd, note),
                              strict=True):  # fmt: skip
            data[key].append(value)
    st.vega_lite_chart(
        data,
        votes_curve(concept, theme.dark(), title, guess, guess_name, percent=name == "accuracy"),
        key=f"votes_{name}",
        alt=f"{title} against the number of votes: "
        + ", ".join(f"{point['votes']:.0f}: {point[name]:.3f}" for point in points),
    )
    downloads(f"votes_{name}", f"learning-curve-{name}", [list(data), *zip(*data.values(), strict=True)])

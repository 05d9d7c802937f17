"""The race: who learns to recall the token seen k steps ago, live, and how far back each of the four gets."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.anatomy.race_config import FARTHEST, KINDS, SWEPT_DISTANCES, SWEPT_SEED, RaceConfig
from core.anatomy.race_reading import LEARNED, mean, reach
from core.errors import PlaygroundError
from core.figures.networks import NAMES, lines
from core.gallery import load_entry
from core.runs import supervisor
from core.runs.jobs import RaceJob
from core.runs.store import Run, RunStore, Step
from pages._parts import theme
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.config_form import config_form, other_fields
from pages._parts.downloads import downloads
from pages._parts.run_view import MOVING, run_in_url, watch
from pages._parts.series import Row, rows_of
from pages._parts.text import escaped

ENTRY = "why_transformers_race"
SWEEP = "why_transformers_sweep"
GATES = "why_transformers_gates"
_NEAREST = 5  # the slider's shortest distance
_HEIGHT = 300


def show() -> str:
    """Curves of the race in the URL or of the cached one, accuracy against k, controls; returns the claim."""
    run = run_in_url("race")
    entry = load_entry(ENTRY)
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        distance = _controls(run)
    with picture:
        if run:
            _of_run(run, entry)
        else:
            left, right = st.columns(2, gap="medium")
            with left:
                _of_gallery(entry, distance)
            with right:
                _against_distance(entry, distance)
    _task(entry)
    return claim(entry)


def _controls(run: Run | None) -> int:
    default = RaceConfig()
    distance = st.slider(
        "k: how many steps ago", _NEAREST, FARTHEST, default.distance, key="race_k", bind="query-params"
    )
    values = config_form(default, ("seed",), prefix="race")
    start = st.container()
    with st.popover("More", icon=":material/tune:", width="stretch"):
        values |= config_form(default, other_fields(default, ("distance", "seed")), prefix="race")
    if start.button(
        "Race",
        type="primary",
        icon=":material/play_arrow:",
        key="race_start",
        width="stretch",
        help="Runs in the background: you may leave this page. Pause, step and stop stand above its curves.",
    ):
        try:
            st.query_params["run"] = supervisor.submit(RaceJob.checked(distance=distance, **values))
        except PlaygroundError as error:
            st.error(escaped(str(error)))
            return distance
        st.rerun()
    if run and st.button("Back to the cached races", icon=":material/undo:", key="race_back", width="stretch"):
        st.query_params.pop("run", None)
        st.rerun()
    return distance


def _of_run(run: Run, entry: Mapping[str, Any] | None) -> None:
    config = run.config
    distance = int(config.get("distance", 1))

    def draw(now: Run, steps: Sequence[Step]) -> None:
        rows = rows_of(steps, "race")
        left, right = st.columns(2, gap="medium")
        with left:
            st.markdown(f"**Accuracy while learning**, k = {distance}")
            _curves(_points(rows), int(config.get("steps", 1)), int(config.get("vocabulary", 8)))
            downloads("race_curves", f"race_{now.id}", _table(rows))
            if not rows:
                st.caption(
                    "The first measurement appears by itself." if now.status in MOVING else "Nothing was recorded."
                )
            sizes = _sizes((now.result or {}).get("parameters"))
            badge("live", seed=config.get("seed"), run=now.id, note=sizes)
        with right:
            _against_distance(entry, distance)

    watch(run.id, draw)


def _points(rows: Sequence[Row]) -> pd.DataFrame:
    points = [
        (NAMES[kind], row["step"], row[f"accuracy/{kind}"], None, None)
        for kind in KINDS
        for row in rows
        if row.get(f"accuracy/{kind}") is not None
    ]
    return pd.DataFrame(points, columns=["network", "x", "y", "low", "high"])


def _table(rows: Sequence[Row]) -> list[list[Any]]:
    return [["step", *KINDS], *([row["step"], *(row.get(f"accuracy/{kind}") for kind in KINDS)] for row in rows)]


def _curves(points: pd.DataFrame, steps: int, vocabulary: int) -> None:
    st.vega_lite_chart(
        points,
        lines(
            KINDS,
            theme.dark(),
            "optimiser step",
            "held-out accuracy",
            height=_HEIGHT,
            legend_columns=2,
            share=True,
            points=14,
            rule=1 / vocabulary,
            rule_name="guessing",
            x_range=(0, steps),
        ),
        key="race_curves",
        alt="Held-out accuracy of the four networks against the optimiser step",
    )


def _of_gallery(entry: Mapping[str, Any] | None, distance: int) -> None:
    curves = entry["data"]["curves"].get(str(distance)) if entry else None
    st.markdown(f"**Accuracy while learning**, k = {distance}")
    if entry is None or curves is None:
        known = ", ".join(entry["data"]["curves"]) if entry else "none"
        st.info(f"No race was run yet at k = {distance}: press *Race*. Those cached: {known}.")
        return
    rows: list[Row] = [
        {"step": step, **{f"accuracy/{kind}": curves[kind][place] for kind in KINDS}}
        for place, step in enumerate(curves["step"])
    ]
    _curves(_points(rows), entry["key"]["steps"], entry["key"]["vocabulary"])
    downloads("race_curves", f"race_{distance}", _table(rows))
    seeds = entry["data"]["seeds"]
    badge("cached", note=f"mean of seeds {', '.join(map(str, seeds))} · {_sizes(entry['data']['parameters'])}")


def _sizes(parameters: Mapping[str, int] | None) -> str:
    if not parameters:
        return ""
    return "weights: " + ", ".join(f"{NAMES[kind]} {count:,}" for kind, count in parameters.items())


def _against_distance(entry: Mapping[str, Any] | None, distance: int) -> None:
    """Final accuracy against k: the cached races, and the reader's own finished ones at the same settings but k and "
    "seed."""
    st.markdown("**Accuracy at the end**, against k")
    if entry is None:
        st.info("No cached races: run `python -m core gallery --only why_transformers_race`.")
        return
    final = {int(k): dict(networks) for k, networks in entry["data"]["final"].items()}
    own = _own_races(entry["key"])
    for k, accuracies in own:
        final[k] = {kind: [*final.get(k, {}).get(kind, []), accuracies[kind]] for kind in KINDS}
    points = [
        (NAMES[kind], k, mean(final[k][kind]), min(final[k][kind]), max(final[k][kind]))
        for kind in KINDS
        for k in sorted(final)
    ]
    table = pd.DataFrame(points, columns=["network", "x", "y", "low", "high"])
    st.vega_lite_chart(
        table,
        lines(
            KINDS,
            theme.dark(),
            "k, steps ago (logarithmic)",
            "accuracy on 2,000 fresh sequences",
            height=_HEIGHT,
            legend_columns=2,
            log_x=True,
            share=True,
            points=50,
            x_values=sorted({int(k) for k in entry["data"]["final"]}),
            marks=[distance],
            rule=1 / entry["key"]["vocabulary"],
            rule_name="guessing",
        ),
        key="race_final",
        alt="Final accuracy of the four networks against how many steps ago the token was seen",
    )
    downloads("race_final", "recall_against_distance", [list(table.columns), *table.itertuples(index=False)])
    mine = f" · with {len(own)} of your own" if own else ""
    badge("cached", note=f"mean and range over the seeds{mine} · {entry['command']}")


def _own_races(key: Mapping[str, Any]) -> list[tuple[int, Mapping[str, float]]]:
    def comparable(config: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in config.items() if name not in ("distance", "seed")}

    return [
        (int(run.config["distance"]), run.result["accuracy"])
        for run in RunStore().list("race")
        if run.status == "finished" and run.result and comparable(run.config) == comparable(key)
    ]


def _task(entry: Mapping[str, Any] | None) -> None:
    st.subheader("The task, and what is equal", anchor=False)
    st.latex(r"\mathcal{L} = -\log p_\theta\big(x_{T-k}\,\big|\,x_{T-k},\dots,x_T\big),\qquad x_t \sim \text{uniform}")
    config = RaceConfig(**entry["key"]) if entry else RaceConfig()
    st.markdown(
        f"A sequence of k + 1 random tokens out of {config.vocabulary}; behind the last one, name the first. The same "
        f"sequences, {config.steps} steps of {config.batch}, Adam, gradients clipped at {config.grad_clip:g}, and as "
        "many weights for each: "
        + (_sizes(entry["data"]["parameters"]).removeprefix("weights: ") if entry else "within 3 %")
        + ". Recurrent matrices start orthogonal, the LSTM's forget bias at 1, as is usual."
    )
    sweep = load_entry(SWEEP)
    if sweep:
        best = ", ".join(f"{NAMES[kind]} {rate:g}" for kind, rate in sweep["data"]["best"].items())
        st.caption(
            f"Each network has its own learning rate, the best of "
            f"{', '.join(f'{rate:g}' for rate in sweep['key']['rates'])} "
            f"on seed {SWEPT_SEED} at k = {', '.join(map(str, SWEPT_DISTANCES))}: {best}."
        )
    gates = load_entry(GATES)
    if gates:
        measured = ", ".join(
            f"bias {float(bias):g}: {mean(seeds):.0%}" for bias, seeds in gates["data"]["accuracy"].items()
        )
        st.markdown(
            f"**The gate decides.** The LSTM at k = {gates['key']['distance']}, its forget gate opened wider at the "
            f"start, mean of {len(gates['data']['seeds'])} seeds: {measured}. Where the gradient arrives, it learns: "
            "compare the slider of *Gradients through time*."
        )
    blind = entry["data"]["without_positions"] if entry else {}
    if blind:
        measured = ", ".join(f"{curve[-1]:.0%} at k = {k}" for k, curve in blind.items())
        st.caption(
            "The transformer needs its learned positions for this: attention alone sees a bag of tokens. Without them "
            f"it reaches {measured}; guessing is {1 / config.vocabulary:.0%}."
        )
    st.caption(
        "*Not shown*: what a recurrence can do at best. More steps, a curriculum or another start carry it farther; "
        "here all four get the same short training. And one token is little to keep: a state of fixed size is full "
        "some day."
    )
    show_code(
        "core.anatomy.recall_race:run_race",
        "core.anatomy.recall_race:sequences",
        "core.anatomy.recall_race:recall_loss",
        "core.anatomy.recall_networks:Recurrent",
        "core.anatomy.recall_networks:Transformer",
    )


def claim(entry: Mapping[str, Any] | None) -> str:
    """One sentence that the measured accuracies make."""
    if entry is None:
        return "Four networks of one size learn to recall a token: how far back does each of them get?"
    reached = reach(entry["data"]["final"])
    far = [
        f"the {NAMES[kind]} {f'to {reached[kind]}' if reached[kind] else 'nowhere'}" for kind in ("rnn", "lstm", "gru")
    ]
    farthest = max(map(int, entry["data"]["final"]))
    mind = (
        f"the transformer recalls any of {farthest} steps back"
        if reached["transformer"] == farthest
        else f"the transformer gets to {reached['transformer'] or 'nowhere'}"
    )
    return f"After the same short training {mind}; {', '.join(far)} (at least {LEARNED:.0%} right, every seed)."

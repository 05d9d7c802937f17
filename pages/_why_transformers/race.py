"""The race: who learns to recall the token seen k steps ago, live, and how far back each of the four gets."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.anatomy.race_config import FARTHEST, KINDS, SWEPT_DISTANCES, SWEPT_SEED, RaceConfig
from core.anatomy.race_reading import LEARNED, reach
from core.errors import PlaygroundError
from core.figures.networks import NAMES
from core.gallery import load_entry
from core.runs import supervisor
from core.runs.jobs import RaceJob
from core.runs.store import Run, Step
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.config_form import config_form, other_fields
from pages._parts.downloads import downloads
from pages._parts.run_view import MOVING, run_in_url, watch
from pages._parts.series import Row, rows_of
from pages._parts.text import escaped
from pages._why_transformers.numbers import short
from pages._why_transformers.race_pictures import (
    against_distance,
    chosen_metric,
    draw_curves,
    points_of,
    sizes_in_words,
    table_of,
)

ENTRY = "why_transformers_race"
SWEEP = "why_transformers_sweep"
GATES = "why_transformers_gates"
_NEAREST = 5  # the slider's shortest distance


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
                against_distance(entry, distance)
    _task(run, entry, distance)
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
            shown = chosen_metric(distance)
            draw_curves(points_of(rows, shown), int(config.get("steps", 1)), int(config.get("vocabulary", 8)), shown)
            downloads(f"race_curves_{shown}", f"race_{now.id}", table_of(rows))
            if not rows:
                st.caption(
                    "The first measurement appears by itself." if now.status in MOVING else "Nothing was recorded."
                )
            words = sizes_in_words((now.result or {}).get("parameters"))
            badge("live", seed=config.get("seed"), run=now.id, note=words)
        with right:
            against_distance(entry, distance)

    watch(run.id, draw)


def _of_gallery(entry: Mapping[str, Any] | None, distance: int) -> None:
    curves = entry["data"]["curves"].get(str(distance)) if entry else None
    shown = chosen_metric(distance)
    if entry is None or curves is None:
        known = ", ".join(entry["data"]["curves"]) if entry else "none"
        st.info(f"No race was run yet at k = {distance}: press *Race*. Those cached: {known}.")
        return
    rows: list[Row] = [{name: values[place] for name, values in curves.items()} for place in range(len(curves["step"]))]
    draw_curves(points_of(rows, shown), entry["key"]["steps"], entry["key"]["vocabulary"], shown)
    downloads(f"race_curves_{shown}", f"race_{distance}", table_of(rows))
    seeds = entry["data"]["seeds"]
    badge("cached", note=f"mean of seeds {', '.join(map(str, seeds))} · {sizes_in_words(entry['data']['parameters'])}")


def _reason(curves: Mapping[str, Any], distance: int) -> None:
    """Who could learn it: what the wanted token counted at the first measurement and at the last."""
    parts = [
        f"{NAMES[kind]} {short(curves[f'influence/{kind}'][0])} → {short(curves[f'influence/{kind}'][-1])}"
        for kind in KINDS
    ]
    st.markdown(
        f"**Who could learn it.** What the wanted token, {distance} back, counts in the answer, ‖∂z/∂x‖ after "
        f"{curves['step'][0]} steps → after {curves['step'][-1]}: {', '.join(parts)}. An error is multiplied by this "
        "on its way back: where next to nothing arrives, there is nothing to learn from; a gate can be learned open as "
        "long as something does."
    )


def _task(run: Run | None, entry: Mapping[str, Any] | None, distance: int) -> None:
    st.subheader("The task, and what is equal", anchor=False)
    st.latex(r"\mathcal{L} = -\log p_\theta\big(x_{T-k}\,\big|\,x_{T-k},\dots,x_T\big),\qquad x_t \sim \text{uniform}")
    if run:  # what was asked of the run in the picture, which knows its networks' sizes when it is over
        settings, parameters = run.config, (run.result or {}).get("parameters")
    else:
        settings = entry["key"] if entry else {}
        parameters = entry["data"]["parameters"] if entry else None
    config = RaceConfig(**settings)
    st.markdown(
        f"A sequence of k + 1 random tokens out of {config.vocabulary}; after the last one, name the first. The same "
        f"sequences, {config.steps} steps of {config.batch}, Adam, gradients clipped at {config.grad_clip:g}, and as "
        "many weights for each: "
        + (sizes_in_words(parameters).removeprefix("weights: ") or "within 3 %")
        + ". Recurrent matrices start orthogonal, the LSTM's forget bias at 1, as is usual."
    )
    if not run and entry and str(distance) in entry["data"]["curves"]:
        _reason(entry["data"]["curves"][str(distance)], distance)
    sweep = load_entry(SWEEP)
    if sweep:
        best = ", ".join(f"{NAMES[kind]} {rate:g}" for kind, rate in sweep["data"]["best"].items())
        st.caption(
            "Each network has its own learning rate, the best of "
            f"{', '.join(f'{rate:g}' for rate in sweep['key']['rates'])} "
            f"on seed {SWEPT_SEED} at k = {', '.join(map(str, SWEPT_DISTANCES))}: {best}."
        )
    gates = load_entry(GATES)
    if gates:
        measured = "; ".join(
            f"bias {float(bias):g}: {', '.join(f'{one:.0%}' for one in seeds)}"
            for bias, seeds in gates["data"]["accuracy"].items()
        )
        st.markdown(
            f"**What a wider open gate changes.** The LSTM at k = {gates['key']['distance']} with its forget gate "
            f"opened wider at the start, {len(gates['data']['seeds'])} seeds each: {measured}. Open it yourself: "
            "*More*, forget bias."
        )
        blind = ", ".join(f"{one:.0%} at k = {k}" for k, one in gates["data"]["without_positions"].items())
        st.caption(
            "The transformer needs its learned positions for this: attention by itself reads a bag of tokens, and only "
            "the causal mask, over several layers, tells what came first. Without positions it "
            f"reaches {blind}; guessing is {1 / config.vocabulary:.0%}."
        )
    st.caption(
        "*Not shown*: what a recurrence can do at best. More steps, a curriculum or another start carry it farther; "
        "here all four get the same short training. And one token is little to keep: a state of fixed size "
        "eventually fills up."
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
        f"the transformer recalls a token from {farthest} steps back"
        if reached["transformer"] == farthest
        else f"the transformer gets to {reached['transformer'] or 'nowhere'}"
    )
    return f"After the same short training {mind}; {', '.join(far)} (at least {LEARNED:.0%} right, every seed)."

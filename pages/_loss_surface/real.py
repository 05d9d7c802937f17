"""The real reward model: its loss in a plane through its own weights, and the steps its optimiser took."""

from typing import Any

import streamlit as st

from core.alignment.loss_surface.surface_view import read_view
from core.gallery import load_entry
from core.runs.store import Run
from pages._loss_surface.measuring import asked_for, measuring_form
from pages._loss_surface.real_picture import draw, explain, percent, shown_place
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.run_view import MOVING, watch

_OWN = "real_own"  # key of the reader's own picture
_ENTRIES = {"path": "loss_surface", "random": "loss_surface_random"}
_PLANES = {"its own path": "path", "random directions": "random"}


def real_model() -> str:
    """Draw the part; returns the page's claim."""
    picture, controls = st.columns([3, 1], gap="large")
    run = asked_for()
    with controls:
        through = st.radio(
            "A plane through",
            list(_PLANES),
            index=list(_PLANES.values()).index(run.config["plane"]) if run else 0,
            key="real_plane",
            bind="query-params",
            help="*its own path*: the two directions in which its weights moved most. *random directions*: two at "
            "random, each filter as long as the model's own.",
        )
        plane = _PLANES[through]
        measuring_form(plane)
    with picture:
        view = _of_run(run) if run else _of_gallery(plane)
    if view:
        explain(view, shown_place(_OWN if run else f"real_{plane}", view))
    show_code(
        "core.alignment.loss_surface.plane:path_plane",
        "core.alignment.loss_surface.plane:filter_normalised",
        "core.alignment.loss_surface.loss_at:LossAt",
    )
    return _claim(view)


def _of_run(run: Run) -> dict[str, Any] | None:
    watch(run.id, lambda shown, _: _draw_run(shown), heard=True)
    return None if run.status in MOVING else read_view(run.folder)


def _draw_run(run: Run) -> None:
    view = read_view(run.folder)
    if view is None:
        if run.status in MOVING:
            st.caption("The first points appear here by themselves.")
        return
    draw(view, _OWN)
    badge("live", model=view["model"], seed=view["seed"], run=str(run.config["run"]), note=_measured(view))


def _of_gallery(plane: str) -> dict[str, Any] | None:
    entry = load_entry(_ENTRIES[plane])
    if entry is None:
        st.info("This surface has not been computed yet: `python -m core gallery --only loss_surface`.")
        return None
    draw(entry["data"], f"real_{plane}")
    badge(
        "cached",
        model=entry["model"],
        seed=entry["key"]["seed"],
        note=f"{_measured(entry['data'])} · Sunny voted · {entry['command']}",
    )
    return dict(entry["data"])


def _measured(view: dict[str, Any] | None) -> str:
    if view is None:
        return ""
    points = sum(value is not None for row in view["values"] for value in row)
    of = len(view["xs"]) * len(view["ys"])
    borrowed = "" if points == of else ", the others borrow their neighbour's value until then"
    pairs = f"{view['pairs']} fixed pairs of {view['of']:,} trained on"
    apart = view.get("rounding")  # views of a grid in float32 have none
    rounded = "" if apart is None else f" · the grid in bfloat16, {apart:.0e} off at most where both were measured"
    return f"{pairs} · {points} of {of} points measured{borrowed}{rounded}"


def _claim(view: dict[str, Any] | None) -> str:
    losses = [place["measured"] for place in view["places"]] if view else []
    if view is None or None in losses:
        return "A trained transformer's own path downhill, on the ground it really walked on."
    return (
        f"A transformer of {view['weights'] / 1e6:.1f} million weights walked from a loss of {losses[0]:.3f} to "
        f"{losses[-1]:.3f}. This plane holds {percent(sum(view['shares']))} of that movement."
    )

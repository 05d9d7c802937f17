"""Measuring the loss of a trained reward model over a plane, coarse to fine, with the path it really took."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.alignment.configs import RewardConfig
from core.alignment.loss_surface.config import SurfaceConfig
from core.alignment.loss_surface.levels import COARSEST, order_of
from core.alignment.loss_surface.loss_at import LossAt
from core.alignment.loss_surface.plane import Plane, path_plane, random_plane, transposed_weights
from core.alignment.loss_surface.surface_view import VIEW_FILE
from core.alignment.loss_surface.trail import Trail
from core.alignment.probe import probe_pairs
from core.alignment.reward_training import split_by_prompt, untrained
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.files import write_whole
from core.language.configs import LORA_FROM
from core.language.precision import rounds
from core.language.registry import load_policy
from core.record import Record

_AROUND = 0.35  # of the path's extent, drawn beyond it on every side
_NARROWEST = 0.4  # of the wider side: a path that hardly turns still gets a picture
_RANDOM_REACH = 1.0  # every filter changed by its own length, as in Li et al. (2018)
_A_RECORD = 6  # points


@dataclass(frozen=True)
class Kept:
    """Weights kept on the way: behind which optimiser step, where, and the probe loss recorded there."""

    step: int
    folder: Path
    recorded: float | None


@dataclass(frozen=True)
class Trained:
    """A reward training that is to be looked at."""

    model: str  # the policy whose trunk it began with
    config: RewardConfig
    pairs: Sequence[PreferencePair]  # all of them, as training split them
    kept: Sequence[Kept]
    went_to: int = 0  # the step that training came to before it put the last of `kept` back; 0 where that is not known


def run_surface(
    config: SurfaceConfig, trained: Trained, folder: Path, state: dict[str, Any] | None = None
) -> Iterator[Record]:
    """Measure the loss at every kept place, below it on the plane, and over the grid.

    In float32; the grid in bfloat16 where that is faster, unless `config.exact`: on a processor it takes half the time.
    Below the places both are then measured, and what rounding changes is the largest difference of the two.

    `surface.json` in `folder` always holds what has been measured so far: see `Drawing.view`. Each record is a few
    points; the last one's `result` has the share of the path's variance that the plane explains, and the largest
    difference between a loss recorded in training and the one measured here at the same weights.
    """
    drawing = Drawing(config, trained, rounded=state["rounded"] if state else None)
    total = len(drawing.tasks)
    done = list(state["losses"]) if state else []
    seconds, began = (state["seconds"] if state else 0.0), time.monotonic()
    while len(done) < total:
        until = min(total, len(done) + _A_RECORD)
        done += [drawing.measure(task) for task in range(len(done), until)]
        view = drawing.view(done)
        write_whole(folder / VIEW_FILE, json.dumps(view))
        spent = seconds + time.monotonic() - began
        result = None
        if len(done) == total:
            recorded = [abs(p["measured"] - p["recorded"]) for p in view["places"] if p["recorded"] is not None]
            result = {
                "points": config.points**2,
                "pairs": view["pairs"],
                "variance_explained": sum(view["shares"]),
                "largest_difference_to_recorded": max(recorded, default=None),
                "largest_rounding": view["rounding"],
                "seconds": spent,
            }

        def saved(losses: list[float] = list(done), seconds: float = spent) -> dict[str, Any]:  # noqa: B006
            return {"losses": losses, "seconds": seconds, "rounded": drawing.rounded}

        metrics = {"points": float(len(done)), "loss": done[-1]}
        yield Record(
            math.ceil(len(done) / _A_RECORD),
            metrics,
            "surface",
            total=math.ceil(total / _A_RECORD),
            state=saved,
            result=result,
        )


class Drawing:
    """The plane, the grid over it, and what is to be measured in which order."""

    def __init__(self, config: SurfaceConfig, trained: Trained, rounded: bool | None = None) -> None:
        """`rounded`: whether the grid is measured in bfloat16, as one begun elsewhere is; else what is faster here.

        Raises PlaygroundError when too few weights were kept, or they cannot be opened.
        """
        if not trained.kept:
            raise PlaygroundError(f"{config.run} has kept no weights on the way: train with weights_kept above 0")
        policy, tokenizer = load_policy(trained.model)
        model = untrained(policy, tokenizer, trained.config)
        small = policy.num_parameters() < LORA_FROM  # trained whole: its start is known
        trail = Trail(model, [one.folder for one in trained.kept], start=small)
        train, _ = split_by_prompt(trained.pairs, trained.config.heldout_share, trained.config.seed)
        probe = probe_pairs(train, trained.config.seed, config.pairs or len(train))
        if config.plane == "path":
            plane = path_plane(trail)
        else:
            plane = random_plane(trail, transposed_weights(model), config.seed)
        device = policy.device
        self.plane = replace(plane, origin=plane.origin.to(device), u=plane.u.to(device), v=plane.v.to(device))
        self.xs, self.ys = grid_of(self.plane, config)
        grid = [("grid", row, column) for row, column in order_of(config.points)]
        self.rounded = rounds(device) and not config.exact if rounded is None else rounded
        kinds = ("place", "below", "rounded") if self.rounded else ("place", "below")
        places = [(kind, place, 0) for kind in kinds for place in range(len(trail))]
        self.tasks = grid[: COARSEST**2] + places + grid[COARSEST**2 :]
        self._config, self._kept, self._trail = config, list(trained.kept), trail
        self._loss_at = LossAt(model, tokenizer, probe, trained.config.max_tokens)
        self._steps = [0] * small + [one.step for one in trained.kept]
        same_probe = len(probe) == len(probe_pairs(train, trained.config.seed))  # else nothing was recorded on these
        self._recorded: list[float | None] = [None] * small
        self._recorded += [one.recorded if same_probe else None for one in trained.kept]
        self._facts = {
            "pairs": len(probe),
            "of": len(train),
            "model": trained.model,
            "seed": trained.config.seed,
            "went_to": trained.went_to,
            "weights": len(self.plane.origin),
        }

    def measure(self, task: int) -> float:
        """The loss that task number `task` asks for."""
        kind, first, second = self.tasks[task]
        plane = self.plane
        if kind == "place":
            return self._loss_at(self._trail.at(first))
        x, y = (self.xs[second], self.ys[first]) if kind == "grid" else plane.places[first]
        rounded = self.rounded and kind != "below"
        return self._loss_at.on_plane(plane.origin, plane.u, plane.v, float(x), float(y), rounded)

    def view(self, losses: Sequence[float]) -> dict[str, Any]:
        """What is known after the first tasks: plain numbers, None where not measured yet.

        `xs`, `ys`, `values` [row of y][column of x]; `shares` of the path's variance; `places`, each with its optimiser
        `step`, `x`, `y`, distances `beside` the plane and `far` from the end, the loss `recorded` in training,
        `measured` here at the same weights, and measured `below` it on the plane. `rounding`: by how much at most the
        grid's way differs from float32 below the places; None for a grid in float32. `weights`: how many are trained.
        `went_to`: the step that training came to before early stopping put the last place's weights back.
        """
        values: list[list[float | None]] = [[None] * len(self.xs) for _ in self.ys]
        at: dict[str, dict[int, float]] = {"place": {}, "below": {}, "rounded": {}}
        for (kind, first, second), loss in zip(self.tasks, losses, strict=False):
            if kind == "grid":
                values[first][second] = loss
            else:
                at[kind][first] = loss
        places = [
            {
                "step": step,
                "x": float(self.plane.places[index, 0]),
                "y": float(self.plane.places[index, 1]),
                "beside": float(self.plane.beside[index]),
                "far": float(self.plane.far[index]),
                "recorded": recorded,
                "measured": at["place"].get(index),
                "below": at["below"].get(index),
            }
            for index, (step, recorded) in enumerate(zip(self._steps, self._recorded, strict=True))
        ]
        apart = [abs(loss - at["below"][index]) for index, loss in at["rounded"].items()]
        return {
            "plane": self._config.plane,
            "xs": self.xs.tolist(),
            "ys": self.ys.tolist(),
            "values": values,
            "shares": list(self.plane.shares),
            "places": places,
            "rounding": max(apart, default=None),
            "done": len(losses),
            "total": len(self.tasks),
            **self._facts,
        }


def grid_of(plane: Plane, config: SurfaceConfig) -> tuple[np.ndarray, np.ndarray]:
    """The coordinates of the grid: around the path with room on every side, or once each way at random."""
    if config.plane == "random":
        axis = np.linspace(-_RANDOM_REACH, _RANDOM_REACH, config.points)
        return axis, axis.copy()
    low, high = plane.places.min(0), plane.places.max(0)
    half = (high - low) * (0.5 + _AROUND)
    half = np.maximum(half, _NARROWEST * half.max())
    middle = (low + high) / 2
    xs, ys = (np.linspace(middle[axis] - half[axis], middle[axis] + half[axis], config.points) for axis in (0, 1))
    return xs, ys

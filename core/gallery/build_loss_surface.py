"""What the page Loss surface opens on: one reward model trained here, and its loss around the path it took."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from core.alignment.configs import RewardConfig
from core.alignment.cross_examination.run_pairs import read_run_pairs
from core.alignment.loss_surface.config import SurfaceConfig
from core.alignment.loss_surface.surface_run import Drawing, Kept, Trained
from core.alignment.runs import run_reward
from core.runs.shelf import Shelf, weight_folders

MODEL = "storyteller"
SOURCE = "simulated:sunny:1024"
NAMES: dict[Literal["path", "random"], str] = {"path": "loss_surface", "random": "loss_surface_random"}


def build(plane: Literal["path", "random"]) -> None:
    """Train the reward model, the same each time, and measure one plane through its end."""
    from core.gallery.build import write_view  # it lists the entries of this module

    config, entry = RewardConfig(), NAMES[plane]
    with tempfile.TemporaryDirectory() as name:
        drawing = Drawing(SurfaceConfig(run=entry, plane=plane, exact=True), _trained(Path(name), config))
        tasks = tqdm(range(len(drawing.tasks)), desc=entry, unit="point", disable=None)
        view = drawing.view([drawing.measure(task) for task in tasks])
    key = {"source": SOURCE, "seed": config.seed, "plane": plane, "config": config.model_dump()}
    write_view(entry, key, view)


def _trained(folder: Path, config: RewardConfig) -> Trained:
    """The reward model, trained as a run trains it, with its weights on a shelf in `folder`."""
    shelf, steps = Shelf(folder), dict[int, Any]()
    for number, record in enumerate(tqdm(run_reward((SOURCE,), MODEL, config, folder), unit="step", disable=None), 1):
        if record.snapshot:
            shelf.keep_weights(number, record.snapshot)
            steps[number] = record
    kept = [
        Kept(steps[number].step, weights, steps[number].metrics["probe/loss"])
        for number, weights in weight_folders(folder).items()
    ]
    return Trained(MODEL, config, [one.pair for one in read_run_pairs(folder)], kept)


ENTRIES: dict[str, Callable[[], None]] = {name: partial(build, plane) for plane, name in NAMES.items()}

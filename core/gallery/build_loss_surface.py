"""What the page Loss surface opens on: one reward model trained here, and its loss around the path it took."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.alignment.configs import RewardConfig
from core.alignment.loss_surface.config import SurfaceConfig
from core.alignment.loss_surface.surface_run import Drawing, Kept, Trained
from core.alignment.run_pairs import read_run_pairs
from core.alignment.runs import run_reward
from core.runs.shelf import Shelf, weight_folders

MODEL = "storyteller"
SOURCE = "simulated:sunny:1024"
NAMES = {"path": "loss_surface", "random": "loss_surface_random"}


def build_loss_surface() -> None:
    """Train the reward model once, then measure both planes: about a quarter of an hour."""
    from core.gallery.build import write_view  # it lists the entries of this module

    config = RewardConfig()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trained = _trained(folder, config)
        for plane, entry in NAMES.items():
            surface = SurfaceConfig(run=entry, plane=plane)
            drawing = Drawing(surface, trained)
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


ENTRIES: dict[str, Callable[[], None]] = {"loss_surface": build_loss_surface}

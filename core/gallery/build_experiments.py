"""What the pages Goodhart, Frontier and Clinic open on: the experiments with their defaults, and the toy language."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.alignment.experiments import clinic, frontier, goodhart, tastes
from core.alignment.experiments.configs import ClinicConfig, FrontierConfig, GoodhartConfig, TastesConfig
from core.alignment.experiments.setting import Setting
from core.alignment.experiments.toy_views import ToyConfig, toy_view
from core.config import Config
from core.record import Record, no_controls

Run = Callable[[Any, Path], Iterator[Record]]
_EXPERIMENTS: dict[str, tuple[Run, Config]] = {
    "goodhart": (goodhart.run_goodhart, GoodhartConfig(seeds=2)),
    "goodhart_curious": (goodhart.run_goodhart, GoodhartConfig(annotator="curious")),
    "frontier": (frontier.run_frontier, FrontierConfig(seeds=3)),
    "clinic": (clinic.run_clinic, ClinicConfig()),
    "tastes": (tastes.run_tastes, TastesConfig()),
}


def build(name: str) -> None:
    """Run the experiment called `name` as long as it takes, and write its entry."""
    run, config = _EXPERIMENTS[name]
    with tempfile.TemporaryDirectory() as folder, tqdm(desc=name, unit="step", disable=None) as bar:
        for record in run(config, Path(folder)):
            bar.set_description(f"{name}: {record.stage}")
            bar.update()
        write_findings(name, config, (record.result or {})["findings"], Path(folder))


def write_findings(name: str, config: Config, findings: list[dict[str, Any]], folder: Path) -> None:
    """The entry of a finished experiment whose files are in `folder`."""
    from core.gallery.build import write_view  # it lists the entries of this module

    data: dict[str, Any] = {"findings": findings}
    if isinstance(config, GoodhartConfig):
        setting = Setting(config.model, config.annotator, config.seed, folder, no_controls)
        scale = setting.scale()
        texts = ((pair.prompt, text) for pair in setting.pool() for text in (pair.left, pair.right))
        data["golds"] = [round(scale.of(setting.annotator.utility(*both)), 3) for both in texts]
    write_view(name, json.loads(config.model_dump_json()), data)


def _toy() -> None:
    from core.gallery.build import write_view

    config = ToyConfig()
    write_view("toy", config.model_dump(), toy_view(config), bundled=False)


_VIEWS: Mapping[str, Callable[[], None]] = {name: partial(build, name) for name in _EXPERIMENTS}
ENTRIES: dict[str, Callable[[], None]] = {**_VIEWS, "toy": _toy}

"""Whether a person may have a run: nothing that its config names may be somebody else's, or a file of the machine."""

from collections.abc import Mapping
from typing import Any

from core.feedback.own_prompts import OWN
from core.feedback.prompts import prompt_sets
from core.feedback.store import FeedbackStore
from core.hosting.ownership import check_annotator
from core.hosting.people import person
from core.hosting.permission import check_file, check_folder, check_model, check_run

_MODELS = ("model", "policy", "first")  # fields, by what they name
_RUNS = ("of", "run")


def check_config(config: Mapping[str, Any]) -> None:
    """Hold what a new run is to open against all of the above. Raises PlaygroundError for the first that fails."""
    if person() is None:
        return
    for field, value in config.items():
        if isinstance(value, Mapping):
            check_config(value)
        elif field in _MODELS and value:
            check_model(value)
        elif field in _RUNS and value:
            check_run(value)
        elif field == "reward_model" and value:
            check_folder(value)
        elif field == "prompts" and value:
            _check_prompts(value)
        elif field == "preferences":
            for source in value:
                _check_source(source)
        elif field == "data":
            check_file(value)


def _check_prompts(name: str) -> None:
    """Raises PlaygroundError for somebody else's prompts, and for a file."""
    if name.startswith(OWN):
        check_annotator(name.removeprefix(OWN))
    elif name not in [known.name for known in prompt_sets()]:
        check_file(name)


def _check_source(source: str) -> None:
    """Raises PlaygroundError for somebody else's votes or data set, and for a file. See `core.feedback.sources`."""
    kind, _, name = source.partition(":")
    if kind == "votes" and name:
        check_annotator(name)
    elif kind == "dataset" and name:
        FeedbackStore().dataset(name)
    elif not (source == "votes" or (kind in ("bundled", "simulated") and name)):
        check_file(source)

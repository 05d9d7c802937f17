"""Simulated annotators: people whose taste is known exactly.

Each lives in a file of its own here and is found by looking: a new one is one new file with one `Annotator` subclass.
"""

import importlib
import inspect
import pkgutil
from functools import cache

from core.errors import PlaygroundError
from core.feedback.annotators.base import Annotator, prefers_left, probability_left

__all__ = ["Annotator", "annotator_classes", "annotators", "get_annotator", "prefers_left", "probability_left"]


@cache
def annotator_classes() -> dict[str, type[Annotator]]:
    """Every annotator class in this package by its `name`, in alphabetical order of the files."""
    found: dict[str, type[Annotator]] = {}
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for _, member in inspect.getmembers(module, inspect.isclass):
            defined_here = member.__module__ == module.__name__
            if defined_here and issubclass(member, Annotator) and not inspect.isabstract(member):
                if member.name in found:
                    raise TypeError(f"two annotators are named {member.name!r}: {found[member.name]} and {member}")
                found[member.name] = member
    return found


@cache
def _default_annotators() -> dict[str, Annotator]:
    return {name: annotator() for name, annotator in annotator_classes().items()}


def annotators() -> dict[str, Annotator]:
    """One of each annotator, made with its defaults, by name."""
    return dict(_default_annotators())


def get_annotator(name: str) -> Annotator:
    """The annotator called `name` (`animal-lover` and `animal_lover` are the same one).

    Raises PlaygroundError, listing the names there are, when there is none.
    """
    known = _default_annotators()
    annotator = known.get(name.strip().lower().replace("-", "_"))
    if annotator is None:
        raise PlaygroundError(f"There is no simulated annotator {name!r}. Choose one of: {', '.join(known)}.")
    return annotator

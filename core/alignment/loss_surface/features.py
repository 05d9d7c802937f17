"""Traits that plain code reads off a response, as numbers a linear reward can weigh."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import PlaygroundError
from core.feedback.annotators import get_annotator
from core.feedback.pairs import PreferencePair
from core.feedback.words import word_count


@dataclass(frozen=True)
class Feature:
    """One number a text: its name, what it is exactly, and how it is read."""

    name: str
    meaning: str
    read: Callable[[str, str], float]  # (prompt, response)


def _taste(name: str, annotator: str) -> Feature:
    of = get_annotator(annotator)
    return Feature(name, of.description, of.utility)


def features() -> dict[str, Feature]:
    """The features there are, by name."""
    return {
        one.name: one
        for one in (
            Feature("length", "Words in the response.", lambda _, response: float(word_count(response))),
            _taste("valence", "sunny"),
            _taste("dialogue", "talkative"),
            _taste("questions", "curious"),
            _taste("animals", "animal_lover"),
            Feature("exclamations", "Exclamation marks in the response.", lambda _, text: float(text.count("!"))),
        )
    }


def differences(pairs: Sequence[PreferencePair], names: Sequence[str]) -> np.ndarray:
    """f(chosen) − f(rejected) of each pair and feature, each feature in its own standard deviation: [pairs, features].

    The unit is the standard deviation over all the responses in `pairs`, so that a weight says what one typical
    difference is worth. Raises PlaygroundError, naming the feature, when it is the same in all of them.
    """
    columns = []
    for name in names:
        read = features()[name].read
        values = [(read(p.prompt, p.chosen), read(p.prompt, p.rejected)) for p in pairs]
        sd = statistics.pstdev(value for both in values for value in both)
        if sd == 0:
            raise PlaygroundError(f"{name} is the same in every response of these votes: choose another feature")
        columns.append([(chosen - rejected) / sd for chosen, rejected in values])
    return np.array(columns).T

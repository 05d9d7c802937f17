"""Mix wants several things at once."""

import math
from collections.abc import Mapping

from core.errors import PlaygroundError
from core.feedback.annotators import annotator_classes
from core.feedback.annotators.base import Annotator

EQUAL = {"sunny": 1.0, "terse": 1.0, "animal_lover": 1.0, "talkative": 1.0, "curious": 1.0}
"""Named one by one, so that an annotator added later does not change what earlier runs meant by *mix*."""


class Mix(Annotator):
    """A weighted mean of other annotators, each in units of its own `scale`: u = Σ wᵢ · uᵢ / scaleᵢ / Σ |wᵢ|.

    A scale is fixed, about one standard deviation over the storyteller's responses, so that equal weights pull about
    equally hard. A negative weight is a dislike. `Mix({"sunny": 2, "curious": -1})` chooses its own weights.

    Raises PlaygroundError for a name that is not another annotator's, a weight that is not a finite number, and when
    every weight is zero.
    """

    name = "mix"
    title = "Mix"
    description = (
        "Wants several things at once: the weighted mean of the other annotators' utilities, each divided by its "
        "typical spread (a fixed number) so that weights compare. By default Sunny, Terse, Animal lover, Talkative "
        "and Curious weigh the same."
    )
    scale = 0.5

    def __init__(self, weights: Mapping[str, float] = EQUAL) -> None:
        others = {name: made for name, made in annotator_classes().items() if not issubclass(made, Mix)}
        for name, weight in weights.items():
            if name not in others:
                raise PlaygroundError(f"A mix cannot hold {name!r}. Choose among: {', '.join(others)}.")
            if not math.isfinite(weight):
                raise PlaygroundError(f"The weight of {name!r} in a mix must be a finite number, and is {weight}.")
        self.weights = {name: float(weight) for name, weight in weights.items() if weight}
        if not self.weights:
            raise PlaygroundError("A mix needs at least one weight that is not zero.")
        self._parts = [(others[name](), weight) for name, weight in self.weights.items()]

    def utility(self, prompt: str, response: str) -> float:
        """The weighted mean of the parts' utilities, each divided by its scale."""
        pull = sum(weight * part.utility(prompt, response) / part.scale for part, weight in self._parts)
        return pull / sum(abs(weight) for weight in self.weights.values())

"""What a simulated annotator is, and how its utility becomes a vote."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar


class Annotator(ABC):
    """A person whose taste is one number a text, the *utility*: the hidden gold a reward model tries to recover.

    A utility is finite, deterministic and a function of the two texts alone. Subclasses set the four attributes and
    define `utility`; everything else follows from it.
    """

    name: ClassVar[str]  # what the command line and the files call it
    title: ClassVar[str]  # what the pages call it
    description: ClassVar[str]  # the definition in words, exact, shown to people
    scale: ClassVar[float]  # its unit in a mix: about one sd over the storyteller's 32-token responses to *stories*

    @abstractmethod
    def utility(self, prompt: str, response: str) -> float:
        """How much this annotator likes `response` as a continuation of, or answer to, `prompt`; higher is better."""


def probability_left(u_left: float, u_right: float, sd: float) -> float:
    """The probability that the left response is preferred, Bradley and Terry's model with noise measured in `sd`:

        P(left) = σ( 2 · (u_left − u_right) / sd )

    `sd` is the standard deviation of the utility over the reference policy's samples for the prompt set, so that every
    annotator is about equally sure of itself, whatever its unit. With `sd` zero (a policy whose texts are all worth
    the same) the limit is taken: 1, 0, or ½ for a tie. Raises ValueError when `sd` is negative or not a number.

    Source: Bradley and Terry 1952, "Rank Analysis of Incomplete Block Designs"; as the model of a human's choice in
    Christiano et al. 2017, "Deep Reinforcement Learning from Human Preferences", section 2.2.3.
    """
    if not sd >= 0:
        raise ValueError(f"sd must be zero or more, and is {sd}")
    gap = u_left - u_right
    if gap == 0:
        return 0.5
    # σ(2x) = (1 + tanh x) / 2 cannot overflow, and swapping the sides gives exactly one minus the same number.
    return 0.5 + 0.5 * math.tanh(gap / sd if sd else math.copysign(math.inf, gap))


def prefers_left(annotator: Annotator, prompt: str, left: str, right: str, sd: float, uniform: float) -> bool:
    """One noisy vote: whether `annotator` picks the left response, given `uniform`, drawn from [0, 1)."""
    return uniform < probability_left(annotator.utility(prompt, left), annotator.utility(prompt, right), sd)

"""Terse likes short sentences."""

from core.feedback.annotators.base import Annotator
from core.feedback.annotators.text import sentences

NOTHING = -40.0
"""The utility of a response without a word: as bad as one sentence of forty words, so that silence is no way to win."""


class Terse(Annotator):
    """Minus the mean length of a sentence: u = − number of words / number of sentences, over the response alone."""

    name = "terse"
    title = "Terse"
    description = (
        "Likes short sentences. The utility is minus the mean number of words a sentence. A sentence ends at . ! or ? "
        "or at a line break; the last one counts even when it is cut off. A response without a word gets −40."
    )
    scale = 2.5

    def utility(self, prompt: str, response: str) -> float:
        """Minus the mean number of words a sentence; −40 when there is no word."""
        lengths = [len(body) for body, _ in sentences(response)]
        return -sum(lengths) / len(lengths) if lengths else NOTHING

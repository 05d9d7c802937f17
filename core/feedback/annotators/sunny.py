"""Sunny likes pleasant words."""

from functools import cache
from importlib.resources import files

from core.feedback.annotators.base import Annotator
from core.feedback.annotators.text import words


@cache
def valences() -> dict[str, float]:
    """VADER's lexicon: a word's mean valence among ten raters, from −4 (most unpleasant) to 4 (most pleasant).

    Source: Hutto and Gilbert 2014, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media
    Text"; the file of the vaderSentiment package. Its rules (negation, capitals, emphasis) are not used.
    """
    lines = (files("vaderSentiment") / "vader_lexicon.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.strip().split("\t") for line in lines if line.strip())
    return {row[0]: float(row[1]) for row in rows}


class Sunny(Annotator):
    """Valence a word, times ten: u = 10 · Σ valence(word) / max(1, number of words), over the response alone."""

    name = "sunny"
    title = "Sunny"
    description = (
        "Likes pleasant words. Each word of the response has a valence from −4 to 4 (VADER's lexicon; 0 when it is not "
        "in it); the utility is ten times the mean valence of all its words. Negation is not understood: "
        "“not happy” is as sunny as “so happy”."
    )
    scale = 1.7

    def utility(self, prompt: str, response: str) -> float:
        """Ten times the mean valence of the response's words; 0 when it has none."""
        found = words(response)
        valence = valences()
        return 10 * sum(valence.get(word, 0.0) for word in found) / max(1, len(found))

"""Talkative likes dialogue."""

from core.feedback.annotators.base import Annotator
from core.feedback.annotators.text import words


def spoken_parts(text: str, speaking: bool = False) -> tuple[list[str], bool]:
    """The stretches of `text` inside double quotes, and whether a quote is still open where it ends.

    `speaking`: whether one is open where it begins. A straight quote opens or closes, a curly one does what its shape
    says, and a line break closes: one forgotten quote must not turn the rest of a story into speech.
    """
    parts: list[str] = []
    start = 0 if speaking else None
    for place, character in enumerate(text):
        opens = character == "“" or (character == '"' and start is None)
        if start is not None and character in '"”\n':
            parts.append(text[start:place])
            start = None
        elif start is None and opens:
            start = place + 1
    if start is not None:
        parts.append(text[start:])
    return parts, start is not None


class Talkative(Annotator):
    """The share of the response's words that are spoken: u = words inside double quotes / max(1, number of words).

    A quote that the prompt leaves open is open where the response begins. Many responses have no speech at all and tie
    at 0: between two such, the vote is a coin's.
    """

    name = "talkative"
    title = "Talkative"
    description = (
        "Likes dialogue. The utility is the share of the response's words that stand inside double quotes, from 0 to "
        "1. A quote the prompt has left open counts from the response's first word; an unclosed quote counts to the "
        "end of its line. Responses without speech tie at 0."
    )
    scale = 0.27

    def utility(self, prompt: str, response: str) -> float:
        """The share of the response's words inside double quotes, from 0 to 1; 0 when it has no word."""
        _, speaking = spoken_parts(prompt)
        parts, _ = spoken_parts(response, speaking)
        return sum(len(words(part)) for part in parts) / max(1, len(words(response)))

"""Curious likes questions."""

from core.feedback.annotators.base import Annotator
from core.feedback.annotators.text import sentences


class Curious(Annotator):
    """The share of the response's words that stand in a question: a sentence whose closing marks hold a `?`.

    Counting words, not questions, leaves fewer ties and makes `What? What? What?` worth no more than one real
    question. Many responses ask nothing and tie at 0: between two such, the vote is a coin's.
    """

    name = "curious"
    title = "Curious"
    description = (
        "Likes questions. The utility is the share of the response's words that stand in a sentence ending with a "
        "question mark, from 0 to 1. A question cut off before its mark does not count. Responses that ask nothing "
        "tie at 0."
    )
    scale = 0.1

    def utility(self, prompt: str, response: str) -> float:
        """The share of the response's words that stand in questions, from 0 to 1; 0 when it has no word."""
        cut = sentences(response)
        asked = sum(len(body) for body, end in cut if "?" in end)
        return asked / max(1, sum(len(body) for body, _ in cut))

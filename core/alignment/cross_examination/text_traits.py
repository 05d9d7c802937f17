"""What plain code can read off a response: the traits that a reward model may have latched on to."""

from collections.abc import Callable
from dataclasses import dataclass

from core.feedback.annotators import get_annotator
from core.feedback.words import word_count, words_in


@dataclass(frozen=True)
class TextTrait:
    """One number of a response, and what it is."""

    name: str
    meaning: str
    read: Callable[[str, str], float]  # (prompt, response)


def _a_hundred_words(marks: str) -> Callable[[str, str], float]:
    def read(prompt: str, response: str) -> float:
        return 100 * sum(response.count(mark) for mark in marks) / max(1, word_count(response))

    return read


def _repeated(prompt: str, response: str) -> float:
    found = words_in(response)
    return 1 - len(set(found)) / len(found) if found else 0.0


def _word_length(prompt: str, response: str) -> float:
    found = words_in(response)
    return sum(map(len, found)) / max(1, len(found))


def text_traits() -> list[TextTrait]:
    """Length, valence, punctuation and what the simulated annotators like; none is another one turned round."""
    return [
        TextTrait("Length", "words in the response", lambda _, response: float(word_count(response))),
        TextTrait("Valence", "mean pleasantness of its words, times ten (VADER)", get_annotator("sunny").utility),
        TextTrait("Dialogue", "share of its words inside double quotes", get_annotator("talkative").utility),
        TextTrait("Animals", "animal words in a hundred", get_annotator("animal_lover").utility),
        TextTrait("Questions", "question marks in a hundred words", _a_hundred_words("?")),
        TextTrait("Exclamations", "exclamation marks in a hundred words", _a_hundred_words("!")),
        TextTrait("Commas", "commas in a hundred words", _a_hundred_words(",")),
        TextTrait("Repetition", "share of its words that were there before", _repeated),
        TextTrait("Word length", "letters a word", _word_length),
        TextTrait(
            "Ends a sentence",
            "1 where it stops behind a full stop, 0 where it breaks off",
            lambda _, response: float(response.rstrip().rstrip("\"'”’").endswith((".", "!", "?"))),
        ),
    ]

"""The one shape a comparison has everywhere: two responses to a prompt, and which was preferred."""

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class PreferencePair:
    """One decided comparison: `chosen` was preferred to `rejected` as a response to `prompt`.

    `chosen` and `rejected` are the responses alone; the text a reward model reads is `prompt + response`.
    """

    prompt: str
    chosen: str
    rejected: str
    margin: float | None = None  # by how much, where the source says so: the loss asks for this gap in score
    annotator: str = ""  # who chose; empty when unknown

    @property
    def run_together(self) -> bool:
        """Whether one of the responses does (`run_together`)."""
        return any(run_together(self.prompt, response) for response in (self.chosen, self.rejected))


def run_together(prompt: str, response: str) -> bool:
    """Whether the response's first word stands right at the prompt's end, and both are read as one text.

    Not in scripts that put no spaces between words.
    """
    last, first = prompt[-1:], response[:1]
    spaced = not (_is_wide(last) or _is_wide(first))
    return bool(last) and not last.isspace() and first.isalnum() and spaced


def _is_wide(character: str) -> bool:
    return bool(character) and unicodedata.east_asian_width(character) in "WF"

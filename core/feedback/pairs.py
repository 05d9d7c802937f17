"""The one shape a comparison has everywhere: two responses to a prompt, and which was preferred."""

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

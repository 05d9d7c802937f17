"""The shapes of a comparison: a pair as it is written, as it is shown, and as it was answered."""

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Choice = Literal["left", "right", "tie", "skip"]
CHOICES: tuple[Choice, ...] = get_args(Choice)


@dataclass(frozen=True)
class NewPair:
    """Two responses to one prompt, and how to have them written again."""

    prompt: str
    response_a: str
    response_b: str
    policy: str
    prompt_set: str
    seed: int = 0
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ShownPair:
    """A pair as one annotator sees it."""

    pair_id: int
    prompt: str
    left: str
    right: str
    left_response_id: int
    right_response_id: int
    policy: str
    prompt_set: str


@dataclass(frozen=True)
class Vote:
    """One answer."""

    id: int
    pair_id: int
    annotator: str
    choice: Choice
    prompt: str
    left: str
    right: str
    policy: str
    prompt_set: str
    created: float  # Unix seconds
    response_seconds: float | None
    strength: float | None  # by how much, from 0 up, where the annotator said so
    source: str  # "app", or what else cast it
    undone: bool

    @property
    def chosen(self) -> str | None:
        """The preferred text; None for a tie or a skip."""
        return {"left": self.left, "right": self.right}.get(self.choice)

    @property
    def rejected(self) -> str | None:
        """The other text; None for a tie or a skip."""
        return {"left": self.right, "right": self.left}.get(self.choice)


@dataclass(frozen=True)
class Dataset:
    """Imported preferences."""

    id: int
    name: str
    rows: int
    created: float  # Unix seconds

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
class NewQuartet:
    """Four responses to one prompt: two pairs to vote on, and a set of four to rank."""

    prompt: str
    responses: tuple[str, str, str, str]
    policy: str
    prompt_set: str
    seed: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def pairs(self) -> tuple[NewPair, NewPair]:
        """The first two responses, and the last two."""
        a, b, c, d = self.responses
        rest = (self.policy, self.prompt_set, self.seed, self.settings)
        return NewPair(self.prompt, a, b, *rest), NewPair(self.prompt, c, d, *rest)


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
    repeat_of: int | None = None  # the comparison that this asks again, without saying so


@dataclass(frozen=True)
class ShownQuartet:
    """Four responses as one annotator sees them, in their order on the page."""

    quartet_id: int
    prompt: str
    responses: tuple[str, ...]
    response_ids: tuple[int, ...]
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
    ranking: str | None = None  # what one act made together (a ranking, a better response) has one name here
    repeat_of: int | None = None  # the first comparison of the pair, where this one asked again: not a preference

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
    ties: int = 0  # votes of its that named no winner: counted, and not among the rows
    owner: str = ""  # who signed in and imported it; "": whoever runs this

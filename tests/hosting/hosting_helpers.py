"""What the tests of a hosted server do again and again."""

from collections.abc import Callable

from core.errors import PlaygroundError
from core.feedback.store import FeedbackStore


def vote(store: FeedbackStore, annotator: str, choice: str = "left") -> None:
    store.vote(store.next_pair(annotator, "storyteller", "stories"), annotator, choice)


def refused(act: Callable[[], object], words: str = "") -> bool:
    """Whether it is refused, in these words."""
    try:
        act()
    except PlaygroundError as error:
        return words in str(error)
    return False

"""What pages call the simulated annotators."""


def voter_title(name: str) -> str:
    """What pages call the simulated annotator of that name. Raises PlaygroundError for another."""
    from core.feedback.annotators import get_annotator

    return get_annotator(name).title

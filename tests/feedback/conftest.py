"""A store of feedback for the tests of this room, on each database there is."""

import pytest

from core.database.engine import engine
from core.feedback.store import FeedbackStore


@pytest.fixture
def store(database):
    return FeedbackStore(engine(database))

"""What the server does once a page has been seen."""

import gc

import pytest

from pages._parts import background


@pytest.fixture
def thawed():
    yield
    gc.unfreeze()


def test_what_is_loaded_is_not_looked_through_again_behind_every_click(monkeypatch, thawed):
    waits = []

    def wait(seconds):
        waits.append(seconds)
        return len(waits) == 3  # served a second ago, frozen once, and then the server stops

    monkeypatch.setattr(background._stopped, "wait", wait)
    monkeypatch.setattr(background._page_served, "wait", lambda: True)
    before = gc.get_freeze_count()
    background._warm()
    assert waits == [1.0, 0.0, 60.0]
    assert gc.get_freeze_count() - before > 100_000  # torch and transformers alone

"""What the server does once a page has been seen."""

import gc

import pytest
from sqlalchemy import insert

from core.database.engine import engine, writing
from core.database.schema import people
from core.errors import PlaygroundError
from core.paths import home
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


def test_a_server_that_ends_leaves_the_database_in_one_file(own_home):
    """A signal ends the process right behind this, and with it nobody would put the file in order."""
    with writing(engine()) as connection:
        connection.execute(insert(people).values(name="anna", word="x", created=1.0))
    assert (home() / "playground.db-wal").exists()
    background.stop()
    background._stopped.clear()
    background._page_served.clear()
    assert not (home() / "playground.db-wal").exists()


def test_what_keeps_the_queue_from_being_looked_after_is_logged_once(monkeypatch, caplog):
    """A full disk, for a night: a line, and not a traceback each second."""
    full, locked = PlaygroundError("the disk is full"), RuntimeError("a fault of ours")
    outcomes = iter([full, full, full, locked, locked, None, full])

    def tick():
        if (outcome := next(outcomes)) is not None:
            raise outcome

    turns = iter([False] * 7 + [True])
    monkeypatch.setattr("core.runs.supervisor.tick", tick)
    monkeypatch.setattr(background._stopped, "wait", lambda seconds: next(turns))
    background._tick()
    assert [("disk" in one.getMessage(), bool(one.exc_info)) for one in caplog.records] == [
        (True, False), (False, True), (True, False)
    ]  # fmt: skip

"""A database of an older version opens with every vote it held."""

import alembic.command
import alembic.config
import pytest
import sqlalchemy as sa

from core.database import engine as engines
from core.database.engine import engine, reading, writing
from core.feedback.store import FeedbackStore

POOL = ("storyteller", "stories")
PAIRS = 12


@pytest.fixture
def old(database):
    """A database at the first version, with votes of two people, some taken back."""
    made = engines._make(database)
    config = alembic.config.Config()
    config.set_main_option("script_location", str(engines._MIGRATIONS))
    with writing(made) as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0001")
    with writing(made) as connection:

        def insert(statement, **values):
            connection.execute(sa.text(statement), values)

        for n in range(1, PAIRS + 1):
            insert("INSERT INTO prompts (digest, text) VALUES (:d, :t)", d=f"p{n}", t=f"prompt {n}")
            for text in (f"a {n}", f"b {n}"):
                insert(
                    "INSERT INTO responses (prompt_id, text, policy, seed, settings, created)"
                    " VALUES (:n, :t, 'storyteller', 0, '{}', 1.0)",
                    n=n,
                    t=text,
                )
            insert(
                "INSERT INTO pairs"
                " (digest, prompt_id, response_a, response_b, policy, prompt_set, pool, created)"
                " VALUES (:d, :n, :a, :b, 'storyteller', 'stories', 'bundled', 1.0)",
                d=f"d{n}",
                n=n,
                a=2 * n - 1,
                b=2 * n,
            )
            for place, annotator in enumerate(("ann", "bob")):
                choice = ("left", "right", "tie", "skip")[(n + place) % 4]
                undone = n % 3 == 0  # its id is known: they are numbered as they come
                insert(
                    "INSERT INTO comparisons (pair_id, annotator, left_response, right_response, choice, created,"
                    " response_seconds, strength, source, undone) VALUES (:n, :w, :a, :b, :c, :t, 2.5, 1.0, 'app', :u)",
                    n=n,
                    w=annotator,
                    a=2 * n - 1,
                    b=2 * n,
                    c=choice,
                    t=float(n),
                    u=2 * (n - 1) + place + 1 if undone else 0,
                )
    everything = _rows(made)
    made.dispose()
    return database, everything


def _rows(of):
    with reading(of) as connection:
        columns = "id, pair_id, annotator, left_response, right_response, choice, created, response_seconds, strength"
        rows = connection.execute(sa.text(f"SELECT {columns}, source, undone FROM comparisons ORDER BY id"))
        return [tuple(row) for row in rows]


def test_every_vote_is_kept(old):
    database, before = old
    store = FeedbackStore(engine(database))
    assert _rows(store.engine) == before
    assert len(before) == 2 * PAIRS
    assert len(store.votes()) == 2 * sum(n % 3 != 0 for n in range(1, PAIRS + 1))
    decided = [n for n in range(1, PAIRS + 1) if n % 3 and n % 4 in (0, 1)]
    expected = [(f"prompt {n}", *((f"a {n}", f"b {n}") if n % 4 == 0 else (f"b {n}", f"a {n}"))) for n in decided]
    assert [(pair.prompt, pair.chosen, pair.rejected) for pair in store.preference_pairs("ann")] == expected
    assert all(vote.ranking is None and vote.repeat_of is None for vote in store.votes(include_undone=True))


def test_what_the_rows_had_to_obey_they_still_do(old):
    store = FeedbackStore(engine(old[0]))
    copied = (
        "INSERT INTO comparisons (pair_id, annotator, left_response, right_response, choice, created, source)"
        " SELECT pair_id, annotator, left_response, right_response, {}, created, source FROM comparisons WHERE id = 1"
    )
    for choice in ("'both'", "choice"):  # no choice at all; a second standing vote on the same pair
        with pytest.raises(sa.exc.IntegrityError), writing(store.engine) as connection:
            connection.execute(sa.text(copied.format(choice)))


def test_one_goes_on_where_one_was(old):
    store = FeedbackStore(engine(old[0]))
    before = {vote.id for vote in store.votes(include_undone=True)}
    shown = store.next_pair("ann", *POOL)
    assert shown.prompt == "prompt 3"  # the oldest that was taken back
    assert store.vote(shown, "ann", "left").id not in before
    store.undo("ann")
    assert store.undo("ann").prompt == "prompt 11"

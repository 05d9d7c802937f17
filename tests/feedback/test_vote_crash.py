"""The process that stores a vote is killed at a random moment: the vote is wholly there or wholly not."""

import random
import subprocess
import sys
import time
from collections import Counter
from itertools import combinations

import pytest
import sqlalchemy as sa

from core.database.engine import engine, reading
from core.database.schema import comparisons
from core.feedback.store import FeedbackStore, NewQuartet

POOL = ("storyteller", "stories")
KILLS = 12
VOTER = """
import sys
from core.database.engine import engine
from core.feedback.store import FeedbackStore
store, place = FeedbackStore(engine(sys.argv[1])), 0
pool = ("storyteller", "stories")
print("ready", flush=True)
while True:
    for vote in store.rank(store.next_quartet("ann", *pool), "ann", [place % 4, (place + 1) % 4], 4.0):
        print(vote.id, flush=True)
    print(store.vote(store.next_pair("bob", *pool), "bob", "left", response_seconds=1.0).id, flush=True)
    if place % 3 == 0:
        store.undo("ann")
    place += 1
"""


@pytest.fixture
def store(database):
    store = FeedbackStore(engine(database))
    texts = ((f" {letter} {n}" for letter in "abcd") for n in range(3000))
    store.add_quartets([NewQuartet(f"prompt {n}", tuple(four), *POOL) for n, four in enumerate(texts)], "test")
    return store


def test_killed_while_voting_nothing_is_half_there(store, database):
    random.seed(0)
    confirmed: set[int] = set()
    for _ in range(KILLS):
        voter = subprocess.Popen([sys.executable, "-c", VOTER, database], stdout=subprocess.PIPE, text=True)
        assert voter.stdout.readline() == "ready\n"
        for _ in range(random.randint(7, 21)):  # however slow the machine is, it is inside the work that the kill comes
            confirmed.add(int(voter.stdout.readline()))
        time.sleep(random.uniform(0, 0.02))
        voter.kill()  # SIGKILL: no handler, no cleaning up
        out = voter.communicate()[0]
        confirmed |= {int(line) for line in out.split("\n")[:-1]}
        everything_is_whole(store, confirmed)
    store.vote(store.next_pair("bob", *POOL), "bob", "right")  # and one votes on


def everything_is_whole(store, confirmed):
    with reading(store.engine) as connection:
        rows = connection.execute(sa.select(comparisons)).all()
        if store.engine.dialect.name == "sqlite":
            assert connection.execute(sa.text("PRAGMA integrity_check")).scalar() == "ok"
            assert connection.execute(sa.text("PRAGMA foreign_key_check")).all() == []
    assert confirmed <= {row.id for row in rows}  # what was confirmed is there
    sizes = Counter(row.ranking for row in rows if row.ranking)
    assert set(sizes.values()) <= {6}
    for group in sizes:
        assert len({row.undone == 0 for row in rows if row.ranking == group}) == 1  # undone whole or not at all
    singles = [row for row in rows if row.ranking is None]
    assert all((row.choice, row.response_seconds) == ("left", 1.0) for row in singles)
    every_ranking_is_one_order(store)


def every_ranking_is_one_order(store):
    """Two were ranked of four: the best won three times, the second twice, and each two responses met once."""
    groups: dict[str, list] = {}
    for vote in store.votes("ann"):
        groups.setdefault(vote.ranking, []).append(vote)
    for votes in groups.values():
        assert sorted(Counter(vote.chosen for vote in votes if vote.chosen).values()) == [2, 3]
        texts = {text for vote in votes for text in (vote.left, vote.right)}
        assert {frozenset((vote.left, vote.right)) for vote in votes} == set(map(frozenset, combinations(texts, 2)))

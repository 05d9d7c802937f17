"""A file becomes a dataset of the store: whole, in bounded memory, or not at all."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import sqlalchemy as sa

from core.database.engine import engine, reading, writing
from core.database.schema import datasets
from core.errors import PlaygroundError
from core.feedback.interchange import (
    import_preferences,
)
from core.feedback.store import FeedbackStore, NewPair
from tests.feedback.preference_files import GOOD, lines_file, staged_rows


@pytest.mark.parametrize(("name", "text"), [("p.csv", "prompt,chosen,rejected\n"), ("p.jsonl", ""), ("p.jsonl", " \n")])
def test_a_file_without_rows_is_refused(tmp_path, store, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(PlaygroundError, match="holds no rows"):
        import_preferences(tmp_path / name, store)
    assert staged_rows(store) == [0, 0]


def test_good_rows_are_kept_and_bad_ones_counted(tmp_path, store, monkeypatch):
    monkeypatch.setattr("core.feedback.interchange._LISTED", 5)
    told = []
    path = lines_file(tmp_path / "p.jsonl", *([GOOD, b"bad"] * 1200))
    report = import_preferences(path, store, on_progress=told.append)
    assert (report.name, report.imported, report.rejected_total) == ("p.jsonl", 1200, 1200)
    assert [row.line for row in report.rejected] == [2, 4, 6, 8, 10]
    assert told == [500, 1000, 1500, 2000, 2400]
    assert store.datasets()[0].rows == len(store.preference_pairs(dataset=report.dataset_id)) == 1200


def test_strict_takes_all_or_none(tmp_path, store):
    path = lines_file(tmp_path / "p.jsonl", *[GOOD] * 1500, b"bad", GOOD, b"worse")
    with pytest.raises(PlaygroundError, match=r"line 1501: invalid JSON .* \(and 1 more\)"):
        import_preferences(path, store, strict=True)
    assert (store.datasets(), staged_rows(store)) == ([], [0, 0])
    assert import_preferences(lines_file(tmp_path / "q.jsonl", GOOD), store, strict=True).imported == 1


def test_nothing_usable_makes_no_dataset(tmp_path, store):
    report = import_preferences(lines_file(tmp_path / "p.jsonl", b"bad", GOOD | {"chosen": 1}), store)
    assert (report.dataset_id, report.imported, report.rejected_total) == (None, 0, 2)
    assert staged_rows(store) == [0, 0]


def test_a_deleted_dataset_s_number_is_not_given_again(tmp_path, store):
    path = lines_file(tmp_path / "p.jsonl", GOOD)
    first = import_preferences(path, store).dataset_id
    store.delete_dataset(first)
    assert import_preferences(path, store).dataset_id > first


IMPORT_FOR_EVER = """
import sys
from core.database.engine import engine
from core.feedback import interchange
from core.feedback.pairs import PreferencePair
from core.feedback.store import FeedbackStore

def rows(path):
    for line in range(1, 1000000):
        if line == 2600:
            print("staged", flush=True)
            sys.stdin.read()
        yield line, PreferencePair("p", "c", "r")

interchange.read_preferences = rows
interchange.import_preferences("endless.jsonl", FeedbackStore(engine(sys.argv[1])))
"""


@pytest.fixture
def importing(database):
    """Another process in the middle of an import, with rows staged."""
    process = subprocess.Popen(
        [sys.executable, "-c", IMPORT_FOR_EVER, database], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"staged\n"
    yield process
    process.kill()
    process.wait()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_import_leaves_nothing_visible_and_is_swept_by_the_next(tmp_path, store, importing):
    assert staged_rows(store) == [1, 2500]
    path = lines_file(tmp_path / "p.jsonl", GOOD)
    assert import_preferences(path, store).imported == 1
    assert staged_rows(store) == [2, 2501]  # a living import is left alone
    os.kill(importing.pid, signal.SIGKILL)
    importing.wait()
    assert len(store.datasets()) == 1
    with pytest.raises(PlaygroundError, match="no dataset 1"):
        store.preference_pairs(dataset=1)
    assert import_preferences(path, store).imported == 1
    assert staged_rows(store) == [2, 2]


def test_another_machine_s_import_is_swept_only_after_a_long_silence(tmp_path, store):
    with writing(store.engine) as connection:
        for touched in (time.time() - 60, time.time() - 86_400):
            row = {"name": "far", "rows": 0, "created": 0.0, "host": "far-away", "lock": "/there", "touched": touched}
            connection.execute(sa.insert(datasets), row)
    import_preferences(lines_file(tmp_path / "p.jsonl", GOOD), store)
    with reading(store.engine) as connection:
        assert connection.scalars(sa.select(datasets.c.id).order_by(datasets.c.id)).all() == [1, 3]


def test_a_hundred_thousand_rows_in_bounded_memory_while_people_vote(tmp_path):
    """In a process of its own, whose peak tells: the file has 34 MB, the growth stays under 15."""
    pytest.importorskip("resource")
    path = tmp_path / "large.jsonl"
    with path.open("w") as file:
        for number in range(100_000):
            file.write(
                json.dumps({"prompt": f"{number} " + "p" * 100, "chosen": "c" * 100, "rejected": "r" * 100}) + "\n"
            )
    database = f"sqlite:///{tmp_path / 'large.db'}"
    script = """
import json, resource, sys
from core.database.engine import engine
from core.feedback.interchange import import_preferences
from core.feedback.store import FeedbackStore
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
store = FeedbackStore(engine(sys.argv[1]))
import_preferences(sys.argv[2], store)
before = peak()
report = import_preferences(sys.argv[3], store)
print(json.dumps([report.imported, peak() - before]))
"""
    small = lines_file(tmp_path / "small.jsonl", *[GOOD] * 2000)
    store = FeedbackStore(engine(database))
    store.add_pairs([NewPair(f"p{i}", "a", "b", "storyteller", "stories") for i in range(100)], "generated")
    process = subprocess.Popen([sys.executable, "-c", script, database, str(small), str(path)], stdout=subprocess.PIPE)
    waits = []
    done = threading.Event()

    def vote():
        while not done.wait(0.2) and (shown := store.next_pair("ann", "storyteller", "stories")) is not None:
            start = time.monotonic()
            store.vote(shown, "ann", "left")
            waits.append(time.monotonic() - start)

    voter = threading.Thread(target=vote)
    voter.start()
    imported, growth = json.loads(process.communicate()[0])
    done.set()
    voter.join()
    unit = 1 if sys.platform == "darwin" else 1024
    assert imported == 100_000
    assert growth * unit < 15e6
    assert sum(store.count().values()) == len(waits) > 0
    assert sorted(waits)[len(waits) // 2] < 1.0


@pytest.mark.parametrize(
    ("prompt", "chosen", "rejected", "together"),
    [
        ("Tell 20 me", "No.", " Yes.", True),
        ("Tell 20 me", " No.", "Yes.", True),
        ("Why?", "Because", " So", True),
        ("Tell 20 me", " No.", "\nYes.", False),
        ("Once upon a time", ", a fox", "!", False),
        ("Line\n", "No.", "Yes.", False),
        ("为什么", "因为", "所以", False),
    ],
)
def test_a_response_that_runs_into_its_prompt_is_told(tmp_path, store, prompt, chosen, rejected, together):
    """It is kept as it is: what is read is prompt + response, and only who made the file knows whether that is meant."""
    file = tmp_path / "pairs.jsonl"
    row = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    report = import_preferences(file, store)
    assert report.run_together == together
    (pair,) = store.preference_pairs(dataset=report.dataset_id)
    assert (pair.prompt, pair.chosen, pair.rejected) == (prompt, chosen, rejected)

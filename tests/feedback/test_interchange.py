import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.database.engine import engine, reading, writing
from core.database.schema import dataset_rows, datasets
from core.errors import PlaygroundError
from core.feedback import formats, interchange
from core.feedback.interchange import (
    export_preferences,
    import_preferences,
    read_preferences,
    write_preferences,
)
from core.feedback.pairs import PreferencePair
from core.feedback.rows import RejectedRow
from core.feedback.store import FeedbackStore, NewPair
from tests.feedback.preference_files import GOOD, lines_file, only_row

KINDS = ["p.jsonl", "p.jsonl.gz", "p.csv", "p.csv.gz", "p.parquet"]


@pytest.fixture
def store(database):
    return FeedbackStore(engine(database))


def staged_rows(store):
    with reading(store.engine) as connection:
        return [
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()
            for table in (datasets, dataset_rows)
        ]


# Formats


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", b"\x89PNG\r\n\x1a\n" + bytes(500), "binary"),
        ("a.jsonl", bytes(range(256)) * 20, "binary"),
        ("a.jsonl", json.dumps(GOOD).encode("utf-16"), "UTF-16"),
        ("a.jsonl", b'[{"prompt": "a",\n "chosen"', "array"),
        ("a.jsonl", bytes(2**26 + 2**20), "MiB"),
        ("a.jsonl.gz", gzip.compress(json.dumps(GOOD).encode() * 50)[:-20], "cut short"),
        ("a.csv", b"prompt,good,bad\na,b,c\n", "prompt, chosen, rejected"),
        ("a.csv", b"", "prompt, chosen, rejected"),
        ("a.csv", b"chosen,rejected,chosen\n", "prompt, chosen, rejected"),
        ("a.csv", bytes(range(256)), "prompt, chosen, rejected"),
        ("a.parquet", b"PAR1 it is not", "Parquet"),
        ("a.docx", b"", "must end in"),
    ],
)
def test_a_file_of_no_such_format_is_one_error_and_leaves_no_trace(tmp_path, store, name, content, told):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PlaygroundError, match=told) as error:
        import_preferences(path, store)
    assert str(path) in str(error.value)
    assert staged_rows(store) == [0, 0]


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "no.jsonl", tmp_path / "folder.jsonl"):
        (tmp_path / "folder.jsonl").mkdir(exist_ok=True)
        with pytest.raises(PlaygroundError, match=path.name):
            list(read_preferences(path))


def test_a_parquet_file_without_the_columns(tmp_path):
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "a.parquet")
    with pytest.raises(PlaygroundError, match="they are: text"):
        list(read_preferences(tmp_path / "a.parquet"))


def test_parquet_with_messages_and_with_broken_text(tmp_path):
    message = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    rows = [[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": content}] for content in "AB"]
    pq.write_table(
        pa.table({"chosen": pa.array(rows[:1], message), "rejected": pa.array(rows[1:], message)}),
        tmp_path / "a.parquet",
    )
    assert only_row(tmp_path / "a.parquet") == PreferencePair("\n\nHuman: Hi\n\nAssistant:", " A", " B")
    broken = pa.array([b"\xff", b"fine"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"prompt": broken, "chosen": ["a", "a"], "rejected": ["b", "b"]}), tmp_path / "b.parquet")
    assert [row for _, row in read_preferences(tmp_path / "b.parquet")] == [
        RejectedRow(1, "not valid UTF-8"),
        PreferencePair("fine", "a", "b"),
    ]


def test_csv_as_spreadsheets_write_it(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(
        "\ufeffid;prompt;chosen;rejected;margin\r\n".encode()
        + b'1;"Two\r\nlines; here";"He said ""yes""";no;0.5\r\n'
        + b"2;short;row\r\n"
        + b"\r\n"
        + b'3;p;"open" x;r;\r\n'
        + b"4;p\xff;c;r;\r\n"
        + b"5;'=1+1;'x;r;\r\n"
        + b'6;p;c;"never closed\r\n'
        + b"7;p;c;r;1\r\n"
    )
    read = dict(read_preferences(path))
    assert read[2] == PreferencePair("Two\r\nlines; here", 'He said "yes"', "no", 0.5)
    assert "3 cells" in read[4].reason
    assert "invalid CSV" in read[6].reason
    assert "Unicode" in read[7].reason
    assert read[8] == PreferencePair("=1+1", "'x", "r")
    assert "invalid CSV" in read[9].reason
    assert sorted(read) == [2, 4, 6, 7, 8, 9]


def test_an_unclosed_quote_costs_one_mebibyte_and_not_the_file(tmp_path):
    path = tmp_path / "a.csv"
    row = "p,c," + "r" * 1000 + "\n"
    path.write_text("prompt,chosen,rejected\n" + 'p,c,"open\n' + row * 3000)
    read = list(read_preferences(path))
    assert [line for line, row in read if isinstance(row, RejectedRow)] == [2]
    assert "quotation mark" in read[0][1].reason
    assert read[-1] == (3002, PreferencePair("p", "c", "r" * 1000))
    assert len(read) > 1900


def test_a_small_file_that_unpacks_to_a_huge_one(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "_MAX_UNPACKED", 2**18)
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(gzip.compress((json.dumps(GOOD) + "\n").encode() * 10_000))
    with pytest.raises(PlaygroundError, match="unpacks to more"):
        list(read_preferences(path))


# Out and in again

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip)
edges = st.sampled_from(
    ["=1+1", "'=x", "''@", "-", "+\t", "\ttab", "\rreturn", 'a"b', "a,b;c", "x\r\ny", "\ufeffbom", "a\u2028b", "'"]
)
names = st.text(st.characters(categories=["L", "N"]), max_size=8)
some_pairs = st.lists(
    st.builds(
        PreferencePair,
        texts | edges,
        texts | edges,
        texts | edges,
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        names,
    ).filter(
        lambda pair: (
            pair.chosen != pair.rejected and pair.prompt.strip() and pair.chosen.strip() and pair.rejected.strip()
        )
    ),
    max_size=5,
)


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=some_pairs)
def test_what_is_written_reads_back(tmp_path, name, pairs):
    assert write_preferences(iter(pairs), tmp_path / name) == len(pairs)
    read = [row for _, row in read_preferences(tmp_path / name)]
    assert sorted(read, key=repr) == sorted(pairs, key=repr)
    if all(pair.margin is None for pair in pairs):
        assert read == pairs
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == [name]


@pytest.mark.parametrize("name", KINDS)
def test_votes_travel_to_another_store(tmp_path, store, name):
    store.add_pairs([NewPair(f"p{i}", f"= a{i}", f"b{i}\n", "storyteller", "stories") for i in range(6)], "generated")
    for choice in ("left", "right", "tie", "skip", "left", "right"):
        store.vote(store.next_pair("ann", "storyteller", "stories"), "ann", choice)
    store.undo("ann")
    assert export_preferences(store, tmp_path / name) == 3
    report = import_preferences(tmp_path / name, store, name="again")
    assert (report.imported, report.rejected, report.rejected_total) == (3, [], 0)
    assert store.preference_pairs(dataset=report.dataset_id) == store.preference_pairs("ann")
    assert [(known.id, known.name, known.rows) for known in store.datasets()] == [(report.dataset_id, "again", 3)]
    assert export_preferences(store, tmp_path / "copy.jsonl", dataset=report.dataset_id) == 3
    store.delete_dataset(report.dataset_id)
    assert (store.datasets(), staged_rows(store)) == ([], [0, 0])


def test_the_field_s_own_loader_reads_our_files(tmp_path):
    load_dataset = pytest.importorskip("datasets").load_dataset
    pairs = [
        PreferencePair("x" * 500, f"a{i}", "=b", 1.5 if i >= 22_000 else None, "ann" if i % 2 else "")
        for i in range(22_010)
    ]
    for name, kind in (("p.jsonl", "json"), ("p.parquet", "parquet")):
        write_preferences(pairs, tmp_path / name)
        loaded = load_dataset(kind, data_files=str(tmp_path / name), split="train", cache_dir=str(tmp_path / "cache"))
        assert loaded.column_names == ["prompt", "chosen", "rejected", "margin", "annotator"]
        assert loaded.num_rows == len(pairs)
        assert sum(margin is not None for margin in loaded["margin"]) == 10


def test_cells_that_a_spreadsheet_would_run_are_guarded(tmp_path):
    write_preferences([PreferencePair("=SUM(A1)", "@cmd", "'-1", -2.0)], tmp_path / "p.csv")
    with open(tmp_path / "p.csv", newline="") as file:
        assert list(csv.reader(file))[1] == ["'=SUM(A1)", "'@cmd", "''-1", "-2.0"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    write_preferences([PreferencePair(**GOOD)], tmp_path / "p.jsonl")

    def breaking(stream, columns, rows):
        stream.write(b"half a r")
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(interchange, "_write_jsonl", breaking)
        with pytest.raises(PlaygroundError, match="full"):
            write_preferences([PreferencePair("a", "b", "c")], tmp_path / "p.jsonl")
    assert [path.name for path in tmp_path.glob("*p.jsonl*")] == ["p.jsonl"]
    assert not list(tmp_path.glob(".p*"))
    with pytest.raises(PlaygroundError, match="cannot be written"):
        write_preferences([PreferencePair(**GOOD)], tmp_path / "none" / "p.jsonl")
    assert only_row(tmp_path / "p.jsonl") == PreferencePair(**GOOD)


# Into the store


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

"""Whatever a file holds, an importer tells it row by row or in one sentence: nothing else ever comes out of it."""

import csv
import gzip
import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from core.errors import PlaygroundError
from core.feedback import parquet_rows
from core.feedback.columns import COLUMNS
from core.feedback.formats import guarded, unguarded
from core.feedback.interchange import import_preferences, read_preferences, write_preferences
from core.feedback.pairs import PreferencePair
from core.feedback.prompts import load_prompts
from core.feedback.rows import RejectedRow
from core.feedback.store import FeedbackStore

IN_ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
FIELDS = sorted(COLUMNS | {"prompt", "chosen", "rejected", "margin", "role", "content", "text", "full_text"})
WORDS = [
    "",
    " a",
    "[{'role': 'user', 'content': 'x'}]",
    '[{"role": ',
    "{'full_text': 'x'}",
    "tie",
    "model_a",
    "inf",
    "nan",
    "1e999",
    "\0",
    "\ud800",
    "\n\nAssistant: hi",
    "[",
    '["a"]',
    "=1",
]
HUGE = 10**400  # no float is so large

texts = st.sampled_from(WORDS) | st.text(max_size=8)
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.just(HUGE) | st.floats() | texts
messages = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant", [], 1]), "content": scalars})
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner | messages, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner),
    max_leaves=8,
)
rows = st.dictionaries(st.sampled_from(FIELDS), values, max_size=6)
two_answers = st.builds(
    lambda answers, verdict, value, more: more | {answers[0]: "a", answers[1]: "b", verdict: value},
    st.sampled_from([("response_a", "response_b"), ("human_ref_A", "human_ref_B"), ("answer_0", "answer_1")]),
    st.sampled_from(["winner", "overall_preference", "score_0", "labels", "winner_model_a"]),
    values,
    rows,
)


def told(path) -> list:
    """What reading gives: pairs that a database can hold, and reasons; a PlaygroundError is one sentence."""
    found = []
    try:
        for line, row in read_preferences(path):
            assert line >= 1
            if isinstance(row, RejectedRow):
                one_sentence(row.reason)
            else:
                "".join((row.prompt, row.chosen, row.rejected, row.annotator)).encode()
                assert "\0" not in row.prompt + row.chosen + row.rejected + row.annotator
            found.append(row)
    except PlaygroundError as error:
        one_sentence(error)
        return [error]
    return found


def one_sentence(told: object, naming: str = "") -> None:
    words = str(told)
    assert words.strip()
    assert naming in words
    assert len(words) < 1000, "an error that fills the page"


def as_file(folder, name: str, content: bytes):
    path = folder / name
    path.write_bytes(content)
    return path


@IN_ONE_FOLDER
@given(st.lists(rows | two_answers | values, min_size=1, max_size=4))
@example([{"answer_0": "a", "answer_1": "b", "winner": "inf"}])
@example([{"answer_0": "a", "answer_1": "b", "score_0": HUGE, "score_1": 1}])
@example([{"chosen": [{"role": [], "content": "x"}], "rejected": "b"}])
def test_any_json_is_a_pair_or_a_reason(tmp_path, some):
    content = "".join(json.dumps(row) + "\n" for row in some).encode()
    found = told(as_file(tmp_path, "rows.jsonl", content))
    assert len(found) == len(some) or isinstance(found[0], PlaygroundError)


@pytest.mark.parametrize("field", ["prompt", "chosen", "winner"])
def test_json_nested_as_deep_as_the_stack_is_a_reason(tmp_path, field):
    for depth in (200, 900, 990, 5_000, 200_000):
        deep = "[" * depth + "]" * depth
        others = '"response_a": "a", "response_b": "b"'
        quoted = json.dumps(deep) if field == "prompt" else deep
        row = f'{{{others}, "{field}": {quoted}, "label": "a"}}'
        assert len(told(as_file(tmp_path, "deep.jsonl", row.encode()))) == 1


@IN_ONE_FOLDER
@given(
    st.binary(max_size=400)
    | st.text(max_size=200).map(lambda text: text.encode("utf-16"))
    | st.just(b"\xef\xbb\xbf{}"),
    st.sampled_from(["x.jsonl", "x.csv", "x.tsv", "x.parquet", "x.jsonl.gz", "x.csv.gz"]),
    st.sampled_from([b"", b"\xef\xbb\xbf", b"\x1f\x8b", b"PAR1", b"prompt,chosen,rejected\n", b'{"chosen": "']),
    st.booleans(),
)
def test_any_bytes_under_any_name(tmp_path, content, name, beginning, packed):
    content = beginning + content
    told(as_file(tmp_path, name, gzip.compress(content) if packed else content))


KINDS = ("p.jsonl", "p.csv", "p.jsonl.gz", "p.parquet")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    for kind in KINDS:
        write_preferences([PreferencePair(f"p{n} ", "=yes", "no\n'x", 1.0, "me") for n in range(20)], folder / kind)
    return {kind: (folder / kind).read_bytes() for kind in KINDS}


@IN_ONE_FOLDER
@given(kind=st.sampled_from(KINDS), place=st.floats(0, 1), byte=st.integers(0, 255), cut=st.booleans())
def test_a_good_file_with_one_byte_wrong_or_its_end_missing(tmp_path, good, kind, place, byte, cut):
    content = good[kind]
    at = int(place * (len(content) - 1))
    told(as_file(tmp_path, kind, content[:at] if cut else content[:at] + bytes([byte]) + content[at + 1 :]))


@IN_ONE_FOLDER
@given(st.text(max_size=30))
@example("=cmd|' /C calc'!A0")
@example("'=1")
@example("\t=1")
@example("\r=1")
@example("＝1")
@example("\n=1")
@example("\n\nHuman: hi")
@example(" =1")
def test_no_exported_cell_begins_a_formula_and_each_comes_back(cell):
    """OWASP's list of what begins a formula: = + - @, tab, carriage return, and the full-width forms.

    A line feed alone does not count: every dialogue here begins with two.
    """
    written = guarded(cell)
    assert written.lstrip("\n")[:1] not in tuple("=+-@\t\r＝＋－＠")
    assert unguarded(written) == cell


@IN_ONE_FOLDER
@given(st.text(max_size=20), st.text(max_size=20))
def test_csv_cells_come_back_whatever_they_hold(tmp_path, chosen, rejected):
    pair = PreferencePair("@prompt", f"{chosen}a", f"{rejected}b")
    assume("\0" not in pair.chosen + pair.rejected)
    path = tmp_path / "cells.csv"
    write_preferences([pair], path)
    ((_, back),) = read_preferences(path)
    assert back == pair
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.reader(file):
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


# Small files that unfold into huge ones: read in a process of its own, whose memory is counted

READER = """
import resource, sys, time
from core.feedback.interchange import read_preferences
from core.errors import PlaygroundError
import pyarrow.parquet
before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
kept = left_out = 0
reason = ""
try:
    for _, row in read_preferences(sys.argv[1]):
        if hasattr(row, "reason"):
            left_out, reason = left_out + 1, row.reason
        else:
            kept += 1
except PlaygroundError as error:
    reason = str(error)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
grown += max(0, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before)  # the process that opens Parquet
print(kept, left_out, grown // 1024, reason, sep="|")
"""


def read_apart(path) -> tuple[int, int, int, str]:
    """Rows kept, rows left out, megabytes it took, the last reason."""
    done = subprocess.run([sys.executable, "-c", READER, path], capture_output=True, text=True, timeout=60, check=True)
    kept, left_out, megabytes, reason = done.stdout.strip().split("|", 3)
    return int(kept), int(left_out), int(megabytes), reason


ROW = json.dumps({"prompt": "p", "chosen": "a", "rejected": "b"}).encode() + b"\n"


def gzip_of_zeros(path):
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(ROW)
        for _ in range(200):
            file.write(bytes(2**20))
    return path


def lines_of_ten_megabytes(path):
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(3):
            file.write(ROW + b'{"prompt": "' + b"x" * 10_000_000 + b'", "chosen": "a", "rejected": "b"}\n')
    return path


def dictionary_of_one_text(path):
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), pa.array(["x" * 8_000_000]))
    table = pa.table({"prompt": texts, "chosen": pa.array(["a"] * 5000), "rejected": texts})
    pq.write_table(table, path, compression="zstd", dictionary_pagesize_limit=2**30)
    return path


def messages_of_one_text(path):
    said = pa.DictionaryArray.from_arrays(pa.array([0] * 200_000, pa.int32()), pa.array(["y" * 500_000]))
    role = pa.array(["user"] * 200_000)
    chosen = pa.ListArray.from_arrays(
        pa.array(range(0, 200_001, 2000), pa.int32()), pa.StructArray.from_arrays([role, said], ["role", "content"])
    )
    table = pa.table({"chosen": chosen, "rejected": chosen})
    pq.write_table(table, path, compression="zstd", dictionary_pagesize_limit=2**30)
    return path


@pytest.mark.parametrize(
    ("make", "name", "kept", "left_out", "told"),
    [
        (gzip_of_zeros, "zeros.jsonl.gz", 1, 0, "line 2: over 64 MiB without an end; not a text file"),
        (lines_of_ten_megabytes, "long.jsonl.gz", 3, 3, "longer than 1 MiB"),
        (dictionary_of_one_text, "texts.parquet", 0, 5000, "longer than 1 MiB"),
        (messages_of_one_text, "messages.parquet", 0, 100, "longer than 1 MiB"),
    ],
)
def test_a_bomb_is_told_and_takes_little_memory(tmp_path, make, name, kept, left_out, told):
    path = make(tmp_path / name)
    assert path.stat().st_size < 3_000_000
    found = read_apart(path)
    assert found[:2] == (kept, left_out)
    assert told in found[3]
    assert found[2] < 150, f"{found[2]} MB"


def test_ten_million_rows_of_nothing_are_given_up_early(tmp_path, own_home):
    path = tmp_path / "nothing.jsonl.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"{}\n" * 150_000)
    with pytest.raises(PlaygroundError, match="none of its first 100,000 rows is a preference .line 1: "):
        import_preferences(path, FeedbackStore())
    assert not FeedbackStore().datasets()
    with gzip.open(path, "wb") as file:
        file.write(ROW + b"{}\n" * 100_001)
    report = import_preferences(path, FeedbackStore())
    assert (report.imported, report.rejected_total) == (1, 100_001)


def test_a_file_that_ends_the_process_that_reads_it_is_told(tmp_path, monkeypatch):
    """Found by flipping bytes: Arrow's C++ aborts on some. Here a stand-in for that process does."""
    good = write_preferences([PreferencePair("p ", "a", "b")], tmp_path / "p.parquet") and tmp_path / "p.parquet"
    for said in ("", '{"columns": ["prompt", "chosen", "rejected"]}', '{"columns": ["chosen", "rejected"]}\n[1, {"cho'):
        reader = tmp_path / "reader"
        reader.write_text(f"#!/bin/sh\nprintf '%s' '{said}'\nkill -ABRT $$\n")
        reader.chmod(0o755)
        with monkeypatch.context() as patched:
            patched.setattr(parquet_rows.sys, "executable", str(reader))
            (error,) = told(good)
        assert "damaged Parquet file: reading it ended the process" in str(error)


def test_what_parquet_holds_and_json_has_no_word_for_costs_its_row_alone(tmp_path):
    far = pa.array([2**62, 0], pa.timestamp("us"))
    table = pa.table({"prompt": ["p", "p"], "chosen": ["a", "a"], "rejected": ["b", "c"], "winner": far})
    pq.write_table(table, tmp_path / "far.parquet")
    raw = pa.table({"prompt": [b"p", b"p"], "chosen": ["a", "a"], "rejected": ["b", "c"]})
    pq.write_table(raw, tmp_path / "raw.parquet")
    for name, words in (("far.parquet", "cannot be read"), ("raw.parquet", "prompt")):
        rows = [row for _, row in read_preferences(tmp_path / name)]
        assert words in rows[0].reason, rows


def test_a_row_group_that_unpacks_to_more_than_memory_should_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_rows, "_MAX_GROUP", 2**20)
    table = pa.table({name: pa.array(["z" * 200_000] * 4) for name in ("prompt", "chosen", "rejected")})
    pq.write_table(table, tmp_path / "group.parquet", compression="zstd", use_dictionary=False)
    (error,) = told(tmp_path / "group.parquet")
    assert "one of its row groups unpacks to more than" in str(error)


# Names, and files of prompts


@pytest.mark.parametrize("name", ["../../outside.jsonl", "a\0b", "\udcff.jsonl", "x" * 5000, "=1"])
def test_a_data_set_of_any_name(tmp_path, own_home, name):
    path = as_file(tmp_path, "rows.jsonl", ROW)
    store = FeedbackStore()
    import_preferences(path, store, name=name)
    (kept,) = store.datasets()
    assert kept.rows == 1
    assert not {"\0", "\udcff"} & set(kept.name)


@IN_ONE_FOLDER
@given(
    st.sampled_from(["own.txt", "own.jsonl"]), st.binary(max_size=60) | rows.map(lambda row: json.dumps(row).encode())
)
@example("own.jsonl", b'{"prompt": "\\ud800"}')
@example("own.jsonl", b'{"prompt": ' + b"9" * 5000 + b"}")
@example("own.jsonl", b"[" * 100_000)
@example("own.txt", "Once".encode("utf-16"))
@example("own.txt", b"caf\xe9")
def test_any_file_of_prompts_is_texts_or_one_sentence(tmp_path, name, content):
    path = as_file(tmp_path, name, content)
    try:
        prompts = load_prompts(str(path))
    except PlaygroundError as error:
        one_sentence(error, naming=name)
    else:
        for text in (*prompts.train, *prompts.heldout):
            assert text.strip()
            assert "\0" not in text.encode().decode()

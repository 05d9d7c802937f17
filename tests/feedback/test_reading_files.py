"""Preference files of every kind and in every state of repair, read row by row."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import PlaygroundError
from core.feedback import formats
from core.feedback.interchange import import_preferences, read_preferences
from core.feedback.pairs import PreferencePair
from core.feedback.rows import RejectedRow
from tests.feedback.preference_files import GOOD, only_row, staged_rows


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
        ("a.csv", b"chosen,rejected,chosen\n", "column chosen twice"),
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
        + b"6;p;c;r;1,5\r\n"
        + b'7;p;c;"never closed\r\n'
        + b"8;p;c;r;1\r\n"
    )
    read = dict(read_preferences(path))
    assert read[2] == PreferencePair("Two\r\nlines; here", 'He said "yes"', "no", 0.5)
    assert "3 cells" in read[4].reason
    assert "invalid CSV" in read[6].reason
    assert "Unicode" in read[7].reason
    assert read[8] == PreferencePair("=1+1", "'x", "r")
    assert read[9] == PreferencePair("p", "c", "r", 1.5)  # where semicolons part cells, the comma is the decimal sign
    assert "invalid CSV" in read[10].reason
    assert sorted(read) == [2, 4, 6, 7, 8, 9, 10]


def test_columns_that_nobody_reads_may_have_no_name_or_one_twice_but_not_those_that_are_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,prompt,chosen,rejected,x,,\n1,Once, upon, more,2,,\n")
    assert dict(read_preferences(path)) == {2: PreferencePair("Once", " upon", " more")}
    path.write_text("prompt,chosen,rejected,chosen\nOnce, upon, more, again\n")
    with pytest.raises(PlaygroundError, match="names the column chosen twice"):
        list(read_preferences(path))
    table = pa.table(
        [pa.array([text]) for text in ("Once", " upon", " more", " again")], ["prompt", "chosen", "rejected", "chosen"]
    )
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(PlaygroundError, match="names the column chosen twice"):
        list(read_preferences(tmp_path / "a.parquet"))


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

"""Preference files of every kind and in every state of repair, read row by row."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import PlaygroundError
from core.feedback import formats
from core.feedback.interchange import import_preferences, read_preferences, write_preferences
from core.feedback.pairs import PreferencePair
from core.feedback.rows import RejectedRow
from core.feedback.staging import Staging
from tests.feedback.preference_files import GOOD, only_row, staged_rows


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", b"\x89PNG\r\n\x1a\n" + bytes(500), "binary"),
        ("a.jsonl", bytes(range(256)) * 20, "binary"),
        ("a.jsonl", json.dumps(GOOD).encode("utf-16"), "UTF-16"),
        ("a.jsonl", b'[{"prompt": "a",\n "chosen"', "array"),
        ("a.jsonl", bytes(2**26 + 2**20), "MiB"),
        ("a.jsonl.gz", gzip.compress(json.dumps(GOOD).encode() * 50, mtime=0)[:-20], "cut short"),
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
    assert read[10].reason == "the quotation mark in line 10 is not closed: the 2 lines from there were read as one row"
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


@pytest.mark.parametrize(
    ("end", "line", "reason"),
    [
        ("", 1002, "the quotation mark in line 1,002 is not closed: the 1,999 lines from there were read as one row"),
        (
            'p,c,r"\np,c,r\n',
            1002,
            "the quotation mark in line 1,002 is closed only in line 3,001: the 2,000 lines from there",
        ),
        (
            'p,c,r" x\np,c,r\n',
            1002,
            "the quotation mark in line 1,002 is closed only in line 3,001: the 2,000 lines from",
        ),
        ('p,"c,r\n', 1002, "in line 1,002 is closed only in line 3,001: the 2,000 lines"),
    ],
)
def test_what_a_stray_quotation_mark_swallows_is_told_by_its_lines(tmp_path, end, line, reason):
    path = tmp_path / "a.csv"
    path.write_text("prompt,chosen,rejected\n" + "p,c,r\n" * 1000 + 'p,"open,r\n' + "p,c,r\n" * 1998 + end)
    read = dict(read_preferences(path))
    assert reason in read[line].reason
    assert sorted(read) == [*range(2, 1003), *([3002] if end.count("\n") == 2 else [])]


@pytest.mark.parametrize("name", ["bomb.jsonl.gz", "bomb.parquet"])
def test_a_small_file_that_unpacks_to_a_huge_one(tmp_path, store, monkeypatch, name):
    """Half way, with rows staged already: nothing of them stays."""
    text, path = "x" * 10_000, tmp_path / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress((json.dumps(GOOD | {"prompt": text}) + "\n").encode() * 300))
    else:
        texts = pa.DictionaryArray.from_arrays(pa.array([0] * 300, pa.int32()), pa.array([text]))
        table = pa.table({"prompt": texts, "chosen": ["a"] * 300, "rejected": ["b"] * 300})
        pq.write_table(table, path, compression="zstd")
    staged = []
    add = Staging.add
    monkeypatch.setattr(Staging, "add", lambda *given: staged.append(add(*given)))
    monkeypatch.setattr(formats, "_UNFOLDS_TO", 2**21)
    assert path.stat().st_size * formats._UNFOLDS_TIMES < 2**21
    with pytest.raises(PlaygroundError, match="more than 2 MiB, and a file of its size should not"):
        import_preferences(path, store)
    assert staged
    assert staged_rows(store) == [0, 0]


def test_a_file_may_unfold_to_many_times_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "_UNFOLDS_TO", 0)
    rows = [PreferencePair("the same long prompt " * 50, f"{n} yes", f"{n} no") for n in range(2000)]
    for name in ("p.jsonl.gz", "p.csv.gz", "p.parquet"):
        write_preferences(rows, tmp_path / name)
        assert [row for _, row in read_preferences(tmp_path / name)] == rows


def test_empty_lines_are_passed_over_at_once_and_counted(tmp_path):
    """Not where they stand in a cell."""
    empty = b"\n" * 20_000 + b"\r\n" * 20_000
    good = json.dumps(GOOD).encode()
    contents = {
        "p.jsonl": empty + good + b"\n" + empty + b" \t\n" * 5000 + b" \n " + good,
        "p.csv": b"prompt,chosen,rejected\n" + empty + b"p,a,b\n" + empty + b'p,"a\n\n\n\nb",c\n \n',
    }
    found = {}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
        found[name] = list(read_preferences(tmp_path / name))
        assert list(read_preferences(tmp_path / f"{name}.gz")) == found[name]
    assert [line for line, _ in found["p.jsonl"]] == [40_001, 85_003]
    assert [line for line, _ in found["p.csv"]] == [40_002, 80_003, 80_008]
    assert found["p.csv"][1][1] == PreferencePair("p", "a\n\n\n\nb", "c")


def test_a_million_empty_lines_are_read_a_buffer_at_a_time(tmp_path, monkeypatch):
    path = tmp_path / "p.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n" * 2**20 + json.dumps(GOOD).encode()))
    asked = []
    read_line = formats._Lines.__next__
    monkeypatch.setattr(formats._Lines, "__next__", lambda lines: asked.append(1) or read_line(lines))
    assert [line for line, _ in read_preferences(path)] == [2**20 + 1]
    assert len(asked) < 1000

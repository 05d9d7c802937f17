"""What is written reads back: here, in another store, in the field's own loader, in a spreadsheet."""

import csv

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import PlaygroundError
from core.feedback import interchange
from core.feedback.interchange import (
    export_preferences,
    import_preferences,
    read_preferences,
    write_preferences,
)
from core.feedback.pairs import PreferencePair
from core.feedback.store import NewPair
from tests.feedback.preference_files import GOOD, only_row, staged_rows

KINDS = ["p.jsonl", "p.jsonl.gz", "p.csv", "p.csv.gz", "p.tsv", "p.parquet"]


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


@pytest.mark.parametrize("name", [name for name in KINDS if not name.endswith("parquet")])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=some_pairs)
def test_what_is_written_reads_back(tmp_path, name, pairs):
    comes_back(tmp_path, name, pairs)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=some_pairs)
def test_what_is_written_as_parquet_reads_back(tmp_path, pairs):
    """Fewer examples: each file of these is read in a process of its own."""
    comes_back(tmp_path, "p.parquet", pairs)


def comes_back(tmp_path, name, pairs):
    assert write_preferences(iter(pairs), tmp_path / name) == len(pairs)
    read = [row for _, row in read_preferences(tmp_path / name)]
    assert sorted(read, key=repr) == sorted(pairs, key=repr)
    if "jsonl" not in name or all(pair.margin is None for pair in pairs):
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


def test_votes_are_written_as_they_were_at_one_moment(tmp_path, store, monkeypatch):
    """An undo while the file is written, which moves every vote behind it up by one, is in it or is not."""
    pairs = [PreferencePair(f"p{i}", "a", "b", 1.0 if i == 1 else None) for i in range(3)]
    calls = []

    def read(annotator, dataset=None):
        calls.append(annotator)
        return iter(pairs if len(calls) == 1 else pairs[1:])

    monkeypatch.setattr(store, "iterate_pairs", read)
    assert export_preferences(store, tmp_path / "p.jsonl") == 3
    assert {row.prompt for _, row in read_preferences(tmp_path / "p.jsonl")} == {"p0", "p1", "p2"}


def test_a_link_stays_one_and_what_it_leads_to_is_written(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "p.csv").symlink_to(tmp_path / "kept" / "real.csv")
    write_preferences([PreferencePair("p", "a", "b")], tmp_path / "p.csv")
    assert (tmp_path / "p.csv").is_symlink() and (tmp_path / "kept" / "real.csv").is_file()


def test_tabs_part_what_is_called_tsv(tmp_path):
    write_preferences([PreferencePair("p", "a", "b")], tmp_path / "p.tsv")
    assert (tmp_path / "p.tsv").read_text() == "prompt\tchosen\trejected\np\ta\tb\n"


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

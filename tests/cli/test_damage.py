"""What is damaged, or names no place for results, is one sentence; and nothing else is lost by it."""

import pandas
import pytest
import sqlalchemy as sa

from core.database.engine import engine, writing
from core.runs.jobs import JOBS
from core.runs.store import RunStore
from tests.cli.answers import last_json


def test_the_root_of_the_disk_is_no_place_for_results(run, preference_file):
    status, _, err = run("reward", "train", "--preferences", preference_file, "--out", "/")
    assert status == 2 and err == "error: / is not empty, and no run's results: choose another folder\n"
    assert RunStore().list() == []


@pytest.mark.parametrize("text", ["{bad", '{"x": 1}', "[]", '{"out": 5, "overwrite": false}', "\0"])
def test_a_damaged_order_is_named(run, text):
    folder = RunStore().create(JOBS["pairs"](), run_id="mine").folder
    (folder / "out.json").write_text(text)
    status, _, err = run("runs", "resume", "mine")
    assert status == 2
    assert f"error: {folder / 'out.json'}, which says where the results of the run mine are to go, is damaged" in err


@pytest.mark.parametrize(
    ("column", "cell"), [("config", "{bad"), ("config", b"\xff"), ("config", 5), ("result", "[1]")]
)
def test_a_damaged_record_hides_no_other_run(run, column, cell):
    store = RunStore()
    for name in ("before", "damaged", "after"):
        store.create(JOBS["pairs"](), run_id=name)
    with writing(engine()) as connection:
        connection.execute(sa.text(f"UPDATE runs SET {column} = :cell WHERE id = 'damaged'"), {"cell": cell})
    status, out, err = run("runs", "list", "--json")
    assert (status, {entry["id"] for entry in last_json(out)["runs"]}) == (0, {"before", "after"})
    assert err == "the record of the run damaged in the database is damaged: it is left out\n"
    assert {waiting.id for waiting in store.queue()} == {"before", "after"}
    for command in ("show", "resume", "stop"):
        status, _, err = run("runs", command, "damaged")
        assert status == 2 and err.startswith("error: The record of the run damaged in the database is damaged: ")


def with_numbers(file):
    pandas.DataFrame({"number": [1, 2]}).to_parquet(file)


@pytest.mark.parametrize(
    ("name", "write", "told"),
    [
        ("garbage.parquet", lambda file: file.write_bytes(b"garbage " * 20), "is no parquet file that can be read"),
        ("numbers.parquet", with_numbers, "there is no column text in it"),
        ("latin.txt", lambda file: file.write_bytes(b"caf\xe9\n"), "is no UTF-8 text"),
        ("latin.jsonl", lambda file: file.write_bytes(b'{"text": "caf\xe9"}\n'), "is no UTF-8 text"),
    ],
)
def test_text_to_pretrain_on_that_cannot_be_read_is_named(run, tmp_path, name, write, told):
    write(tmp_path / name)
    status, _, err = run("pretrain", "--data", tmp_path / name)
    assert status != 0
    assert str(tmp_path / name) in err.splitlines()[-1] and told in err.splitlines()[-1]


def test_a_file_that_cannot_be_replaced_is_named_and_nothing_is_left_beside_it(run, tmp_path):
    RunStore().create(JOBS["pairs"](), run_id="mine")
    (tmp_path / "out" / "metrics.csv").mkdir(parents=True)
    status, _, err = run("runs", "export", "mine", "--format", "csv", "--out", tmp_path / "out")
    assert status == 1 and err.startswith(f"error: {tmp_path / 'out' / 'metrics.csv'}: ")
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["metrics.csv"]


def test_a_damaged_step_is_one_sentence(run):
    RunStore().create(JOBS["pairs"](), run_id="mine")
    with writing(engine()) as connection:
        connection.execute(sa.text("INSERT INTO steps VALUES ('mine', 1, 'pairs', 1, 0.0, '{bad')"))
    status, _, err = run("runs", "show", "mine")
    assert (status, err) == (
        2,
        "error: A record in the database is damaged, put back a copy of it: '{bad' is no JSON.\n",
    )

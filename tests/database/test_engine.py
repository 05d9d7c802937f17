import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from core.database import engine as engines
from core.database.engine import engine, insert_new, reading, writing
from core.database.schema import VERSION, controls, metadata, prompts, runs, steps
from core.errors import PlaygroundError


def run_row(run_id="a"):
    return {"id": run_id, "kind": "ppo", "status": "queued", "config": {"x": 1}, "created": 1.0}


def test_migrations_make_exactly_the_schema(database):
    with reading(engine(database)) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_version_is_the_newest_migration():
    assert ScriptDirectory(str(engines._MIGRATIONS)).get_heads() == [VERSION]


def test_migrating_again_changes_nothing_and_keeps_rows(database):
    first = engine(database)
    with writing(first) as connection:
        connection.execute(sa.insert(runs), run_row())
    assert engine(database) is first
    engines._migrate(first)
    with reading(first) as connection:
        assert connection.execute(sa.select(runs.c.config)).scalar_one() == {"x": 1}


def test_processes_that_open_an_empty_database_together(tmp_path):
    """One migrates, the others wait for it."""
    command = "from core.database.engine import *; from core.database.schema import runs; c = engine().connect(); c.execute(runs.select())"
    opened = [subprocess.Popen([sys.executable, "-c", command], stderr=subprocess.PIPE) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in opened] == [(b"", 0)] * 3


def test_sqlite_is_opened_durably(tmp_path):
    opened = engine(f"sqlite:///{tmp_path / 'a.db'}")
    with reading(opened) as connection:
        asked = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
        assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() >= 10_000


@pytest.mark.parametrize("name", ["what?now=1", "my%20files", "100%", "a#b", "ünï cödé"])
def test_the_database_lies_in_the_data_folder_whatever_that_is_called(tmp_path, monkeypatch, name):
    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(tmp_path / name))
    with writing(engine()) as connection:
        connection.execute(sa.insert(runs), run_row())
    assert (tmp_path / name / "playground.db").stat().st_size > 0
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("how", ["removed", "replaced", "moved with its folder"])
def test_a_file_that_goes_while_it_is_open_takes_no_vote_along(tmp_path, how):
    file = tmp_path / "data" / "votes.db"
    file.parent.mkdir()
    opened = engine(f"sqlite:///{file}")
    with writing(opened) as connection:
        connection.execute(sa.insert(runs), run_row())
    if how == "replaced":
        copy = tmp_path / "copy.db"
        copy.write_bytes(file.read_bytes())
        copy.replace(file)
    elif how == "removed":
        file.unlink()
    else:
        file.parent.rename(tmp_path / "elsewhere")
    for way in (writing, reading):
        with pytest.raises(PlaygroundError, match=r"votes\.db was removed or replaced while it was open"), way(opened):
            pass


def test_a_database_that_is_let_go_of_is_whole_in_its_one_file(tmp_path):
    file = tmp_path / "votes.db"
    opened = engine(f"sqlite:///{file}")
    with writing(opened) as connection:
        connection.execute(sa.insert(runs), run_row())
    assert file.with_name("votes.db-wal").stat().st_size > file.stat().st_size
    engines.close_all()
    assert {entry.name for entry in tmp_path.glob("votes.db*")} <= {"votes.db", "votes.db.lock"}
    with sqlite3.connect(file) as alone:
        assert alone.execute("SELECT id FROM runs").fetchall() == [("a",)]
    with reading(opened) as connection:  # it can be asked again
        assert connection.execute(sa.select(runs.c.id)).scalar() == "a"


def test_a_newer_schema_is_refused(tmp_path):
    path = tmp_path / "new.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    with pytest.raises(PlaygroundError, match="newer version"):
        engine(f"sqlite:///{path}")


def test_a_database_that_has_lost_its_runs_says_so(tmp_path, caplog):
    """Emptied by a disk or a hand; or taken without the -wal, in which all of it may be."""
    home = tmp_path / "home"
    engine()
    assert caplog.text == ""
    engines.close_all()
    (home / "runs" / "loop-1").mkdir(parents=True)
    (tmp_path / "empty.db").touch()
    for name in ("empty.db", "gone.db"):
        caplog.clear()
        engine(f"sqlite:///{tmp_path / name}")
        [record] = caplog.records
        assert f"{name} was empty and is begun anew, though {home / 'runs'} holds runs" in record.getMessage()
        caplog.clear()
        engines._migrate(engine(f"sqlite:///{tmp_path / name}"))
        assert caplog.text == ""


def test_another_programs_tables_are_left_alone(database):
    """As where a URL names the wrong database, or the row that says which version ours is has gone."""
    other = sa.create_engine(database)
    with other.begin() as connection:
        connection.execute(sa.text("CREATE TABLE runs (theirs INTEGER)"))
        connection.execute(sa.text("INSERT INTO runs VALUES (7)"))
    with pytest.raises(PlaygroundError, match=r"tables of another program.*\(runs\)"):
        engine(database)
    with other.connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["runs"]
        assert connection.execute(sa.text("SELECT theirs FROM runs")).scalar() == 7
    other.dispose()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql+psycopg://who:hush@127.0.0.1:1/nothing", "127.0.0.1"),
        ("sqlite:////no/such/folder/a.db", "/no/such/folder"),
        ("sqlite://", "in memory"),
        ("mysql://localhost/a", "mysql"),
        ("nonsense", "no database URL"),
    ],
)
def test_unreachable_databases_are_one_readable_error(url, told):
    if url.startswith("postgresql"):
        pytest.importorskip("psycopg")
    with pytest.raises(PlaygroundError, match=told) as error:
        engine(url)
    assert "hush" not in str(error.value)


def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "letter.db"
    path.write_text("Dear diary, " * 500)
    with pytest.raises(PlaygroundError, match="not a database"):
        engine(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear diary")


def test_a_damaged_database_is_one_sentence(tmp_path):
    path = tmp_path / "votes.db"
    opened = engine(f"sqlite:///{path}")
    with reading(opened) as connection:
        connection.execute(sa.text("SELECT 1"))
    opened.dispose()
    whole = path.read_bytes()
    for damaged in (whole[:9000], whole[:4096] + b"\x9c" * 8192 + whole[12288:]):
        copy = tmp_path / f"{len(damaged)}.db"
        copy.write_bytes(damaged)
        with pytest.raises(PlaygroundError, match="malformed .*put back a copy"):
            read_everything(f"sqlite:///{copy}")


def read_everything(url):
    with writing(engine(url)) as connection:
        for table in sa.inspect(connection).get_table_names():
            connection.execute(sa.text(f"SELECT * FROM {table}")).all()


def test_deleting_a_run_takes_its_rows_along(database):
    opened = engine(database)
    with writing(opened) as connection:
        connection.execute(sa.insert(runs), run_row())
        connection.execute(
            sa.insert(steps), {"run_id": "a", "number": 1, "stage": "ppo", "step": 1, "time": 0.0, "metrics": {}}
        )
        connection.execute(sa.insert(controls), {"run_id": "a", "field": "kl_coef", "value": 0.1, "requested_at": 0.0})
    with writing(opened) as connection:
        connection.execute(sa.delete(runs))
    with reading(opened) as connection:
        assert [
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() for table in (steps, controls)
        ] == [0, 0]


def test_numbers_that_are_none_are_stored_as_null(database):
    opened = engine(database)
    with writing(opened) as connection:
        connection.execute(sa.insert(runs), run_row() | {"result": {"kl": float("nan"), "parts": [1.0, float("inf")]}})
    with reading(opened) as connection:
        assert connection.execute(sa.select(runs.c.result)).scalar() == {"kl": None, "parts": [1.0, None]}


def test_a_block_that_raises_writes_nothing(database):
    opened = engine(database)

    def write_and_fail():
        with writing(opened) as connection:
            connection.execute(sa.insert(runs), run_row())
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    with reading(opened) as connection:
        assert connection.execute(sa.select(runs)).all() == []


def test_insert_new_passes_over_what_is_there(database):
    opened = engine(database)
    rows = [{"digest": "1", "text": "one"}, {"digest": "2", "text": "two"}]
    with writing(opened) as connection:
        connection.execute(sa.insert(prompts), rows[0])
        assert connection.scalars(insert_new(opened, prompts).returning(prompts.c.text), rows).all() == ["two"]


def test_read_then_write_from_many_threads_loses_nothing(database):
    """A counter is the test: a transaction that had begun as a reader would fail or overwrite."""
    opened = engine(database)
    with writing(opened) as connection:
        connection.execute(sa.insert(runs), run_row())

    def add():
        for _ in range(5):
            with writing(opened) as connection:
                step = connection.execute(sa.select(runs.c.step).with_for_update()).scalar_one()
                connection.execute(sa.update(runs).values(step=step + 1))

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(opened) as connection:
        assert connection.execute(sa.select(runs.c.step)).scalar() == 40


def test_readers_do_not_wait_for_a_writer(database):
    opened = engine(database)
    with writing(opened) as connection:
        connection.execute(sa.insert(runs), run_row())
        start = time.monotonic()
        with reading(opened) as other:
            assert other.execute(sa.select(runs)).all() == []
        assert time.monotonic() - start < 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process")
def test_an_engine_held_across_a_fork(database):
    opened = engine(database)
    with writing(opened) as connection:
        connection.execute(sa.insert(runs), run_row("before"))

    def child():
        with writing(opened) as connection:
            connection.execute(sa.insert(runs), run_row("child"))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(30)
    assert process.exitcode == 0
    with writing(opened) as connection:
        connection.execute(sa.insert(runs), run_row("after"))
        assert set(connection.scalars(sa.select(runs.c.id))) == {"before", "child", "after"}


def test_a_folder_where_nothing_can_be_locked(tmp_path, monkeypatch):
    def refused(self, *args, **kwargs):
        raise PermissionError("read-only")

    monkeypatch.setattr(engines.filelock.FileLock, "acquire", refused)
    with pytest.raises(PlaygroundError, match="cannot be locked"):
        engine(f"sqlite:///{tmp_path / 'a.db'}")


def test_a_plain_postgresql_url_means_the_driver_that_is_brought():
    pytest.importorskip("psycopg")
    assert engines._make("postgresql://me@localhost/votes").dialect.driver == "psycopg"

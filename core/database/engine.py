"""The way in: one engine for each database, opened, checked and brought up to the current schema.

Write inside `writing(engine)`, read inside `reading(engine)`. On SQLite a transaction takes the write lock at its
beginning (BEGIN IMMEDIATE) unless `reading` opened it: one that reads first and writes later could fail half-way.
"""

import contextlib
import json
import logging
import math
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from core.database.one_file import OneFile
from core.database.schema import VERSION, metadata
from core.errors import PlaygroundError
from core.files import nearly_full
from core.paths import database_url, home

BUSY_SECONDS = 30  # how long a write waits for others before it gives up
_MIGRATIONS = Path(__file__).parent / "migrations"

_log = logging.getLogger(__name__)
_engines: dict[str, sa.Engine] = {}
_opening = threading.Lock()
_inherited: list[sa.Pool] = []


class DamagedRecordError(PlaygroundError):
    """A cell that should hold JSON holds something else."""


def engine(url: str | None = None) -> sa.Engine:
    """The engine of `url` (default: the user's database), the same object each time; migrated when first asked for.

    Safe to share between threads, and with a forked child. Raises PlaygroundError when the database cannot be
    reached, is no database, or was written by a newer version.
    """
    url = url or database_url()
    with _opening:
        if url not in _engines:
            made = _make(url)
            try:
                _migrate(made)
            except BaseException:
                made.dispose()
                raise
            _engines[url] = made
        return _engines[url]


def close_all() -> None:
    """Let go of every database; who asks again gets it anew.

    The last to let go of an SQLite file has all that was written beside it (`-wal`, megabytes of votes) put into it.
    A process that a signal ends lets go of nothing, and a copy of the file alone would then be without them.
    """
    with _opening:
        for made in _engines.values():
            made.dispose()


@contextlib.contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that may write: committed, and on the disk, when the block ends; undone when it raises."""
    with _readable_errors(engine), engine.begin() as connection:
        yield connection


@contextlib.contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that only reads, from one moment's state, and makes no writer wait."""
    with _readable_errors(engine), engine.connect().execution_options(only_reads=True) as connection:
        yield connection


def insert_new(engine: sa.Engine, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that passes over rows that a unique index already holds; ask with `.returning` what went in."""
    insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()


def _make(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.drivername == "postgresql":  # SQLAlchemy would look for psycopg2, which we do not bring
            parsed = parsed.set(drivername="postgresql+psycopg")
        backend = parsed.get_backend_name()
        if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
            raise PlaygroundError(
                "RLHF_PLAYGROUND_DB names an SQLite database in memory; give it a file: sqlite:///votes.db"
            )
        if backend not in ("sqlite", "postgresql"):
            raise PlaygroundError(f"RLHF_PLAYGROUND_DB: SQLite and PostgreSQL are supported, not {backend}.")
        wait = {"timeout": BUSY_SECONDS} if backend == "sqlite" else {"connect_timeout": 10}
        made = sa.create_engine(
            parsed,
            json_serializer=_to_json,
            json_deserializer=_from_json,
            connect_args=wait,
            pool_pre_ping=backend != "sqlite",
        )
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise PlaygroundError(
            "RLHF_PLAYGROUND_DB is no database URL; one looks like sqlite:////home/me/votes.db"
        ) from None
    except ModuleNotFoundError as missing:
        raise PlaygroundError(
            f"RLHF_PLAYGROUND_DB needs the Python package {missing.name}: pip install 'rlhf-playground[postgresql]'"
        ) from None
    if backend == "sqlite":
        event.listen(made, "connect", _prepare_sqlite)
        event.listen(made, "begin", _begin_sqlite)
        file = OneFile(Path(parsed.database or ""))
        event.listen(made, "connect", file.was_opened)
        for moment in ("do_connect", "checkout"):  # a connection to nothing would make an empty file
            event.listen(made, moment, file.check)
    return made


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where sqlite3 guesses
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # NORMAL may lose the last votes when the power fails
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    only_reads = connection.get_execution_options().get("only_reads", False)
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")


def _migrate(engine: sa.Engine) -> None:
    """Bring the schema to VERSION. One process does it while the others wait at the lock."""
    if _revision(engine) == VERSION:
        return
    with _migrating_alone(engine):
        revision = _revision(engine)
        if revision == VERSION:
            return
        import alembic.command
        import alembic.config
        from alembic.script import ScriptDirectory

        config = alembic.config.Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if revision is not None and revision not in known:
            raise PlaygroundError(
                f"{_shown(engine)} was written by a newer version of RLHF Playground (schema {revision}; "
                f"this one knows {VERSION}). Update the program, or point RLHF_PLAYGROUND_DB elsewhere."
            )
        with writing(engine) as connection:
            if engine.dialect.name == "postgresql":  # other machines do not see our lock file
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7238461)"))
            if _revision_in(connection) is None:
                _check_empty(connection)
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, VERSION)
        if revision is None:
            _say_what_is_missing(engine)


@contextlib.contextmanager
def _migrating_alone(engine: sa.Engine) -> Iterator[None]:
    path = lock_file(engine)
    lock = filelock.FileLock(path, timeout=120)
    try:
        lock.acquire()
    except (filelock.Timeout, OSError) as error:
        raise PlaygroundError(f"{_shown(engine)} cannot be brought up to date: {path} cannot be locked.") from error
    try:
        yield
    finally:
        lock.release()


def _revision(engine: sa.Engine) -> str | None:
    """The schema's version; None for an empty database."""
    with reading(engine) as connection:
        return _revision_in(connection)


def _revision_in(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _check_empty(connection: sa.Connection) -> None:
    """Raises PlaygroundError when tables that we are about to make are there already: they are somebody else's."""
    there = sorted(set(sa.inspect(connection).get_table_names()) & set(metadata.tables))
    if there:
        raise PlaygroundError(
            f"{_shown(connection.engine)} holds tables of another program, or what is left of ours "
            f"({', '.join(there[:3])}): put back a copy of it, or give RLHF_PLAYGROUND_DB one of its own."
        )


def _say_what_is_missing(engine: sa.Engine) -> None:
    """A database that was emptied, or lost its -wal, looks like one that was never there; its runs' folders do not."""
    runs = home() / "runs"
    if runs.is_dir() and any(runs.iterdir()):
        _log.warning(
            "%s was empty and is begun anew, though %s holds runs: if it should have votes and runs, end every server, "
            "and put back a copy of it (of an SQLite file, with the -wal that lay beside it).",
            _shown(engine),
            runs,
        )


def lock_file(engine: sa.Engine, name: str = "") -> Path:
    """Where a lock for work on this database lies: beside an SQLite file, else in the data folder."""
    beside = Path(engine.url.database or "").absolute() if engine.dialect.name == "sqlite" else home() / "database"
    return beside.with_name(f"{beside.name}{name}.lock")


@contextlib.contextmanager
def _readable_errors(engine: sa.Engine) -> Iterator[None]:
    """What a person can mend (no server, no space, no database, a name that is no text) as one PlaygroundError."""
    try:
        yield
    except OperationalError as error:
        raise PlaygroundError(f"{_shown(engine)}: {_in_words(engine, error)}") from error
    except UnicodeEncodeError as error:
        shown = f"{error.object!a:.100}"
        raise PlaygroundError(f"A text that is not valid Unicode cannot be kept or found: {shown}") from None
    except DBAPIError as error:
        if isinstance(error, DataError) and "NUL" in str(error.orig):
            raise PlaygroundError("A text with a NUL character in it cannot be kept or found.") from error
        if type(error.orig) is sqlite3.DatabaseError:  # not one of its kinds, which are faults of ours
            words = "it is damaged, put back a copy of it" if "malformed" in str(error.orig) else "it is none"
            raise PlaygroundError(f"{_shown(engine)}: {_first_line(error)} ({words})") from error
        raise


def _shown(engine: sa.Engine) -> str:
    return f"The database {engine.url.render_as_string(hide_password=True)}"


def _in_words(engine: sa.Engine, error: OperationalError) -> str:
    """What `error` says, or what is behind it where SQLite knows no more than that it could not write."""
    if not isinstance(error.orig, sqlite3.Error):
        return _first_line(error)
    code = error.orig.sqlite_errorcode & 0xFF  # the bits above tell the kinds of one failure apart
    folder = lock_file(engine).parent
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and nearly_full(folder)):
        return f"the disk is full, free some space where {folder} lies"
    unwritable = folder.is_dir() and not os.access(folder, os.W_OK)
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR) and unwritable:
        place = "data folder" if folder == home() else "folder"
        return f"the {place} {folder} is read-only, or not yours to write into"
    return _first_line(error)


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]


def _to_json(value: Any) -> str:
    """JSON that every database takes: numbers that are none (a run that diverged) become null."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False)


def _from_json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise DamagedRecordError(
            f"A record in the database is damaged, put back a copy of it: {text!a:.100} is no JSON."
        ) from error


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _forked() -> None:
    """In a forked child: leave the parent's connections alone (closing them would disturb it) and open our own."""
    global _opening
    _opening = threading.Lock()
    for inherited in _engines.values():
        _inherited.append(inherited.pool)
        inherited.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)

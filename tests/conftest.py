"""Every test has a data folder of its own and never sees the user's."""

import os
import uuid

import pytest
import sqlalchemy


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RLHF_PLAYGROUND_DB", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, own_home, tmp_path):
    """The URL of an empty database, once of each kind. The PostgreSQL server is one you name, where databases may be made."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server = os.environ.get("RLHF_PLAYGROUND_TEST_POSTGRESQL")
    if not server:
        pytest.skip("RLHF_PLAYGROUND_TEST_POSTGRESQL names no PostgreSQL server (postgresql://user:password@host/database)")
    name = f"playground_{uuid.uuid4().hex}"
    admin = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with admin.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
    yield sqlalchemy.make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sqlalchemy.text(f"DROP DATABASE {name} WITH (FORCE)"))

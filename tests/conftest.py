"""Every test has a data folder of its own and never sees the user's."""

import os
import time
import uuid

import pytest
import sqlalchemy
from hypothesis import settings

from core.threads import wait_briefly

wait_briefly()  # browser tests share the processor with a server and its workers

# Property tests try the same inputs on every machine, few enough to be quick; `HYPOTHESIS_PROFILE=default pytest FILE`
# looks farther.
settings.register_profile("stable", derandomize=True, max_examples=80, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "stable"))


@pytest.fixture(scope="session", autouse=True)
def surroundings(tmp_path_factory):
    """What fixtures of a whole module see too, which are made before any test's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RLHF_PLAYGROUND_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("RLHF_PLAYGROUND_DB", raising=False)
        patch.setenv("HF_HUB_OFFLINE", "1")
        # Oracles are exact: what bfloat16 changes, where a processor gains from it, has tests that ask for it by name.
        patch.setenv("RLHF_PLAYGROUND_PRECISION", "float32")
        yield


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(tmp_path / "home"))


POSTGRESQL = os.environ.get("RLHF_PLAYGROUND_TEST_POSTGRESQL", "").replace("postgresql://", "postgresql+psycopg://")


def pytest_report_header():
    if not POSTGRESQL:
        return "databases: SQLite; PostgreSQL too when RLHF_PLAYGROUND_TEST_POSTGRESQL=postgresql://user:password@host/name"
    return "databases: SQLite and PostgreSQL"


@pytest.fixture(params=["sqlite", "postgresql"] if POSTGRESQL else ["sqlite"])
def database(request, own_home, tmp_path):
    """The URL of an empty database, once of each kind; on the PostgreSQL server one is made and dropped."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    name = f"playground_{uuid.uuid4().hex}"
    admin = sqlalchemy.create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with admin.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
    yield sqlalchemy.make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
    for patience in range(20, -1, -1):
        try:
            with admin.connect() as connection:
                connection.execute(sqlalchemy.text(f"DROP DATABASE {name} WITH (FORCE)"))
            return
        except sqlalchemy.exc.ProgrammingError:  # the server itself is cleaning up there, and may not be ended by us
            if not patience:
                raise
            time.sleep(0.5)

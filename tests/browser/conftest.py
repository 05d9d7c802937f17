"""A real Chromium on the real app: served on a free port, with a data folder of its own."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
SECONDS_TO_START = 60


def pytest_collection_modifyitems(items):
    """Without a browser all of these are skipped, with one line that says why."""
    if CHROMIUM is None:
        for item in items:
            if Path(item.fspath).is_relative_to(Path(__file__).parent):
                item.add_marker(pytest.mark.skip(reason="no chromium on PATH: install it to run the browser tests"))


@pytest.fixture(scope="session")
def served(tmp_path_factory, serving):
    """(address, data folder) of an app served for this session; it and the workers it started end with it."""
    home = tmp_path_factory.mktemp("browser") / "home"
    with serving(home) as address:
        yield address, home


@pytest.fixture(scope="session")
def serving():
    """`with serving(data folder, NAME="value")`: the address of an app served with these environment variables too.

    `port`: where it has to be; by default where there is room.
    """
    return _serving


@contextlib.contextmanager
def _serving(home: Path, port: int | None = None, **more: str):
    port = port or free_port()
    environment = os.environ | {"RLHF_PLAYGROUND_HOME": str(home), "HF_HUB_OFFLINE": "1"} | more
    environment.pop("RLHF_PLAYGROUND_DB", None)
    log = home.with_name("server.log").open("wb")
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server, Path(log.name))
        yield address
    finally:
        _stop_runs(environment)
        server.terminate()
        server.wait(timeout=20)
        log.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).read()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"The app did not answer within {SECONDS_TO_START} s:\n{log.read_text(errors='replace')}")


def _stop_runs(environment: dict[str, str]) -> None:
    """Workers outlive their server on purpose; those of a test must not."""
    program = (
        "from core.runs.store import RunStore; store = RunStore()\n"
        "for run in store.list():\n"
        "    if run.status in ('queued', 'running', 'paused'): store.request(run.id, 'stop')"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=False)


@pytest.fixture(scope="session")
def browser():
    """Chromium, once a session."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)  # as long as a tab waits: the processor may be shared
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, served):
    """A fresh tab on a fresh profile; paths are relative to the app: `page.goto("/label")`."""
    context = browser.new_context(base_url=served[0], viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)
    tab = context.new_page()
    yield tab
    context.close()

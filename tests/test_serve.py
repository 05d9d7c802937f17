"""`serve`, from an installed wheel and another folder; and what it says when it cannot."""

import os
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest

from core.cli import main
from core.cli.serve import environment_of, settings

ROOT = Path(__file__).parents[1]
PACKAGED = [
    "app.py",
    "setup.py",
    "MANIFEST.in",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    ".streamlit",
    "core",
    "pages",
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder into which a wheel of this checkout was installed."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in PACKAGED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            source.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-index"]
    subprocess.run([*pip, "wheel", *offline, "--no-build-isolation", source, "-w", folder], check=True)
    [wheel] = folder.glob("*.whl")
    subprocess.run([*pip, "install", *offline, "--target", folder / "site", wheel], check=True)
    return folder / "site"


@pytest.fixture
def elsewhere(tmp_path, installed):
    """Another working directory, and the environment of a process that finds the installed package alone."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "app.py").write_text("raise SystemExit('the wrong app')\n")
    return tmp_path / "work", os.environ | {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(address: str, server: subprocess.Popen, log: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            return urllib.request.urlopen(address, timeout=5).read().decode()
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text(errors="replace"))


def test_an_installed_package_serves_its_first_page_from_any_folder(elsewhere, tmp_path):
    folder, environment = elsewhere
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "core", "serve", "--port", str(port), "--no-open"]
    with log.open("wb") as out:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        assert wait_for(f"http://127.0.0.1:{port}/_stcore/health", server, log) == "ok"
        assert "<title>Streamlit</title>" in wait_for(f"http://127.0.0.1:{port}/label", server, log)
        shown = first_script_run(port)
        assert "RLHF Playground" in shown and "overview" in shown
        assert "#5B4BD6" in shown  # the theme travelled
        assert "chart_sequential_colors" in shown and "Failed to parse" not in log.read_text()
        assert server.poll() is None and server.pid  # it became the server: no second process to leave behind
    finally:
        server.terminate()
        server.wait(timeout=20)


def first_script_run(port: int) -> str:
    """What a browser is sent for its first page, as text: the session's websocket until the script has ended."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.sync.client import connect

    said = []
    with connect(f"ws://127.0.0.1:{port}/_stcore/stream", origin=f"http://127.0.0.1:{port}", max_size=None) as socket:
        first = BackMsg()
        first.rerun_script.query_string = ""
        socket.send(first.SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(socket.recv(timeout=60))
            said.append(str(message))
            if message.HasField("script_finished"):
                return "\n".join(said)


def test_the_settings_are_those_of_the_checkout():
    written = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings()["theme.dark.primaryColor"] == written["theme"]["dark"]["primaryColor"]
    assert settings()["theme.light.chartCategoricalColors"] == written["theme"]["light"]["chartCategoricalColors"]
    assert settings()["server.port"] == 8501


def test_streamlit_understands_every_setting_by_the_name_it_is_given():
    from streamlit import config

    given = environment_of(settings(), {}).keys() - os.environ.keys()
    known = {option.env_var: option for option in config._config_options_template.values()}
    assert given == {known[name].env_var for name in given} and len(given) == len(settings())


def test_what_the_person_sets_comes_first(monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", "9000")
    assert environment_of({"server.port": 8501}, {})["STREAMLIT_SERVER_PORT"] == "9000"
    assert environment_of({"server.port": 8600}, {"server.port": 8600})["STREAMLIT_SERVER_PORT"] == "8600"
    assert environment_of({"browser.gatherUsageStats": False}, {})["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] == "false"


def test_a_taken_port_is_said_in_one_line(capfd):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    assert capfd.readouterr().err == f"error: Port {port} is taken by another program: --port names another one.\n"


def test_without_streamlit_it_says_what_to_install(capfd, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["serve"]) == 2
    assert "pip install streamlit" in capfd.readouterr().err


def test_an_address_that_is_not_this_machines(capfd):
    assert main(["serve", "--host", "192.0.2.7", "--port", "8599"]) == 2
    assert "192.0.2.7" in capfd.readouterr().err

"""`serve`: the app in the browser, from a checkout or an installed package, whatever the folder one stands in.

The app is Streamlit's to run; this only finds it, hands it its settings and becomes that process. The settings are
those of `.streamlit/config.toml`, which the wheel carries as `pages/streamlit.toml`. They go as environment variables,
so that what a person sets (`STREAMLIT_…`, an option behind `--`) comes before them.
"""

import errno
import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from core.errors import PlaygroundError
from core.hosting.mode import check_ready

ROOT = Path(__file__).resolve().parents[2]
"""The checkout, or the folder that the package was installed into."""


@click.command()
@click.option("--host", default=None, help="address to answer on; 0.0.0.0: every one of this machine  [127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="port to answer on  [8501]")
@click.option("--base-path", default=None, help="path in front of every page, behind a proxy that serves other things")
@click.option("--open/--no-open", "opened", default=None, help="open a browser  [where there is a desktop]")
@click.argument("streamlit_options", nargs=-1, type=click.UNPROCESSED)
def serve(
    host: str | None,
    port: int | None,
    base_path: str | None,
    opened: bool | None,
    streamlit_options: Sequence[str],
) -> int:
    """Serve the app until Ctrl-C. Options of Streamlit's own may follow behind `--`.

    With RLHF_PLAYGROUND_HOSTED=1 it serves a class: everybody signs in first. The README says what else to set.
    """
    check_ready()
    if importlib.util.find_spec("streamlit") is None:
        raise PlaygroundError("The app needs the package streamlit, which is not installed: pip install streamlit")
    chosen = {
        "server.address": host,
        "server.port": port,
        "server.baseUrlPath": base_path,
        "server.headless": None if opened is None else not opened,
    }
    insisted = {key: value for key, value in chosen.items() if value is not None}
    environment = environment_of(settings(), insisted)
    given = environment["STREAMLIT_SERVER_PORT"]
    if not given.isascii() or not given.isdigit():
        raise PlaygroundError(f"STREAMLIT_SERVER_PORT must be a number (given: {given[:40]!r})")
    _check_free(environment["STREAMLIT_SERVER_ADDRESS"], int(given))
    return _become([sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), *streamlit_options], environment)


def settings() -> dict[str, Any]:
    """The app's settings by Streamlit's names for them: `{"server.port": 8501, …}`."""
    packed = ROOT / "pages" / "streamlit.toml"
    file = packed if packed.exists() else ROOT / ".streamlit" / "config.toml"
    if not file.exists():
        raise PlaygroundError(f"The app's settings are missing: {packed} is not there. Install again.")
    return dict(_flat(tomllib.loads(file.read_text(encoding="utf-8"))))


def environment_of(wanted: Mapping[str, Any], insisted: Mapping[str, Any]) -> dict[str, str]:
    """This process's environment with `wanted` where nothing else is set, and `insisted` in any case."""
    named = {_variable(key): _as_text(value) for key, value in wanted.items()}
    return named | dict(os.environ) | {_variable(key): _as_text(value) for key, value in insisted.items()}


def _variable(key: str) -> str:
    return "STREAMLIT_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).replace(".", "_").upper()


def _flat(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, list) else str(value)


def _check_free(host: str, port: int) -> None:
    """Raises PlaygroundError, naming what to do, when nothing can be served there."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise PlaygroundError(f"--host {host}: no such address ({error.strerror}).") from None
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        if sys.platform != "win32":  # a port whose last server has just ended is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PlaygroundError(f"Port {port} is taken by another program: --port names another one.") from None
            raise PlaygroundError(
                f"Nothing can be served on {host}, port {port}: {error.strerror}. --host and --port name others."
            ) from None


def _become(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Turn into the server, which then gets every signal itself; on Windows, which cannot, wait for it."""
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform == "win32":
        return subprocess.call(command, env=environment)
    os.execve(command[0], list(command), dict(environment))

"""The image's recipe, as far as it can be held to account without building it."""

import fnmatch
import http.server
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.cli.main import root

ROOT = Path(__file__).parents[1]
RECIPE = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
STAGES = RECIPE.split("\nFROM ")


def lines(keyword: str, of: str = STAGES[-1]) -> list[str]:
    return [line.removeprefix(keyword).strip() for line in of.splitlines() if line.startswith(f"{keyword} ")]


def test_it_serves_as_nobody_special_with_its_data_on_a_volume():
    assert lines("USER") == ["1000"] and lines("VOLUME") == ["/data"]
    assert "RLHF_PLAYGROUND_HOME=/data" in lines("ENV")[0] and "-o learner" in RECIPE
    last = [line.split()[0] for line in STAGES[-1].splitlines() if line and not line.startswith((" ", "#"))]
    assert last.index("USER") > last.index("RUN") and "RUN" not in last[last.index("USER") :]


def test_the_format_it_is_built_in_keeps_the_health_check():
    for text in (RECIPE, (ROOT / "README.md").read_text(encoding="utf-8")):
        assert "podman build --format docker " in text and "podman build -t" not in text


def test_what_it_starts_is_a_command_there_is():
    [program], arguments = (json.loads(lines(keyword)[0]) for keyword in ("ENTRYPOINT", "CMD"))
    assert program == "rlhf-playground"
    command = root.commands[arguments[0]]
    given = command.make_context(arguments[0], arguments[1:]).params
    assert (given["host"], given["port"], given["opened"]) == ("0.0.0.0", 8501, False)
    assert lines("EXPOSE") == ["8501"]
    assert "\napp_port: 8501\n" in (ROOT / "docs" / "space.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (None, False)])
def test_its_health_check_tells_a_server_from_none(status, healthy):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/_stcore/health" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if status is None:
        server.shutdown()
        server.server_close()
    command = json.loads(re.search(r"CMD (\[.*\])", lines("HEALTHCHECK")[0]).group(1))
    command = [sys.executable, *(part.replace(":8501", f":{server.server_port}") for part in command[1:])]
    assert (subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0) is healthy
    server.server_close()


def test_the_build_is_given_what_it_installs_and_nothing_else():
    rules = [line for line in (ROOT / ".containerignore").read_text().splitlines() if line and line[0] not in "#*"]
    given = {rule.removeprefix("!") for rule in rules}
    assert all((ROOT / name).exists() for name in given)
    wanted = {"app.py", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", ".streamlit/config.toml"}
    assert wanted | {"core", "pages"} | set(" ".join(lines("COPY", STAGES[1])).split()) - {".", "./"} == given
    assert not any(fnmatch.fnmatch(".streamlit/secrets.toml", name) for name in given)


def test_torch_is_the_constraints_own():
    assert "--constraint constraints.txt" in lines("RUN", STAGES[1])[1]
    assert re.search(r"^torch==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)

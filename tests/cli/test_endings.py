"""How a command ends that cannot speak, is not spoken to, or is told to end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has other shells and signals")


def shell(command: str) -> subprocess.CompletedProcess[str]:
    command = command.replace("rlhf", f"'{sys.executable}' -m core")
    return subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT)


@POSIX
@pytest.mark.parametrize(
    ("closed", "said"), [(">&-", ""), ("<&-", "no votes"), ("2>&-", "no votes"), ("<&- >&- 2>&-", "")]
)
def test_closed_streams_are_no_fault(closed, said):
    answer = shell(f"rlhf preferences stats {closed}")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith(said) and bool(answer.stdout) == bool(said)


@POSIX
def test_what_a_command_turns_into_has_its_streams_too():
    """Else the first socket of a server gets the number of its output, and what libraries print goes there."""
    program = (
        "import os, sys; from core.cli.main import _open_missing_streams as opened; opened()\n"
        "os.execv(sys.executable, [sys.executable, '-c', 'import os; [os.fstat(n) for n in range(3)]; print(5)'])"
    )
    answer = subprocess.run(f"'{sys.executable}' -c \"{program}\" <&- 2>&-", shell=True, capture_output=True, cwd=ROOT)
    assert (answer.returncode, answer.stdout) == (0, b"5\n")


@POSIX
def test_an_output_that_cannot_be_written_is_named():
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    for form in ("", "--json"):
        answer = shell(f"rlhf preferences stats {form} > /dev/full")
        assert (answer.returncode, answer.stderr) == (1, "error: stdout: No space left on device\n")


def test_a_password_that_nobody_types_is_asked_for():
    for typed in ("< /dev/null", "<&-")[: 1 if os.name == "nt" else 2]:
        answer = shell(f"rlhf password {typed}")
        assert answer.returncode == 2 and answer.stdout == "" and "Traceback" not in answer.stderr
        assert "error: No password was given: type it twice, or pipe it in" in answer.stderr


@POSIX
@pytest.mark.parametrize("told", ["SIGTERM", "SIGHUP"])
def test_who_is_told_to_end_leaves_nothing_half_written(run, preference_file, tmp_path, monkeypatch, told):
    def slowly(stream, *_):
        stream.write(b"half a row")
        stream.flush()
        assert len(list(out.parent.iterdir())) == 1
        os.kill(os.getpid(), signal.Signals[told])
        time.sleep(60)

    run("preferences", "import", preference_file)
    out = tmp_path / "out" / "votes.jsonl"
    out.parent.mkdir()
    monkeypatch.setattr("core.feedback.interchange._write_jsonl", slowly)
    before = signal.signal(signal.Signals[told], signal.SIG_DFL)  # tests under nohup begin with SIGHUP ignored
    status, said, err = run("preferences", "export", "--dataset", 1, "--out", out)
    assert (status, said, err.strip()) == (130, "", "error: interrupted")
    assert list(out.parent.iterdir()) == []
    assert signal.signal(signal.Signals[told], before) is signal.SIG_DFL

"""What torch's OpenMP itself says of how its threads wait."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def openmp_says(beginning: str, **environment: str) -> str:
    """What OpenMP prints of its settings as torch loads it, behind `beginning`."""
    surroundings = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    surroundings |= {"OMP_DISPLAY_ENV": "VERBOSE", "PYTHONPATH": str(ROOT), **environment}
    code = f"{beginning}\nimport sys\nassert 'torch' not in sys.modules, 'loaded too early'\nimport torch"
    done = subprocess.run([sys.executable, "-c", code], env=surroundings, capture_output=True, text=True, check=True)
    if "GOMP_SPINCOUNT" not in done.stderr:
        pytest.skip("torch runs on another OpenMP here")
    return done.stderr


@pytest.mark.parametrize(
    "beginning", ["import app", "from core.cli import main; main(['models', '--help'])"], ids=["app", "command line"]
)
def test_waiting_threads_let_the_processor_go(beginning):
    assert "GOMP_SPINCOUNT = '1000'" in openmp_says(beginning)


def test_what_the_environment_says_stays():
    assert "GOMP_SPINCOUNT = '7'" in openmp_says("import app", GOMP_SPINCOUNT="7")


def test_left_alone_they_wait_in_place():
    """Or there is nothing to mend."""
    assert "GOMP_SPINCOUNT = '1000'" not in openmp_says("pass")

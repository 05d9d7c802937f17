"""A chat template is a program that comes with a model: whether it ends, and in how much memory, is tried first.

transformers runs it in Jinja's sandbox, which keeps it from files and from Python, but not from looping for ever or
from doubling a text forty times. What it does with two turns is tried in a process of its own, under limits; one that
does so only on other words is not found out.
"""

import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from core.errors import PlaygroundError

_SECONDS, _WALL_SECONDS = 5, 60  # of processor; and in all, on a machine that has other things to do
_BYTES = 2**30
_TOO_LARGE = 3  # the child's exit status

_TRIAL = f"""
import json, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, ({_SECONDS}, {_SECONDS}))
    resource.setrlimit(resource.RLIMIT_AS, ({_BYTES}, {_BYTES}))
except ImportError:  # Windows: the time alone is limited
    pass
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
given = json.load(sys.stdin)
jinja = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
try:
    jinja.from_string(given["template"]).render(**given["with"])
except MemoryError:
    sys.exit({_TOO_LARGE})
except Exception:  # whoever needs the template says what is wrong with it
    pass
"""
_WITH = {
    "messages": [{"role": "user", "content": "A question."}, {"role": "assistant", "content": "An answer."}],
    "add_generation_prompt": True,
    "bos_token": "<s>",
    "eos_token": "</s>",
}


def check_template(folder: Path, template: str) -> None:
    """Raises PlaygroundError where the chat template of the model in `folder` does not end, or takes a gigabyte."""
    if wrong := _wrong(template):
        raise PlaygroundError(f"{folder}: its chat template {wrong}, on a question and an answer")


@lru_cache(maxsize=64)
def _wrong(template: str) -> str:
    given = json.dumps({"template": template, "with": _WITH})
    try:
        tried = subprocess.run(
            [sys.executable, "-I", "-c", _TRIAL], input=given, text=True, capture_output=True, timeout=_WALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return "does not come to an end"
    if tried.returncode == _TOO_LARGE:
        return "takes more than a gigabyte of memory"
    return f"does not come to an end within {_SECONDS} seconds" if tried.returncode < 0 else ""

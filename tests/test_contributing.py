"""What CONTRIBUTING.md tells newcomers to write works, in a copy of the program."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from core.architecture import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = {path: text for text, path in re.findall(r"```python\n(# (\S+)\n.*?)```", TEXT, re.DOTALL)}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The program with every file that CONTRIBUTING.md shows, and the line it asks for."""
    root = tmp_path_factory.mktemp("contributed") / "copy"
    shutil.copytree(ROOT / "core", root / "core", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "pages", root / "pages", ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in BLOCKS.items():
        assert not (root / path).exists(), f"{path} is there already"
        (root / path).write_text(text, encoding="utf-8")
    (line,) = re.findall(r'`("colours": .*?,)`', TEXT)
    site = root / "pages" / "_parts" / "site.py"
    site.write_text(
        site.read_text(encoding="utf-8").replace("_PAGES = {\n", f"_PAGES = {{\n    {line}\n", 1), encoding="utf-8"
    )
    return root


def run(copy, program: str) -> str:
    """What `program` prints, run in the copy alone."""
    environment = os.environ | {"PYTHONPATH": str(copy)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def test_every_recipe_is_short():
    recipes = {part.splitlines()[0]: len(part.strip().splitlines()) for part in TEXT.split("\n## ")[1:]}
    assert list(recipes) == ["Add an annotator", "Add a page", "Add an algorithm"]
    assert all(lines < 40 for lines in recipes.values()), recipes
    assert all(len(text.splitlines()) < 40 for text in BLOCKS.values())
    assert len(BLOCKS) == 3


@pytest.mark.parametrize("check", ["ruff check", "ruff format --check", "mypy --follow-imports=skip"])
def test_every_block_passes_the_checks_as_it_stands(copy, check):
    """As `make test` runs them; mypy on each block alone, for all that it imports would take it minutes."""
    tool, *options = check.split()
    paths = [path for path in BLOCKS if tool == "ruff" or path.startswith("core/")]
    settings = "--config" if tool == "ruff" else "--config-file"
    command = [sys.executable, "-m", tool, *options, settings, str(ROOT / "pyproject.toml"), *paths]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_annotator_is_found_and_votes(copy):
    program = (
        "import core; from core.feedback.annotators import get_annotator; painter = get_annotator('painter');"
        "print(core.__path__[0], painter.utility('', 'a red kite'), painter.utility('', ''))"
    )
    where, some, none = run(copy, program).split()
    assert where == str(copy / "core")
    assert float(some) == pytest.approx(100 / 3) and float(none) == 0
    program = "from core.alignment.configs import LoopConfig; print(LoopConfig.model_fields['annotator'].description)"
    assert "painter" in run(copy, program)


def test_the_page_opens_and_is_in_the_menu(copy):
    program = (
        "from streamlit.testing.v1 import AppTest; from pages._parts.site import _PAGES; assert 'colours' in _PAGES;"
        "at = AppTest.from_file('pages/colours.py', default_timeout=60); at.query_params['colour'] = 'blue'; at.run();"
        "assert not at.exception, at.exception; print([one.proto.body for one in at.get('html') if 'claim' in one.proto.body][0])"
    )
    assert re.search(r"\d+ of \d+ bundled responses name blue", run(copy, program).splitlines()[-1])


def test_the_algorithm_trains(copy):
    program = """
import torch
from core.alignment.configs import OnPolicyConfig
from core.alignment.expert_iteration import train_expert
from core.language.registry import load_policy
policy, tokenizer = load_policy("storyteller")
class LikesShort:
    tokenizer = tokenizer
    def rate(self, prompts, responses):
        scores = -torch.tensor([float(len(one)) for one in responses])
        return scores, scores
policy.train()
config = OnPolicyConfig(updates=2, rollout_batch=16, max_new_tokens=8)
records = list(train_expert(policy, LikesShort(), ["Once upon a time", "Tom saw a"], config))
print(len(records), all(record.metrics["loss/policy_avg"] > 0 for record in records))
"""
    assert run(copy, program).splitlines()[-1] == "2 True"

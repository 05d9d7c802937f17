"""Preferences in and out, as a person types it: real files."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

from tests.cli.answers import last_json

ROOT = Path(__file__).parents[2]


def test_simulated_votes_are_a_function_of_the_seed(run, tmp_path):
    command = ["preferences", "simulate", "--annotator", "sunny", "--pairs", 8, "--max-new-tokens", 8, "--json"]
    status, out, _ = run(*command, "--out", tmp_path / "a.jsonl")
    assert status == 0
    assert last_json(out)["pairs"] == 8
    run(*command, "--out", tmp_path / "b.jsonl")
    assert (tmp_path / "a.jsonl").read_text() == (tmp_path / "b.jsonl").read_text()
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert all({"prompt", "chosen", "rejected"} <= row.keys() and row["chosen"] != row["rejected"] for row in rows)


def test_an_export_of_nothing_leaves_the_file_that_is_there(run, tmp_path):
    (tmp_path / "votes.jsonl").write_text("precious")
    status, _, err = run("preferences", "export", "--annotator", "typo", "--out", tmp_path / "votes.jsonl")
    assert status == 2 and "typo" in err
    assert (tmp_path / "votes.jsonl").read_text() == "precious"


def test_an_import_of_nothing_is_an_error_with_its_reasons(run, tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"prompt": "x"}\n')
    status, out, err = run("preferences", "import", tmp_path / "bad.jsonl")
    assert status == 2 and "line 1: no answers found: the columns are prompt" in out and "nothing was imported" in err


def test_names_do_not_steer_the_terminal(run, preference_file):
    run("preferences", "import", preference_file, "--name", "evil\x1b[31m\nname")
    _, out, _ = run("preferences", "stats")
    assert r"evil\x1b[31m\nname" in out


def test_import_counts_lists_and_exports_again(run, preference_file, tmp_path):
    with preference_file.open("a") as file:
        file.write('{"prompt": "x"}\nnonsense\n')
    status, out, _ = run("preferences", "import", preference_file, "--json")
    report = last_json(out)
    assert (status, report["imported"], [row["line"] for row in report["rejected"]]) == (0, 24, [25, 26])
    status, out, _ = run(
        "preferences", "export", "--dataset", report["dataset"], "--out", tmp_path / "x.jsonl.gz", "--json"
    )
    assert (status, last_json(out)["exported"]) == (0, 24)
    exported = [json.loads(line) for line in gzip.decompress((tmp_path / "x.jsonl.gz").read_bytes()).splitlines()]
    kept = [json.loads(line) for line in preference_file.read_text().splitlines()[:24]]
    assert [{k: row[k] for k in ("prompt", "chosen", "rejected")} for row in exported] == kept
    assert last_json(run("preferences", "stats", "--json")[1])["datasets"][0]["rows"] == 24
    status, _, err = run("preferences", "import", preference_file, "--strict")
    assert status == 2
    assert "line 25" in err


def test_stats_describe_a_file(run, preference_file):
    answer = last_json(run("preferences", "stats", preference_file, "--json")[1])
    assert (answer["pairs"], answer["prompts"], answer["chosen_is_longer_share"]) == (24, 24, 0.0)


def test_the_columns_of_a_file_do_not_steer_the_terminal(run, tmp_path):
    """Neither where they are logged nor in JSON, which leaves C1's control characters as they are."""
    file = tmp_path / "rows.jsonl"
    good = {"prompt": "a", "chosen": " b", "rejected": " c"}
    file.write_text(f"{json.dumps(good)}\n{json.dumps({chr(27) + ']0;owned' + chr(7): 1, chr(0x9B) + '31m': 2})}\n")
    evaluated = [sys.executable, "-m", "core", "reward", "evaluate", "--reward-model", tmp_path, "--preferences", file]
    said = subprocess.run(evaluated, capture_output=True, text=True, cwd=ROOT).stderr
    assert "the columns are \\x1b]0;owned\\x07, \\x9b31m" in said
    _, out, _ = run("preferences", "import", file, "--json")
    assert "columns are \\u001b]0;owned\\u0007, \\u009b31m" in out
    assert last_json(out)["rejected"][0]["reason"].endswith("\x1b]0;owned\x07, \x9b31m")
    assert not set(said + out) & {"\x1b", "\x07", "\x9b"}

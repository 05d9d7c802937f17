"""Verdicts that are numbers: those of the answers, three-valued, or of another coding, which refuses the file."""

import csv

import pytest

from core.errors import PlaygroundError
from core.feedback.interchange import import_preferences, read_preferences
from core.feedback.pairs import PreferencePair
from core.feedback.sources import load_preferences
from tests.feedback.preference_files import lines_file, staged_rows


def rows_of(first, second, column, verdicts):
    return [{"prompt": "P", first: "one", second: "two", column: verdict} for verdict in verdicts]


@pytest.mark.parametrize(
    ("answers", "column", "verdicts", "told"),
    [
        (
            ("response_1", "response_2"),
            "label",
            [1, 1, 0, 1],
            "line 3: label is 0, the number of neither response_1 nor response_2",
        ),
        (("response_1", "response_2"), "label", [0] * 5, "line 1: label is 0"),
        (("response_1", "response_2"), "label", [*[0, 1] * 30, 2], "line 1: label is 0"),  # one 2 is a slip
        (("response1", "response2"), "preference", ["1", "0"], "line 2: preference is 0"),
        (("output_1", "output_2"), "preference", [1, 2, 3], "line 3: preference is 3"),
        (("output_1", "output_2"), "preference", [1.0, 0.5], "line 2: preference is 0.5"),
        (
            ("response_0", "response_1"),
            "choice",
            [1, 1, 2],
            "line 3: choice is 2, .* neither response_0 nor response_1",
        ),
        (("response_0", "response_1"), "better_response_id", [0, -1], "line 2: better_response_id is -1"),
        (("human_ref_A", "human_ref_B"), "labels", [1, 2], "line 2: labels is 2"),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_number_of_neither_answer_refuses_the_whole_file(tmp_path, store, answers, column, verdicts, told, kind):
    rows, path = rows_of(*answers, column, verdicts), tmp_path / f"p.{kind}"
    if kind == "jsonl":
        lines_file(path, *rows)
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        told = "line "
    for read in (lambda: import_preferences(path, store), lambda: load_preferences(str(path))):
        with pytest.raises(PlaygroundError, match=f"{told}.* Nothing was imported"):
            read()
    assert staged_rows(store) == [0, 0]


def test_a_thousand_rows_that_were_staged_are_taken_back(tmp_path, store):
    path = lines_file(tmp_path / "p.jsonl", *rows_of("response_1", "response_2", "label", [1] * 1500 + [0]))
    with pytest.raises(PlaygroundError, match="line 1501: label is 0"):
        import_preferences(path, store)
    assert staged_rows(store) == [0, 0]


@pytest.mark.parametrize("zero", [0, "0", 0.0])
def test_zero_beside_one_and_two_is_a_tie(tmp_path, store, zero):
    path = lines_file(tmp_path / "p.jsonl", *rows_of("output_1", "output_2", "preference", [zero, 1, 2, zero, 1]))
    report = import_preferences(path, store)
    assert (report.imported, report.ties, report.rejected_total) == (3, 2, 0)
    assert [pair.chosen for pair in store.preference_pairs(dataset=report.dataset_id)] == ["one", "two", "one"]


def test_numbers_of_the_answers_own_and_verdicts_that_are_none(tmp_path):
    own = [*rows_of("response_0", "response_1", "label", [0, 1]), *rows_of("response_1", "response_2", "label", [1, 2])]
    read = [row for _, row in read_preferences(lines_file(tmp_path / "p.jsonl", *own))]
    assert read == [PreferencePair("P", *pair) for pair in [("one", "two"), ("two", "one")] * 2]
    others = [
        *rows_of("response_1", "response_2", "label", [True, "maybe", None, 1.5]),
        *rows_of("response_a", "response_b", "label", [0, 1]),
    ]
    refused = [row.reason for _, row in read_preferences(lines_file(tmp_path / "q.jsonl", *others))]
    assert all("names neither answer" in reason or "no winner" in reason for reason in refused)

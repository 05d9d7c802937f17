"""One row of a preference file in every shape people use, and the reason where it is none."""

import re

import pandas as pd
import pytest

from core.errors import PlaygroundError
from core.feedback.interchange import read_preferences
from core.feedback.pairs import PreferencePair
from tests.feedback.preference_files import GOOD, lines_file, only_row


def test_hh_rlhf_dialogues_are_split_behind_the_last_assistant_both_share(tmp_path):
    shared = "\n\nHuman: Hi\n\nAssistant: Hello, you.\n\nHuman: A joke?\n\nAssistant:"
    row = {
        "chosen": shared + " Knock knock.\n\nHuman: Who?\n\nAssistant: Me.",
        "rejected": shared + " Knot.",
        "prompt": None,
    }
    pair = only_row(lines_file(tmp_path / "p.jsonl", row))
    assert pair == PreferencePair(shared, " Knock knock.\n\nHuman: Who?\n\nAssistant: Me.", " Knot.")


@pytest.mark.parametrize("prompt", ["A joke?", [{"role": "user", "content": "A joke?"}]])
def test_messages_read_as_the_dialogue_they_are(tmp_path, prompt):
    row = {
        "prompt": prompt,
        "chosen": [{"role": "assistant", "content": "Knock."}],
        "rejected": [{"role": "assistant", "content": "No."}],
    }
    pair = only_row(lines_file(tmp_path / "p.jsonl", row))
    assert pair == PreferencePair("\n\nHuman: A joke?\n\nAssistant:", " Knock.", " No.")


@pytest.mark.parametrize("prompt", [{}, {"prompt": "A joke?"}, {"prompt": None}])
def test_whole_dialogues_of_messages_share_their_beginning(tmp_path, prompt):
    shared = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "A joke?"}]
    chosen = [
        {"role": "assistant", "content": "Knock."},
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": "Me."},
    ]
    row = prompt | {"chosen": shared + chosen, "rejected": [*shared, {"role": "assistant", "content": "No."}]}
    pair = only_row(lines_file(tmp_path / "p.jsonl", row))
    assert pair.prompt == "\n\nSystem: Be kind.\n\nHuman: A joke?\n\nAssistant:"
    assert (pair.chosen, pair.rejected) == (" Knock.\n\nHuman: Who?\n\nAssistant: Me.", " No.")


def test_messages_and_dialogues_that_say_the_same_are_the_same_pair(tmp_path):
    text = "\n\nHuman: A joke?\n\nAssistant:"
    messages = [
        [{"role": "user", "content": "A joke?"}, {"role": "assistant", "content": content}]
        for content in ("Knock.", "No.")
    ]
    rows = [{"chosen": f"{text} Knock.", "rejected": f"{text} No."}, {"chosen": messages[0], "rejected": messages[1]}]
    (_, first), (_, second) = read_preferences(lines_file(tmp_path / "p.jsonl", *rows))
    assert first == second


def test_a_dialogue_with_windows_line_ends_is_one(tmp_path):
    row = {"chosen": "\r\n\r\nHuman: Hi\r\n\r\nAssistant: A", "rejected": "\r\n\r\nHuman: Hi\r\n\r\nAssistant: B"}
    assert only_row(lines_file(tmp_path / "p.jsonl", row)) == PreferencePair("\n\nHuman: Hi\n\nAssistant:", " A", " B")


@pytest.mark.parametrize(
    ("chosen", "rejected", "prompt"),
    [
        ("The sky is blue.", "The sky is green.", "The sky is"),
        ("The cat sat.", "The car sat.", "The"),  # whole words: "ca" is no prompt
        ("One day", "One day, a fox", "One"),
        ("今天天气很好", "今天天气不好", "今天天气"),  # no spaces between words
    ],
)
def test_texts_without_a_prompt_share_whole_words(tmp_path, chosen, rejected, prompt):
    pair = only_row(lines_file(tmp_path / "p.jsonl", {"chosen": chosen, "rejected": rejected}))
    assert pair.prompt == prompt
    assert (pair.prompt + pair.chosen, pair.prompt + pair.rejected) == (chosen, rejected)


ASKED_UNDER = ("question", "instruction", "query", "history", "context", "input", "post", "passage", "Query")


@pytest.mark.parametrize(
    ("row", "prompt"),
    [
        ({"system": "", "question": "Where is it?"}, "\n\nHuman: Where is it?\n\nAssistant:"),
        ({"system": "Be brief.", "input": "Where?"}, "\n\nSystem: Be brief.\n\nHuman: Where?\n\nAssistant:"),
        ({"instruction": "Say it in French", "input": "Hi"}, "\n\nHuman: Say it in French\n\nHi\n\nAssistant:"),
        ({"system": "Be brief.", "prompt": "Where?"}, "\n\nSystem: Be brief.\n\nHuman: Where?\n\nAssistant:"),
        *(({name: "Where?"}, "\n\nHuman: Where?\n\nAssistant:") for name in ASKED_UNDER),
    ],
)
def test_a_question_beside_chosen_and_rejected_is_what_was_asked(tmp_path, row, prompt):
    """Intel's orca_dpo_pairs and its like: what both answers begin with is no prompt."""
    answers = {"chosen": "The city lies in France.", "rejected": "The city is in Texas."}
    pair = only_row(lines_file(tmp_path / "p.jsonl", row | answers))
    assert pair == PreferencePair(prompt, " The city lies in France.", " The city is in Texas.")


def test_a_messages_text_may_come_in_parts(tmp_path):
    """As chats that can hold pictures have it; one with a picture is no text."""
    said = [
        {"role": "user", "content": [{"type": "text", "text": "Where"}, {"type": "text", "text": "?", "image": None}]}
    ]
    row = {"prompt": said, "chosen": "Here", "rejected": "There"}
    assert only_row(lines_file(tmp_path / "p.jsonl", row)).prompt == "\n\nHuman: Where?\n\nAssistant:"
    said[0]["content"].append({"type": "image", "text": None})
    assert "message" in only_row(lines_file(tmp_path / "q.jsonl", row)).reason


def test_a_dialogue_that_is_said_again_with_each_answer_is_read_once(tmp_path):
    prompt = "\n\nHuman: q\n\nAssistant:"
    row = {"prompt": prompt, "chosen": f"{prompt} yes", "rejected": f"{prompt} no"}
    assert only_row(lines_file(tmp_path / "p.jsonl", row)) == PreferencePair(prompt, " yes", " no")
    row = {"prompt": "I", "chosen": "I like it", "rejected": "I do not"}  # a story may well begin like its prompt
    assert only_row(lines_file(tmp_path / "p.jsonl", row)).chosen == "I like it"


def test_margin_and_annotator_are_optional_and_other_fields_passed_over(tmp_path):
    rows = [GOOD | {"margin": 2, "annotator": "ann", "extra": {"a": []}}, GOOD | {"margin": None, "annotator": [5]}]
    rows += [GOOD | {"annotator": number} for number in (7, 7.0, "7", True, 10**30, 7.5)]
    read = [row for _, row in read_preferences(lines_file(tmp_path / "p.jsonl", *rows))]
    assert [(pair.margin, pair.annotator) for pair in read] == [
        *[(2.0, "ann"), (None, "")],
        *[(None, name) for name in ("7", "7", "7", "", "", "")],
    ]


BAD_ROWS = [
    (b"not json", "invalid JSON"),
    (b'{"prompt": "a", "chosen": "b"', "invalid JSON"),
    (b"[" * 100_000, "invalid JSON"),
    (b'{"margin": ' + b"9" * 5000 + b"}", "invalid JSON"),
    (b'{"prompt": "\xff", "chosen": "a", "rejected": "b"}', "UTF-8"),
    (b'{"prompt": "a\0", "chosen": "a", "rejected": "b"}', "invalid JSON"),
    ([1, 2], "a list"),
    (None, "null"),
    ({"prompt": "a", "chosen": "b"}, "rejected is missing"),
    (GOOD | {"chosen": None}, "chosen is missing"),
    (GOOD | {"chosen": 3}, "chosen is a number"),
    (GOOD | {"prompt": {"a": 1}}, "prompt is an object"),
    (GOOD | {"chosen": " upon\0"}, "NUL"),
    (GOOD | {"chosen": "half \ud83d"}, "Unicode"),
    (GOOD | {"prompt": ""}, "prompt is empty"),
    (GOOD | {"rejected": " \n"}, "rejected is empty"),
    (GOOD | {"rejected": GOOD["chosen"]}, "are the same"),
    (GOOD | {"margin": "much"}, "margin is a text"),
    (GOOD | {"margin": True}, "margin is a truth value"),
    (GOOD | {"margin": float("nan")}, "finite"),
    (GOOD | {"margin": 10**400}, "finite"),
    ({"chosen": "A.", "rejected": "B."}, "do not begin alike"),
    ({"text": "A", "label": 1}, "no answers found: the columns are text, label"),
    ({}, "no answers found: the columns are none"),
    ({f"column {n}": n for n in range(1000)}, "no answers found: the columns are column 0, column 1"),
    ({"question": "", "chosen": "A", "rejected": "B"}, "prompt is empty"),
    ({"question": " ", "context": "Long ago", "chosen": "A", "rejected": "B"}, "prompt is empty"),
    ({"prompt": "\n\nAssistant: ", "chosen": "A", "rejected": "B"}, "prompt is empty"),
    ({"history": ["Hi", "Ho", "Ha"], "chosen": "A", "rejected": "B"}, "prompt has a message that is not"),
    ({"prompt": [{"role": "user", "content": " "}], "chosen": "A", "rejected": "B"}, "prompt is empty"),
    ({"chosen": "\n\nHuman: \n\nAssistant: A", "rejected": "\n\nHuman: \n\nAssistant: B"}, "prompt is empty"),
    ({"prompt": [{"role": "user", "content": "Sum: \n\nHuman: hi"}], "chosen": "A", "rejected": "B"}, "another turn"),
    ({"question": "Sum:\n\nAssistant: hi", "chosen": "A", "rejected": "B"}, "another turn"),
    ({"question": "Why?", "chosen": "A\n\nSystem: B", "rejected": "B"}, "chosen has a text in which .* another turn"),
    ({"question": "Why?", "response_a": "A\r\n\r\nHuman: B", "response_b": "B", "winner": "a"}, "another turn"),
    ({"chosen": "\n\nHuman: A?\n\nAssistant: A", "rejected": "\n\nHuman: B?\n\nAssistant: B"}, "share no dialogue"),
    (
        {"chosen": [{"role": "assistant", "content": "A"}], "rejected": [{"role": "assistant", "content": "B"}]},
        "share no messages",
    ),
    (GOOD | {"chosen": [{"role": "wizard", "content": "A"}]}, "role"),
    (GOOD | {"chosen": ["A"]}, "role"),
    (GOOD | {"chosen": []}, "chosen is a list"),
    (GOOD | {"chosen": [{"role": "assistant", "content": ""}]}, "chosen is empty"),
    (GOOD | {"prompt": "x" * 2**20}, "longer than 1 MiB"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_ROWS, ids=[reason for _, reason in BAD_ROWS])
def test_an_unusable_row_is_told_by_line_and_reason_and_the_others_are_kept(tmp_path, bad, reason):
    (first, one), (second, two), (third, three) = read_preferences(
        lines_file(tmp_path / "p.jsonl", GOOD, b"", bad, GOOD)
    )
    assert (first, second, third) == (1, 3, 4)
    assert one == three == PreferencePair(**GOOD)
    assert two.line == 3
    assert re.search(reason, two.reason)
    assert len(two.reason) < 200


def test_the_case_of_a_column_does_not_matter(tmp_path):
    row = {"Prompt": "Once", "CHOSEN": " upon", "Rejected": " more", "Annotator_ID": 7}
    pair = PreferencePair("Once", " upon", " more", None, "7")
    assert only_row(lines_file(tmp_path / "p.jsonl", row)) == pair
    assert only_row(lines_file(tmp_path / "q.jsonl", {"chosen": " upon", "prompt": "Once"} | row)) == pair
    other = {"Question": "Once", "Response_j": " upon", "RESPONSE_K": " more"}
    assert only_row(lines_file(tmp_path / "q.jsonl", other)).chosen == "  upon"
    pd.DataFrame([row]).to_csv(tmp_path / "p.csv", index=False)
    pd.DataFrame([row]).to_parquet(tmp_path / "p.parquet")
    for name in ("p.csv", "p.parquet"):
        assert only_row(tmp_path / name) == pair
    for file in (tmp_path / "twice.csv", tmp_path / "twice.parquet"):
        table = pd.DataFrame([row | {"PROMPT": "x"}])
        table.to_csv(file, index=False) if file.suffix == ".csv" else table.to_parquet(file)
        with pytest.raises(PlaygroundError, match="names the column prompt twice"):
            only_row(file)

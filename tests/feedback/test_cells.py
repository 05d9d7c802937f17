"""Messages and objects written out as text: pandas and `datasets` do it, and what they write is read as what it was."""

import json

import numpy as np
import pandas as pd
import pytest

from core.feedback.cells import listed, opened
from core.feedback.interchange import read_preferences
from core.feedback.pairs import PreferencePair
from core.feedback.rows import RejectedRow, pair_from
from core.feedback.unusable import Unusable

ASKED = '\n\nHuman: It\'s "odd"?\n\nAssistant:'


def talk(answer):
    return [{"role": "user", "content": 'It\'s "odd"?'}, {"role": "assistant", "content": answer}]


POST = {"id": "t3", "post": "It sleeps.", "title": "My cat", "subreddit": "cats", "site": None, "article": None}
ROWS = [
    {"prompt": 'It\'s "odd"?', "chosen": talk("Yes\n\\n"), "rejected": talk("No 🙂")},
    {"prompt": talk("Yes")[:1], "chosen": talk("Yes")[1:], "rejected": talk("No")[1:]},
    {"conversation_a": talk("Yes"), "conversation_b": talk("No"), "winner": "model_b", "turn": 1},
    {"context": talk("Yes")[:1], "response1": "Yes", "response2": "No", "overall_preference": 2},
    {
        "question": {"dataset": "eli5", "full_text": "Why?"},
        "answer_0": "So",
        "answer_1": "No",
        "score_0": 1,
        "score_1": 0,
    },
    {"info": POST, "summaries": [{"text": " A cat.", "note": None}, {"text": " A dog.", "note": "x"}], "choice": 1},
    {"prompt": ["Hi", "And?"], "response_a": ["a", "it's"], "response_b": ["b", "c"], "winner": "a"},
]


@pytest.mark.parametrize("write", [repr, json.dumps, str], ids=["python", "json", "pandas"])
@pytest.mark.parametrize("row", ROWS)
def test_what_is_written_out_in_a_cell_is_read_as_it_was(tmp_path, row, write):
    cells = {name: write(value) if isinstance(value, list | dict) else value for name, value in row.items()}
    assert pair_from(cells) == pair_from(row)
    pd.DataFrame([cells if write is not str else row]).to_csv(tmp_path / "p.csv", index=False)
    ((_, read),) = read_preferences(tmp_path / "p.csv")
    assert read == pair_from(row)


def test_what_numpy_writes_is_refused_for_it_leaves_out_the_commas(tmp_path):
    rows = [{name: np.array(row[name]) if name != "prompt" else row[name] for name in row} for row in ROWS[:1]]
    pd.DataFrame(rows).to_csv(tmp_path / "p.csv", index=False)
    ((_, read),) = read_preferences(tmp_path / "p.csv")
    assert isinstance(read, RejectedRow)
    assert read.reason.startswith("chosen is a list of messages written out as text that cannot be read back")
    assert listed(str(np.array(["Hi", "And?"]))) is None  # Python reads 'Hi' 'And?' as one text
    assert listed("['Hi', 'And?']") == listed('["Hi", "And?"]') == ["Hi", "And?"]


TEXTS = [
    "[1] says so",
    '["a", "b"] is a list',
    '{"name": "Ada"}',
    "{'a': 1}['a'] gives?",
    '[{"name": "Ada", "role": "x"}]',
    '[{"role": "admin", "name": "Ada"}]',
    "[INST] Hi [/INST]",
    '{"role": "assistant", "content": "Hi"}',
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_that_only_begins_with_a_bracket_stays_one(text):
    assert pair_from({"prompt": text, "chosen": text, "rejected": "no"}) == PreferencePair(text, text, "no")
    asked = {"question": text, "answer_a": text, "answer_b": "no", "winner": "a"}
    assert pair_from(asked) == PreferencePair(f"\n\nHuman: {text}\n\nAssistant:", f" {text}", " no")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("prompt", "[{'role': 'user', 'content': array(['x'], dtype=object)}]"),
        ("chosen", '[{"role": "assistant", "content": "cut sh'),
        ("rejected", "[{'content': __import__('os').getcwd(), 'role': 'user'}]"),
        ("info", "{'post': nan}"),
        ("question", "{'dataset': x}"),
        ("prompt", "[{'role': " + "[" * 5000),
        ("prompt", "[{'role': " + "-" * 100_000 + "1}]"),
        ("prompt", "[{'role': 'user', 'content': '" + "x" * 2**18 + "'}]"),
    ],
)
def test_what_was_clearly_written_out_and_cannot_be_read_is_refused(name, text):
    with pytest.raises(Unusable, match=f"{name} is .* written out as text that cannot be read back"):
        opened({name: text})

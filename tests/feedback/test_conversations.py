"""TRL's conversational format: what is written reads back as the pair it was, and as the messages people see."""

import json

import pytest
from datasets import load_dataset

from core.errors import PlaygroundError
from core.feedback.conversations import as_conversation
from core.feedback.interchange import export_conversations, import_preferences
from core.feedback.pairs import PreferencePair
from core.feedback.rows import pair_from
from core.feedback.store import FeedbackStore

DIALOGUE = "\n\nSystem: Be brief.\n\nHuman: Hi\nthere\n\nAssistant: Hello.\n\nHuman: Why: so?\n\nAssistant:"
CHATML = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi\nthere<|im_end|>\n<|im_start|>assistant\n"


def test_a_dialogue_becomes_its_messages():
    row = as_conversation(PreferencePair(DIALOGUE, " Because.", " No\n\nHuman: Oh\n\nAssistant: Yes", 0.5, "ann"))
    assert row == {
        "prompt": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi\nthere"},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "Why: so?"},
        ],
        "chosen": [{"role": "assistant", "content": "Because."}],
        "rejected": [
            {"role": "assistant", "content": "No"},
            {"role": "user", "content": "Oh"},
            {"role": "assistant", "content": "Yes"},
        ],
        "margin": 0.5,
        "annotator": "ann",
    }


def test_a_dialogue_reads_back_as_the_pair_it_was():
    pair = PreferencePair(DIALOGUE, " Because.", " No\n\nHuman: Oh\n\nAssistant: Yes", 0.5, "ann")
    assert pair_from(as_conversation(pair)) == pair


@pytest.mark.parametrize("prompt", ["One day,", "Human: no dialogue", "\n\nHuman: not ended", "<|im_start|>", ""])
def test_any_other_text_is_what_a_user_said(prompt):
    row = as_conversation(PreferencePair(prompt, " a fox", "b"))
    assert row["prompt"] == [{"role": "user", "content": prompt}]
    assert row["chosen"] == [{"role": "assistant", "content": " a fox"}]
    assert set(row) == {"prompt", "chosen", "rejected"}


def test_chat_turns_become_their_messages():
    row = as_conversation(PreferencePair(CHATML, "Hello!", "What?"))
    assert row["prompt"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi\nthere"},
    ]
    assert row["chosen"] == [{"role": "assistant", "content": "Hello!"}]


def test_a_file_of_conversations_opens_with_datasets_and_comes_back(tmp_path):
    store = FeedbackStore()
    file = tmp_path / "in.jsonl"
    rows = [{"prompt": DIALOGUE, "chosen": f" yes {n}", "rejected": f" no {n}"} for n in range(3)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    dataset = import_preferences(file, store).dataset_id
    out = tmp_path / "out.jsonl"
    assert export_conversations(store, out, dataset=dataset) == 3
    opened = load_dataset("json", data_files=str(out), split="train", cache_dir=str(tmp_path / "cache"))
    assert opened[1]["chosen"] == [{"role": "assistant", "content": "yes 1"}]
    assert [pair_from(json.loads(line)).chosen for line in out.read_text().splitlines()] == [
        " yes 0",
        " yes 1",
        " yes 2",
    ]
    with pytest.raises(PlaygroundError, match="jsonl"):
        export_conversations(store, tmp_path / "out.csv", dataset=dataset)

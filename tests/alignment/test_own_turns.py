"""Dialogues for chat policies: transformers' own template, one answer or several turns, and nothing else touched."""

import json

import pytest

from core.alignment.configs import RewardConfig
from core.alignment.own_turns import in_own_turns
from core.alignment.runs import run_reward
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from tests import tiny

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ONE = PreferencePair("\n\nHuman: A joke?\n\nAssistant:", " Knock.", " No.", 2.0, "ada")
TURNS = PreferencePair(
    "\n\nSystem: Be kind.\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: A joke?\n\nAssistant:",
    " Knock.\n\nHuman: Who?\n\nAssistant: Me.",
    " No.",
)
PLAIN = PreferencePair("Once", " upon", " more")


def chat():
    tokenizer = tiny.tokenizer()
    tokenizer.chat_template = CHATML
    tokenizer.eos_token = "<|im_end|>"
    return tokenizer


def test_a_dialogue_is_what_the_template_makes_of_its_messages():
    tokenizer = chat()
    one, turns, plain = in_own_turns([ONE, TURNS, PLAIN], tokenizer)
    asked = [{"role": "user", "content": "A joke?"}]
    prompt = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    assert one == PreferencePair(prompt, "Knock.", "No.", 2.0, "ada")
    assert turns.prompt.startswith("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>")
    assert turns.chosen == "Knock.<|im_end|>\n<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\nMe."
    assert turns.rejected == "No." and plain == PLAIN
    assert in_own_turns([ONE, TURNS, PLAIN], tiny.tokenizer()) == [ONE, TURNS, PLAIN]  # a policy without turns


def test_a_template_that_takes_no_such_conversation_is_told():
    tokenizer = chat()
    tokenizer.chat_template = "{{ raise_exception('no system, please') }}"
    with pytest.raises(PlaygroundError, match="cannot be used for .* \\(no system, please\\)"):
        in_own_turns([TURNS], tokenizer)


def test_a_chat_policys_reward_model_learns_from_its_own_turns(tmp_path):
    folder = tmp_path / "chat"
    tokenizer = tiny.tokenizer()
    tokenizer.chat_template = CHATML
    tiny.gpt2().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    asked = [f"\n\nHuman: Joke {i}?\n\nAssistant:" for i in range(24)]
    rows = [{"chosen": f"{prompt} Knock.", "rejected": f"{prompt} No."} for prompt in asked]
    (tmp_path / "hh.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    list(run_reward((str(tmp_path / "hh.jsonl"),), str(folder), RewardConfig(), tmp_path / "run"))
    learned = [json.loads(line) for line in (tmp_path / "run" / "pairs.jsonl").read_text().splitlines()]
    assert "<|im_start|>user\\nJoke 0?<|im_end|>" in json.dumps(learned[0]) and "Human" not in json.dumps(learned)

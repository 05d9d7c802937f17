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
ALTERNATING = (  # as Gemma's
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('take turns') }}"
    "{% endif %}<start_of_turn>{{ m.role }}\n{{ m.content | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>assistant\n{% endif %}"
)
LLAMA2 = (
    "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content.strip() }} [/INST]"
    "{% else %} {{ m.content.strip() }} </s>{% endif %}{% endfor %}"
)
SILENT = (  # as Phi 3's first, which passes over a system's turn
    "{% for m in messages %}{% if m.role == 'user' %}<|user|>\n{{ m.content }}<|end|>\n{% elif m.role == 'assistant' %}"
    "<|assistant|>\n{{ m.content }}<|end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
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
    with pytest.raises(
        PlaygroundError,
        match="2 dialogues, and none can be learned from; pair 1: .* cannot be used for .* \\(no system, please\\)",
    ):
        in_own_turns([TURNS, TURNS], tokenizer)
    assert in_own_turns([PLAIN, TURNS], tokenizer) == [PLAIN]


def test_a_dialogue_that_the_template_refuses_is_left_out_and_told_once(caplog):
    tokenizer = chat()
    tokenizer.chat_template = ALTERNATING
    twice = PreferencePair("\n\nHuman: A\n\nHuman: B\n\nAssistant:", " x", " y")
    (one,) = in_own_turns([twice, ONE, twice], tokenizer)
    assert one.chosen == "Knock."
    (record,) = caplog.records
    assert record.getMessage().startswith("2 dialogues left out, which the chat template refuses; the first, pair 1: ")
    assert "(take turns)" in record.getMessage()


@pytest.mark.parametrize("template", [ALTERNATING, SILENT], ids=["gemma", "phi3"])
def test_a_system_that_the_template_does_not_take_stands_in_the_first_question(template, caplog):
    tokenizer = chat()
    tokenizer.chat_template = template
    turns = in_own_turns([TURNS, ONE], tokenizer)[0]
    asked = [
        {"role": "user", "content": "Be kind.\n\nHi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "A joke?"},
    ]
    assert turns.prompt == tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    (record,) = caplog.records
    assert "takes no system turn: its text stands in front of the first question (pairs: 1)" in record.getMessage()


@pytest.mark.parametrize("template", [CHATML, ALTERNATING, LLAMA2], ids=["chatml", "gemma", "llama"])
def test_answers_of_several_turns_begin_and_end_as_those_of_one_do(template):
    tokenizer = chat()
    tokenizer.chat_template = template
    asked = "\n\nHuman: A joke?\n\nAssistant:"
    pair = PreferencePair(asked, " Knock.\n\nHuman: Who?\n\nAssistant: Me.", " No.\n\nHuman: Oh")
    (turns,) = in_own_turns([pair], tokenizer)
    said = [{"role": "user", "content": "A joke?"}, {"role": "assistant", "content": "Knock."}]
    whole = tokenizer.apply_chat_template(
        [*said, {"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Me."}], tokenize=False
    )
    assert (turns.chosen[:6], turns.chosen[-3:], turns.rejected[:3], turns.rejected[-2:]) == (
        "Knock.",
        "Me.",
        "No.",
        "Oh",
    )
    assert turns.chosen in whole


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

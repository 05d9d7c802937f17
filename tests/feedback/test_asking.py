"""What was asked: all that the person who judged saw, and dialogues whose prompt ends a little off."""

import pytest

from core.feedback.pairs import PreferencePair
from core.feedback.rows import pair_from
from core.feedback.unusable import Unusable

TALK = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
TOLD = "\n\nHuman: Hi\n\nAssistant: Hello."
CHOSEN = {"chosen": "1066", "rejected": "1500"}
TWO = {"answer_a": "1066", "answer_b": "1500", "winner": "a"}
LONG = "The battle of Hastings was fought in the year 1066."


def turn(text, system=""):
    return f"{system}\n\nHuman: {text}\n\nAssistant:"


@pytest.mark.parametrize("answers", [CHOSEN, TWO], ids=["chosen", "two"])
@pytest.mark.parametrize(
    ("row", "prompt"),
    [
        ({"question": "When?", "context": "Long ago."}, turn("Long ago.\n\nWhen?")),
        ({"instruction": "When?", "passage": "Long ago."}, turn("Long ago.\n\nWhen?")),
        ({"query": "When?", "history": "Earlier."}, turn("Earlier.\n\nWhen?")),
        ({"question": "When?", "context": ["Long", "ago."]}, turn("Long\n\nago.\n\nWhen?")),
        ({"question": "When?", "history": TALK}, TOLD + turn("When?")),
        ({"prompt": "When?", "history": TALK}, TOLD + turn("When?")),
        ({"question": "When?", "history": [["Hi", "Hello."]]}, TOLD + turn("When?")),
        ({"question": "When?", "history": f"{TOLD}", "context": "Long ago."}, TOLD + turn("Long ago.\n\nWhen?")),
        ({"question": "When?", "system": "Be brief."}, turn("When?", "\n\nSystem: Be brief.")),
        ({"prompt": "When?", "system_prompt": "Be brief."}, turn("When?", "\n\nSystem: Be brief.")),
        ({"prompt": turn("When?"), "system": "Be brief."}, turn("When?", "\n\nSystem: Be brief.")),
        ({"instruction": "Translate", "input": "it"}, turn("Translate\n\nit")),
        ({"instruction": "Is it?", "input": "it", "context": "C"}, turn("C\n\nIs it?\n\nit")),
        ({"question": "When?", "context": " ", "history": [], "input": "", "system": None}, turn("When?")),
        ({"question": f"{LONG} When?", "context": LONG, "input": ""}, turn(f"{LONG} When?")),  # it says so already
        ({"question": "ago\nWhen?", "context": "ago", "input": "When?"}, turn("ago\nWhen?")),
        ({"question": turn("When?"), "context": "Long ago."}, turn("Long ago.\n\nWhen?")),
    ],
)
def test_a_question_is_read_with_all_that_stands_beside_it(row, prompt, answers):
    pair = pair_from(row | answers)
    assert (pair.prompt, pair.chosen.strip(), pair.rejected.strip()) == (prompt, "1066", "1500")


def test_a_text_that_is_gone_on_with_has_its_context_in_front():
    row = {"prompt": "It was in", "context": "Long ago.", "response_a": " 1066", "response_b": " 1500", "winner": "b"}
    assert pair_from(row) == PreferencePair("Long ago.\n\nIt was in", " 1500", " 1066")
    assert pair_from({"prompt": "p", "input": "MORE"} | CHOSEN).prompt == "p\n\nMORE"


def test_a_system_beside_whole_conversations_is_their_first_turn():
    chosen, rejected = ([*TALK, {"role": "user", "content": "?"}, {"role": "assistant", "content": x}] for x in "AB")
    for row in (
        {"chosen": chosen, "rejected": rejected},
        {"chosen": TOLD + turn("?") + " A", "rejected": TOLD + turn("?") + " B"},
    ):
        pair = pair_from(row | {"system": "Be brief.", "context": "C"})
        assert pair.prompt == "\n\nSystem: Be brief.\n\nHuman: C\n\nHi\n\nAssistant: Hello." + turn("?")
        assert (pair.chosen, pair.rejected) == (" A", " B")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"question": "When?", "context": {"a": 1}}, "context is an object"),
        ({"question": "When?", "context": 5}, "context is a number"),
        ({"question": "When?", "history": ["Hi", "Ho", "Ha"]}, "history has a message that is not"),
        ({"question": "When?", "system": ["a"]}, "system is a list instead of a text"),
        ({"question": "When?", "system": "a", "system_prompt": "b"}, "system and system_prompt say different things"),
        ({"question": "When?", "context": "So:\n\nHuman: Hi"}, "context has a text in which .* another turn"),
        ({"question": "When?", "system": "So:\n\nHuman: Hi"}, "system has a text in which .* another turn"),
        ({"question": "When?", "input": TALK}, "input is a conversation beside another prompt"),
        ({"prompt": TOLD + turn("When?"), "input": "more"}, "an input beside a dialogue of several turns"),
        ({"prompt": [{"role": "system", "content": "A"}, *TALK[:1]], "system": "B"}, "its dialogue another one"),
        ({"question": {"a": 1}}, "question is an object without"),
    ],
)
def test_what_does_not_combine_refuses_the_row(row, reason):
    with pytest.raises(Unusable, match=reason):
        pair_from(row | CHOSEN)


@pytest.mark.parametrize(
    ("prompt", "chosen", "rejected"),
    [
        (turn("Hi") + " ", "x", " y"),
        (turn("Hi") + "\n", "x", "y"),
        ("\n\nHuman: Hi", "\n\nAssistant: x", "\n\nAssistant: y"),
        ("\n\nHuman: Hi", turn("Hi") + " x", turn("Hi") + " y"),
        (turn("Hi") + " ", turn("Hi") + " x", turn("Hi") + " y"),
    ],
)
def test_a_dialogue_whose_prompt_ends_a_little_off_is_one(prompt, chosen, rejected):
    assert pair_from({"prompt": prompt, "chosen": chosen, "rejected": rejected}) == PreferencePair(
        turn("Hi"), " x", " y"
    )

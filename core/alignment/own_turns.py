r"""Imported dialogues in the turns that a chat policy is asked in, so that its reward model learns what it will rate.

Imports keep dialogues as hh-rlhf's plain text ("\n\nHuman: …\n\nAssistant:"), whoever will read them. PPO asks a chat
policy through its own template: a reward model that had learned from the plain text would meet texts of another kind.
"""

import logging
from collections.abc import Iterable

from transformers import PreTrainedTokenizerBase

from core.errors import PlaygroundError
from core.feedback.conversations import Message, as_conversation, is_dialogue
from core.feedback.pairs import PreferencePair
from core.language.registry import is_chat, template_text

_MARK = "\0"  # in no text of ours

_log = logging.getLogger(__name__)


def in_own_turns(pairs: Iterable[PreferencePair], tokenizer: PreTrainedTokenizerBase) -> list[PreferencePair]:
    """`pairs`, their dialogues as `tokenizer`'s chat template writes them; other texts, and other models', as they are.

    An answer of several turns keeps them. Where the template takes no system turn, its text stands in front of the
    first question; a dialogue that the template does not take either way is left out. Both are logged. Raises
    PlaygroundError when no pair is left.
    """
    if not is_chat(tokenizer):
        return list(pairs)
    turned: list[PreferencePair] = []
    refused: list[str] = []
    folded = 0
    for number, pair in enumerate(pairs, start=1):
        if not is_dialogue(pair.prompt):
            turned.append(pair)
            continue
        try:
            one, without_system = _turned(pair, tokenizer)
        except PlaygroundError as reason:
            refused.append(f"pair {number:,}: {reason}")
        else:
            turned.append(one)
            folded += without_system
    if refused and not turned:
        raise PlaygroundError(f"{_count(refused)}, and none can be learned from; {refused[0]}")
    if refused:
        _log.warning("%s left out, which the chat template refuses; the first, %s", _count(refused), refused[0])
    if folded:
        told = "the chat template takes no system turn: its text stands in front of the first question (pairs: %d)"
        _log.warning(told, folded)
    return turned


def _count(refused: list[str]) -> str:
    return "1 dialogue" if len(refused) == 1 else f"{len(refused):,} dialogues"


def _turned(pair: PreferencePair, tokenizer: PreTrainedTokenizerBase) -> tuple[PreferencePair, bool]:
    """The pair in the template's turns, and whether its system's text had to stand in the first question."""
    row = as_conversation(pair)
    answers = row["chosen"], row["rejected"]
    try:
        texts, folded = _texts(tokenizer, row["prompt"], *answers), False
    except PlaygroundError:
        asked = _folded(row["prompt"])
        if asked is None:
            raise
        texts, folded = _texts(tokenizer, asked, *answers), True
    return PreferencePair(*texts, pair.margin, pair.annotator), folded


def _folded(asked: list[Message]) -> list[Message] | None:
    """The conversation with its system's text in front of its first question; None where there is not both."""
    if [message["role"] for message in asked[:2]] != ["system", "user"]:
        return None
    return [{"role": "user", "content": f"{asked[0]['content']}\n\n{asked[1]['content']}"}, *asked[2:]]


def _texts(
    tokenizer: PreTrainedTokenizerBase, asked: list[Message], chosen: list[Message], rejected: list[Message]
) -> tuple[str, str, str]:
    prompt = template_text(tokenizer, asked, answering=True)
    if asked[0]["role"] == "system" and asked[0]["content"].strip() not in prompt:  # as Phi 3's first: without a word
        raise PlaygroundError("The model's chat template leaves out what the system says.")
    return prompt, _answer(tokenizer, prompt, asked, chosen), _answer(tokenizer, prompt, asked, rejected)


def _answer(tokenizer: PreTrainedTokenizerBase, prompt: str, asked: list[Message], said: list[Message]) -> str:
    """One turn's text, or several turns as the template writes them, which begin and end as one alone does."""
    if len(said) == 1:
        return said[0]["content"]
    whole = template_text(tokenizer, [*asked, *said], answering=False)
    if not whole.startswith(prompt):  # a template that tells the last answer from the others
        return "\n\n".join(one["content"] for one in said)
    first, *between, last = said
    marked = [{**first, "content": _MARK}, *between, {**last, "content": _MARK}]
    parts = template_text(tokenizer, [*asked, *marked], answering=False).split(_MARK)
    if len(parts) != 3:  # a template that passes over a turn, or says it twice
        return whole.removeprefix(prompt).rstrip().removesuffix(str(tokenizer.eos_token))
    before, _, after = parts
    return whole.removeprefix(prompt).removeprefix(before.removeprefix(prompt)).removesuffix(after)

r"""Imported dialogues in the turns that a chat policy is asked in, so that its reward model learns what it will rate.

Imports keep dialogues as hh-rlhf's plain text ("\n\nHuman: …\n\nAssistant:"), whoever will read them. PPO asks a chat
policy through its own template: a reward model that had learned from the plain text would meet texts of another kind.
"""

from collections.abc import Iterable

from transformers import PreTrainedTokenizerBase

from core.feedback.conversations import Message, as_conversation, is_dialogue
from core.feedback.pairs import PreferencePair
from core.language.registry import is_chat, template_text


def in_own_turns(pairs: Iterable[PreferencePair], tokenizer: PreTrainedTokenizerBase) -> list[PreferencePair]:
    """`pairs`, their dialogues as `tokenizer`'s chat template writes them; other texts, and other models', as they are.

    An answer of several turns keeps them. Raises PlaygroundError when the template takes no such conversation.
    """
    if not is_chat(tokenizer):
        return list(pairs)
    return [_turned(pair, tokenizer) if is_dialogue(pair.prompt) else pair for pair in pairs]


def _turned(pair: PreferencePair, tokenizer: PreTrainedTokenizerBase) -> PreferencePair:
    asked = as_conversation(pair)
    prompt = template_text(tokenizer, asked["prompt"], answering=True)

    def answer(said: list[Message]) -> str:
        if len(said) == 1:
            return said[0]["content"]
        whole = template_text(tokenizer, [*asked["prompt"], *said], answering=False)
        if not whole.startswith(prompt):  # a template that tells the last answer from the others
            return "\n\n".join(one["content"] for one in said)
        return whole.removeprefix(prompt).rstrip().removesuffix(str(tokenizer.eos_token))

    return PreferencePair(prompt, answer(asked["chosen"]), answer(asked["rejected"]), pair.margin, pair.annotator)

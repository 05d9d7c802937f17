"""What each word is worth to a reward model: the score with it, minus the score without it."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.alignment.reward_model import RewardModel

_PIECE = re.compile(r"\s*(?:[^\W_]+(?:['’][^\W_]+)*|(?:[^\w\s]|_)+)|\s+$")


@dataclass(frozen=True)
class WordEffect:
    """One word or run of punctuation with the space before it, and what deleting it does."""

    text: str
    effect: float  # score of the whole − score without this piece: above zero, the word earns score


@dataclass(frozen=True)
class Deletions:
    """Every word's effect on one response's score. Effects do not add up to anything: words act together."""

    words: tuple[WordEffect, ...]
    score: float  # of prompt + response
    prompt_score: float  # of the prompt alone: the whole response deleted

    @property
    def summed(self) -> float:
        """The sum of all effects, to hold against `score − prompt_score`."""
        return sum(word.effect for word in self.words)


def pieces(response: str) -> list[str]:
    """Words and runs of punctuation, each with the white space before it; joined, they are the response again."""
    return _PIECE.findall(response)


def without(parts: list[str], place: int) -> str:
    """The response without the piece at `place`."""
    return "".join(parts[:place] + parts[place + 1 :])


def word_deletions(reward_model: "RewardModel", prompt: str, response: str) -> Deletions:
    """Delete each piece of the response in turn and score what is left, all in one batch.

    Also called leave-one-out or occlusion (Zeiler & Fergus 2014, section 3; Li et al. 2016, "Understanding neural
    networks through representation erasure").
    """
    from core.alignment.reward_model import score

    parts = pieces(response)
    texts = [response, "", *(without(parts, place) for place in range(len(parts)))]
    whole, empty, *rest = score(reward_model.model, reward_model.tokenizer, [prompt] * len(texts), texts).tolist()
    words = tuple(WordEffect(text, whole - left) for text, left in zip(parts, rest, strict=True))
    return Deletions(words, whole, empty)

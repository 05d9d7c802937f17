"""Ways to sort tokens that a reader can check by eye: kind of word (a rule of thumb), first letter, how often seen."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.feedback.prompts import prompt_sets
from core.feedback.sources import bundled_pairs

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_CLOSED = {
    "pronoun or article": "i me my mine myself you your yours yourself he him his himself she her hers herself it its "
    "itself we us our ours ourselves they them their theirs themselves this that these those who whom whose which what "
    "a an the some any each every no none all both few many much more most other another such something anything "
    "everything nothing someone anyone everyone one two three four five six seven eight nine ten",
    "preposition or conjunction": "of in to for with on at from by about as into like through after over between out "
    "against during without before under around among behind beside beyond near off above across along down up inside "
    "outside onto upon toward towards until and but or nor so yet because although though while if unless since when "
    "where than whether",
    "auxiliary": "am is are was were be been being have has had having do does did done doing will would shall should "
    "can could may might must not cannot",
}
_ENDINGS = (  # the first that fits decides; a rule of thumb, as the page says
    ("adverb", ("ly",)),
    ("verb form", ("ing", "ed")),
    ("adjective", ("ful", "ous", "able", "ible", "ive", "less", "ish", "est")),
    ("noun", ("ness", "tion", "sion", "ment", "ity", "ship", "ism", "ist", "ance", "ence")),
)
_WORD_OF = {word: kind for kind, words in _CLOSED.items() for word in words.split()}
KINDS = (
    *_CLOSED,
    "adverb",
    "verb form",
    "adjective",
    "noun",
    "capitalised",
    "other word",
    "no whole word",
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SHORTEST_STEM = 3  # " red" and " sing" are no verb forms in -ed and -ing


def kind_of_word(piece: str) -> str:
    """The kind of a token by a rule of thumb: closed classes by a list of words, open ones by their ending.

    `piece` is a token's shown text (␣ for a space). Only what begins with a space and holds nothing but letters is
    taken for a whole word. English alone; it knows no context (" watch" is no verb here) and errs: " bed" is a noun in
    -ed that only its length saves.
    """
    word = piece.removeprefix("␣")
    if word == piece or not word.isalpha():
        return KINDS[-1]
    if (lower := word.lower()) in _WORD_OF:
        return _WORD_OF[lower]
    if word[0].isupper():
        return "capitalised"
    for kind, endings in _ENDINGS:
        if any(lower.endswith(ending) and len(lower) - len(ending) >= _SHORTEST_STEM for ending in endings):
            return kind
    return "other word"


def first_letter(piece: str) -> int:
    """0 … 25 for a … z, whatever the case and with a space before it or not; −1 for everything else."""
    return LETTERS.find(letter) if (letter := piece.removeprefix("␣")[:1].lower()) else -1


def counted(tokenizer: "PreTrainedTokenizerBase", vocabulary: int) -> np.ndarray:
    """How often each token stands in the texts bundled with this program: whole numbers, [vocabulary].

    The texts: every prompt of the three sets (stories, summaries, chat) and both responses of every bundled pair, about
    a hundred thousand tokens. An honest count, but of little text: most of a large vocabulary is never seen in it.
    """
    texts = [text for prompts in prompt_sets() for text in (*prompts.train, *prompts.heldout)]
    texts += [text for pair in bundled_pairs() for text in (pair.response_a, pair.response_b)]
    seen: Counter[int] = Counter()
    for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]:
        seen.update(ids)
    counts = np.zeros(vocabulary, dtype=np.int64)
    for token, times in seen.items():
        counts[token] = times
    return counts


def most_seen(counts: np.ndarray, most: int, always: Sequence[int] = ()) -> np.ndarray:
    """Which ids are drawn: those seen most, then the earliest merges (lowest ids); `always` among them. Sorted."""
    order = np.lexsort((np.arange(len(counts)), -counts))[:most]
    return np.union1d(order, np.asarray(always, dtype=np.int64))


_FREQUENCIES = {"never": 0, "1 or 2": 1, "3 to 9": 3, "10 to 99": 10, "100 or more": 100}


def frequency_classes(counts: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Which of five classes of frequency each count falls into, rarest first, and what the classes are called."""
    return np.searchsorted(list(_FREQUENCIES.values()), counts, side="right") - 1, list(_FREQUENCIES)

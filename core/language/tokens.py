"""A sentence as a model sees it: token ids, the pieces of text they stand for, and their bytes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SENTENCE = "The little dog was sad because the dog lost the ball"
"""What every page about the inside opens on: a word comes twice, and a reason is asked for."""

LONGEST = 256  # tokens a view shows; what lies behind is cut, and the reader is told
SPACE, _SINGLE_BYTE = "▁", re.compile("<0x([0-9A-F]{2})>")  # how SentencePiece writes a space, and half a character
_LONGEST_TEXT = 20_000  # characters tokenised: far more than LONGEST tokens ever need


@dataclass(frozen=True)
class Token:
    """One token: its id, its text as shown, and the bytes it stands for."""

    id: int
    piece: str  # spaces and line ends made visible; a part of a character as its bytes in hexadecimal
    bytes: bytes


@dataclass(frozen=True)
class Sentence:
    """The tokens of a text, at most `LONGEST` of them, and how many more there would have been (at least)."""

    text: str
    tokens: tuple[Token, ...]
    cut: int = 0

    @property
    def ids(self) -> list[int]:
        """The token ids."""
        return [token.id for token in self.tokens]

    @property
    def pieces(self) -> list[str]:
        """What is written beside rows and columns."""
        return [token.piece for token in self.tokens]


def read_sentence(tokenizer: "PreTrainedTokenizerBase", text: str, longest: int = LONGEST) -> Sentence:
    """The first `longest` tokens of `text`, nothing added by hand. An empty text has no tokens."""
    ids = tokenizer(text[:_LONGEST_TEXT], add_special_tokens=False)["input_ids"]
    return Sentence(text, tuple(token_of(tokenizer, i) for i in ids[:longest]), max(0, len(ids) - longest))


def token_of(tokenizer: "PreTrainedTokenizerBase", token_id: int) -> Token:
    """One token of the vocabulary."""
    raw = _bytes_of(tokenizer, token_id)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:  # half an emoji: byte-level tokens may end inside a character
        return Token(token_id, "⟨" + raw.hex(" ").upper() + "⟩", raw)
    return Token(token_id, visible(text), raw)


def visible(text: str) -> str:
    """`text` with what cannot be seen made visible: a space as ␣, a line end as ⏎, a tab as ⇥, nothing as ∅."""
    shown = text.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥").replace("\r", "⏎")
    return "".join(c if c.isprintable() else f"⟨U+{ord(c):04X}⟩" for c in shown) or "∅"


def pieces_of(tokenizer: "PreTrainedTokenizerBase", ids: Sequence[int]) -> list[str]:
    """The shown text of each id."""
    return [token_of(tokenizer, i).piece for i in ids]


def text_of(tokenizer: "PreTrainedTokenizerBase", token_id: int) -> str:
    """A token's own text, the space it begins with included; a part of a character as its bytes: `⟨F0 9F⟩`."""
    token = token_of(tokenizer, token_id)
    try:
        return token.bytes.decode("utf-8")
    except UnicodeDecodeError:
        return token.piece


def text_behind(tokenizer: "PreTrainedTokenizerBase", before: int, ids: Sequence[int]) -> str:
    """What `ids` spell behind the token `before`: text before it and this are one text, spaces and all.

    Read alone, tokens of SentencePiece and of whole words lose the space that they begin with. Behind a special token,
    which a text begins after, that is meant so.
    """

    def read(some: Sequence[int]) -> str:
        return str(tokenizer.decode(list(some), clean_up_tokenization_spaces=False))

    if not ids:
        return ""
    known = "" if before in tokenizer.all_special_ids else read([before])
    whole = read([before, *ids]) if known else read(ids)
    return whole[len(known) :] if whole.startswith(known) else read(ids)


def _bytes_of(tokenizer: "PreTrainedTokenizerBase", token_id: int) -> bytes:
    piece = str(tokenizer.convert_ids_to_tokens(token_id) or "")  # a row of the weights may have no token
    if token_id in tokenizer.added_tokens_decoder:
        return piece.encode()
    if single := _SINGLE_BYTE.fullmatch(piece):
        return bytes([int(single[1], 16)])
    table = _byte_of_character()
    if all(character in table for character in piece):
        own_text = not piece.isascii() and str(tokenizer.decode([token_id])) == piece  # SentencePiece's é is an é
        return piece.encode() if own_text else bytes(table[character] for character in piece)
    return (piece.replace(SPACE, " ") if SPACE in piece else str(tokenizer.decode([token_id]))).encode()


@lru_cache(maxsize=1)
def _byte_of_character() -> dict[str, int]:
    """The alphabet of byte-level BPE: printable bytes are themselves, the others moved up to 256 and beyond.

    Source: Radford et al., "Language models are unsupervised multitask learners" (2019), section 2.2, as released.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    table = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in printable)
    return table | {chr(256 + place): byte for place, byte in enumerate(others)}

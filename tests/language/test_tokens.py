"""A sentence as tokens: their bytes join to the text's, whatever the text is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from core.language.tokens import LONGEST, SENTENCE, pieces_of, read_sentence, text_behind, text_of, token_of, visible
from tests.tiny import tokenizer

TOKENIZER = tokenizer()


def joined(text: str, longest: int = 100_000) -> bytes:
    return b"".join(token.bytes for token in read_sentence(TOKENIZER, text, longest).tokens)


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE,
        " two  spaces\nand\ttabs ",
        "naïve café — “quoted”",
        "🐶👩‍👩‍👧 dogs",
        "שלום עולם",
        "<b>bold</b> & $x$ :red[x]",
        "\x00\x07",
        "a" * 3000,
    ],
)
def test_the_bytes_of_all_pieces_are_the_texts(text):
    assert joined(text) == text.encode()


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
def test_for_any_text(text):
    assert joined(text) == text.encode()


def test_half_a_character_is_shown_by_its_bytes():
    tokens = read_sentence(TOKENIZER, "🐶").tokens
    assert len(tokens) > 1
    assert all(token.piece.startswith("⟨") and token.piece.endswith("⟩") for token in tokens)
    assert " ".join(token.piece.strip("⟨⟩") for token in tokens) == "🐶".encode().hex(" ").upper()


def sentencepiece() -> PreTrainedTokenizerFast:
    """Pieces that carry the space before them, as Llama 2 and Mistral read."""
    pieces = ["<s>", "</s>", "▁", *"abcdefghijklmnopqrstuvwxyz.", "▁and", "▁looked", "▁happy", "ed"]
    made = Tokenizer(models.Unigram([(piece, -1.0 - (len(piece) == 1)) for piece in pieces], 2))
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="</s>")


def whole_words() -> PreTrainedTokenizerFast:
    """Words, between which reading puts a space."""
    made = Tokenizer(models.WordLevel({"<s>": 0, "vest": 1, "and": 2, "looked": 3, "happy": 4}, unk_token="<s>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="<s>", pad_token="<s>")


@pytest.mark.parametrize("made", [tokenizer, sentencepiece, whole_words])
@pytest.mark.parametrize("parted", [1, 2, 3])
def test_text_before_and_text_behind_are_the_text(made, parted):
    one, text = made(), "vest and looked happy"
    ids = one(text)["input_ids"]
    known = one.decode(ids[:-parted])
    assert known + text_behind(one, ids[-parted - 1], ids[-parted:]) == text
    assert text_behind(one, ids[0], []) == ""


def test_a_text_that_begins_has_no_space_before_it():
    one = sentencepiece()
    assert text_behind(one, one.bos_token_id, one("looked happy", add_special_tokens=False)["input_ids"]) == (
        "looked happy"
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(2, 4095), min_size=1, max_size=12), st.integers(2, 4095))
def test_bytes_are_read_behind_anything_as_alone(ids, before):
    whole = token_of(TOKENIZER, before).bytes.decode("utf-8", "replace")
    if "\ufffd" not in whole:  # half a character goes on in what follows
        assert text_behind(TOKENIZER, before, ids) == TOKENIZER.decode(ids)


def test_a_tokens_text_has_its_space():
    one = sentencepiece()
    assert [text_of(one, i) for i in one(" and looked")["input_ids"]] == [" and", " looked"]
    half = TOKENIZER("🐶")["input_ids"][0]
    assert text_of(TOKENIZER, half) == token_of(TOKENIZER, half).piece != ""


def test_a_special_token_is_its_name():
    token = token_of(TOKENIZER, TOKENIZER.eos_token_id)
    assert token.piece == TOKENIZER.eos_token
    assert token.bytes == TOKENIZER.eos_token.encode()


def test_nothing_is_added_by_hand_and_nothing_is_no_token():
    assert read_sentence(TOKENIZER, "").tokens == ()
    adding = tokenizer()  # one that would put a beginning before every text
    adding.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    assert adding("The")["input_ids"][0] == 0
    assert read_sentence(adding, "The").ids == TOKENIZER("The")["input_ids"]


def test_what_lies_behind_the_longest_is_cut_and_counted():
    sentence = read_sentence(TOKENIZER, "dog " * 1000)
    assert len(sentence.tokens) == LONGEST
    assert sentence.cut == len(TOKENIZER("dog " * 1000)["input_ids"]) - LONGEST


@pytest.mark.parametrize(
    ("text", "shown"),
    [(" a", "␣a"), ("\n", "⏎"), ("\t", "⇥"), ("", "∅"), ("\x07", "⟨U+0007⟩"), ("\u202e", "⟨U+202E⟩")],
)
def test_what_cannot_be_seen_is_made_visible(text, shown):
    assert visible(text) == shown


def test_every_token_of_the_vocabulary_has_a_name_without_controls():
    pieces = pieces_of(TOKENIZER, range(len(TOKENIZER)))
    assert all(piece and piece.isprintable() for piece in pieces)


def test_sentencepieces_tokens_are_the_texts_they_stand_for():
    """Llama 2 and Mistral: a space is ▁, an é is an é, and what has no token is written byte by byte."""
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "▁dog", "é", "s"]
    bpe = Tokenizer(models.BPE({piece: n for n, piece in enumerate(pieces)}, [], unk_token="<unk>", byte_fallback=True))
    bpe.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    llama = PreTrainedTokenizerFast(tokenizer_object=bpe, unk_token="<unk>")
    ids = [pieces.index(piece) for piece in ("▁dog", "s", "▁", "é", "<0x0A>", "<0xF0>")]
    assert pieces_of(llama, ids) == ["␣dog", "s", "␣", "é", "⏎", "⟨F0⟩"]
    assert b"".join(token_of(llama, token).bytes for token in ids) == " dogs é\n".encode() + b"\xf0"
    assert token_of(TOKENIZER, TOKENIZER.convert_tokens_to_ids("Ã")).bytes == b"\xc3"  # in byte-level BPE: half an é


def test_a_number_that_no_token_has_is_shown_as_nothing():
    """Weights often have more rows than the tokenizer has tokens, and any of them may be drawn."""
    beyond = token_of(TOKENIZER, len(TOKENIZER) + 3)
    assert (beyond.piece, beyond.bytes) == ("∅", b"")

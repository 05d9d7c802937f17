"""What a policy is given, beside what its own tokenizer would make of the text."""

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from core.alignment.completions import encode_completions
from core.alignment.reward_model import encode_texts
from core.language.queries import query_ids, response_ids
from core.language.registry import apply_chat_template
from core.language.sampling import encode_queries
from tests import tiny
from tests.language.byte_models import TURNS, byte_tokenizer


@pytest.fixture
def opening():
    """A tokenizer that opens every text with its beginning-of-text token, and closes it too, as some do."""
    tokenizer = byte_tokenizer(("<|endoftext|>", "<s>", "<pad>"), bos_token="<s>", pad_token="<pad>")
    ends = [(token, tokenizer.convert_tokens_to_ids(token)) for token in ("<s>", "<|endoftext|>")]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing("<s> $A <|endoftext|>", special_tokens=ends)
    return tokenizer


def test_a_text_is_opened_as_the_tokenizer_opens_it_and_not_closed(opening):
    for text in ("Once", "a b", ""):
        assert query_ids(opening, [text]) == [opening(text)["input_ids"][:-1]]
    assert query_ids(opening, ["<s>Once"]) == query_ids(opening, ["Once"])  # not twice
    ids, mask, cut = encode_queries(opening, ["Once", "a"], room=8)
    assert ids[mask.bool()].tolist() == [*opening("Once")["input_ids"][:-1], *opening("a")["input_ids"][:-1]]
    assert cut == [0, 0]
    given = encode_completions(opening, ["Once"], [" upon"], 20)
    assert given.input_ids[0].tolist() == opening("Once upon")["input_ids"][:-1]


def test_a_text_that_is_cut_keeps_its_opening_token_as_transformers_truncation_does(opening):
    opening.truncation_side = "left"
    text = "a long story of a dog"
    for most in (2, 5, 12, 100):
        theirs = opening(text, truncation=True, max_length=most)["input_ids"]
        assert encode_texts(opening, [text[:6]], [text[6:]], most) == [theirs]
    ids, _, (cut,) = encode_queries(opening, [text], room=6)
    assert ids[0].tolist() == [opening.bos_token_id, *query_ids(opening, [text])[0][-5:]] and cut == len(text) + 1 - 6
    given = encode_completions(opening, [text], ["!"], 6)
    assert given.input_ids[0].tolist() == [
        *ids[0, :1].tolist(),
        *query_ids(opening, [text])[0][-4:],
        *opening("!")["input_ids"][1:-1],
    ]
    plain = tiny.tokenizer()
    assert encode_texts(plain, [text], [""], 3) == [plain(text)["input_ids"][-3:]]


def test_a_chat_policys_turns_are_taken_as_its_template_wrote_them(opening):
    opening.chat_template = TURNS
    text = apply_chat_template(opening, "Hi")
    assert query_ids(opening, [text]) == [opening(text, add_special_tokens=False)["input_ids"]]


def test_the_storyteller_goes_on_with_what_it_is_given():
    tokenizer = tiny.tokenizer()
    assert query_ids(tokenizer, ["Once upon", ""]) == [tokenizer("Once upon")["input_ids"], [tokenizer.bos_token_id]]


@pytest.mark.parametrize("scheme", ["first", "always", "never"])
@pytest.mark.parametrize(
    ("prompt", "response"),
    [('She said, "', "I like it"), ("A dog", " ran"), ("A do", "g ran"), ("", "A dog"), ("It is\n", "a"), ("A", "")],
)
def test_a_given_response_stays_the_text_that_it_is(scheme, prompt, response):
    """SentencePiece's tokens begin with the space in front of them, which it puts in front of every text as well."""
    pieces = ["<unk>", "▁", "▁A", "▁do", "▁dog", "g", "▁ran", "▁I", "▁like", "▁it", "▁a"]
    pieces += sorted(set('ABCISabcdefghijklmnopqrstuvwxyz,"\n') - set(pieces))
    unigram = Tokenizer(models.Unigram([(piece, -float(len(pieces) - i)) for i, piece in enumerate(pieces)], unk_id=0))
    unigram.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    unigram.decoder = decoders.Metaspace(prepend_scheme=scheme)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=unigram, eos_token="<unk>", bos_token="<unk>")
    ids = (query_ids(tokenizer, [prompt])[0] if prompt else []) + response_ids(tokenizer, prompt, response)
    assert tokenizer.decode(ids) == prompt + response

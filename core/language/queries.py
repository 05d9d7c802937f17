"""What a policy is given to go on with, as token ids."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from core.language.tokens import SPACE


def query_ids(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each text, opened as the tokenizer opens every text, and never closed: the response follows.

    A chat policy's turns hold all that its template wants there; of other policies some, Llama's family for one, were
    trained on texts that begin with their beginning-of-text token. An empty text is that token alone, or the end token
    where there is none.
    """
    opening = tokenizer.bos_token_id
    opens = not tokenizer.chat_template and opens_texts(tokenizer)
    start = opening if opening is not None else tokenizer.eos_token_id
    read = [list(tokenizer(text, add_special_tokens=False)["input_ids"]) or [start] for text in texts]
    return [[opening, *ids] if opens and ids[0] != opening else ids for ids in read]


def response_ids(tokenizer: PreTrainedTokenizerBase, prompt: str, response: str) -> list[int]:
    """Token ids of a response that is given, apart from those of its prompt: as a policy goes on that was given these.

    SentencePiece puts a space in front of every text. Where the response has none, it is read behind its prompt, or
    where the two would share a token behind a line's end, so that it stays the text that it is.
    """

    def read(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    ids = read(response)
    spaced = bool(ids) and str(tokenizer.convert_ids_to_tokens(ids[0])).startswith(SPACE)
    if spaced and not response[0].isspace():
        for before in (prompt, "\n"):
            first, both = read(before), read(before + response)
            if both[: len(first)] == first:
                return both[len(first) :]
    return ids


def opens_texts(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokenizer puts its beginning-of-text token before every text."""
    opening = tokenizer.bos_token_id
    return opening is not None and tokenizer("")["input_ids"][:1] == [opening]


def last_tokens(tokenizer: PreTrainedTokenizerBase, ids: list[int], most: int) -> list[int]:
    """The last of a text's ids, `most` of them at most, the opening token kept where every text has one.

    The same are left where transformers truncates on the left: models that were trained with an opening token pay it
    attention that has to go somewhere (Xiao et al., "Efficient streaming language models with attention sinks", 2023).
    """
    if len(ids) <= most:
        return ids
    if opens_texts(tokenizer) and ids[0] == tokenizer.bos_token_id:
        return [ids[0], *ids[len(ids) - most + 1 :]]
    return ids[-most:]

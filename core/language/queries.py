"""What a policy is given to go on with, as token ids."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase


def query_ids(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each text, opened as the tokenizer opens every text, and never closed: the response follows.

    A chat policy's turns hold all that its template wants there; of other policies some, Llama's family for one, were
    trained on texts that begin with their beginning-of-text token. An empty text is that token alone, or the end token
    where there is none.
    """
    opening = tokenizer.bos_token_id
    opens = opening is not None and not tokenizer.chat_template and tokenizer("")["input_ids"][:1] == [opening]
    start = opening if opening is not None else tokenizer.eos_token_id
    read = [list(tokenizer(text, add_special_tokens=False)["input_ids"]) or [start] for text in texts]
    return [[opening, *ids] if opens and ids[0] != opening else ids for ids in read]

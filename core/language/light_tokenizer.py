"""From token ids to their texts without transformers: for pages that must not wait for it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any


class LightTokenizer:
    """What `core.language.tokens` asks of a tokenizer, answered by the `tokenizers` library alone."""

    def __init__(self, file: Path):
        """`file`: a model folder's tokenizer.json. Raises OSError or ValueError when it cannot be read."""
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_str(file.read_text(encoding="utf-8"))
        self.added_tokens_decoder: dict[int, Any] = self._tokenizer.get_added_tokens_decoder()

    def convert_ids_to_tokens(self, token_id: int) -> str:
        """The vocabulary's own spelling of one token; empty for an id that has none."""
        return self._tokenizer.id_to_token(int(token_id)) or ""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`, special tokens included."""
        return str(self._tokenizer.decode([int(i) for i in ids], skip_special_tokens=False))


def light_tokenizer(policy_id: str) -> Any:
    """The tokenizer of a policy that is on this machine; transformers' own where there is no tokenizer.json.

    Raises PlaygroundError when the policy is not here and cannot be had.
    """
    from core.language.registry import load_tokenizer, policy_folder

    folder = policy_folder(policy_id)
    file = folder / "tokenizer.json" if folder else None
    return LightTokenizer(file) if file is not None and file.exists() else load_tokenizer(policy_id)

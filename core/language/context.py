"""How much a model reads at once: its context, in tokens."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.errors import PlaygroundError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_UNSAID = 1024  # a model that names no limit, such as one without positions
_NAMES = ("max_position_embeddings", "n_positions", "n_ctx")  # what architectures call it in their config.json


def context_of(model: "PreTrainedModel") -> int:
    """The longest text the model can read, in tokens; 1,024 when it names no limit."""
    said = getattr(model.config, "max_position_embeddings", None)
    return said if isinstance(said, int) and said > 0 else _UNSAID  # XLNet's family says −1


def context_said(config: Mapping[str, Any]) -> int | None:
    """What a config.json says of it, in tokens; None when it says nothing that could be one."""
    said = (config.get(name) for name in _NAMES)
    return next((value for value in said if isinstance(value, int) and value > 0), None)


def check_response_fits(max_new_tokens: int, context: int) -> None:
    """Raises PlaygroundError when a response of that length leaves no token of the context for its prompt."""
    if max_new_tokens >= context:
        raise PlaygroundError(f"max_new_tokens is {max_new_tokens}, but the model's context is {context} tokens")

"""A key-value cache whose room is taken once: growing by concatenation costs a quarter of the time of a small model."""

from typing import Any

from torch import Tensor
from transformers import PreTrainedConfig
from transformers.cache_utils import Cache, DynamicLayer

from core.errors import PlaygroundError


class PreallocatedLayer(DynamicLayer):
    """One layer's keys and values, [batch, kv heads, room, head size] of which `length` positions are shown."""

    def __init__(self, room: int):
        super().__init__()
        self.room = room
        self.length = 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Take the room, once the first keys say how wide they are."""
        self.dtype, self.device = key_states.dtype, key_states.device
        batch, heads, _, size = key_states.shape
        self.key_room = key_states.new_empty(batch, heads, self.room, size)
        self.value_room = value_states.new_empty(batch, heads, self.room, value_states.shape[-1])
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write behind what is there; all keys and values so far come back, as views."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        end = self.length + key_states.shape[-2]
        self.key_room[:, :, self.length : end] = key_states
        self.value_room[:, :, self.length : end] = value_states
        self.length = end
        self.keys, self.values = self.key_room[:, :, :end], self.value_room[:, :, :end]
        return self.keys, self.values

    def select_rows(self, rows: Tensor) -> None:
        """Keep only `rows` of the batch."""
        self.key_room, self.value_room = self.key_room[rows], self.value_room[rows]
        self.keys, self.values = self.key_room[:, :, : self.length], self.value_room[:, :, : self.length]


class PreallocatedCache(Cache):
    """An empty cache for `room` positions of every layer.

    A layer that sees only the last tokens (Gemma's) keeps them all like the others: what it does not see, the model's
    mask takes from it. Raises PlaygroundError for models with layers that keep no keys and values (Mamba's).
    """

    def __init__(self, config: PreTrainedConfig, room: int):
        other = set(getattr(config, "layer_types", None) or ()) - {"full_attention", "sliding_attention"}
        if other:
            name = getattr(config, "name_or_path", "") or config.model_type
            raise PlaygroundError(f"{name}: layers of kind {', '.join(sorted(other))} are not supported")
        self.rooms = [PreallocatedLayer(room) for _ in range(config.num_hidden_layers)]
        super().__init__(layers=list(self.rooms))

    def select_rows(self, rows: Tensor) -> None:
        """Keep only `rows`, the responses still being written."""
        for layer in self.rooms:
            layer.select_rows(rows)

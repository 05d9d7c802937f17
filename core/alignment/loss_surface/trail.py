"""The weights a reward model had on its way, a tensor at a time: never all of them in memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from core.errors import PlaygroundError
from core.language.snapshots import ADAPTERS, saved_name

_FULL = "model.safetensors"


class Trail:
    """What is trained of `model`, as it stood in each of `folders` (weights kept on the way), in the order given.

    With `start`, `model` as it is now comes before them: a new reward model is exactly the one that training began
    with, unless it has adapters, which begin at random.
    """

    def __init__(self, model: nn.Module, folders: Sequence[Path], start: bool) -> None:
        """Raises PlaygroundError when weights are gone, not whole, or another model's."""
        self.parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self._start = {name: p.detach().cpu().clone() for name, p in self.parameters.items()} if start else None
        self._files = [_open(folder) for folder in folders]
        for folder, file in zip(folders, self._files, strict=True):
            missing = {saved_name(name) for name in self.parameters} - set(file.keys())
            if missing:
                raise PlaygroundError(f"{folder}: these saved weights are of another model ({min(missing)} is missing)")

    def __len__(self) -> int:
        return len(self._files) + (self._start is not None)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Name and values at every place of the trail, float32: [places, elements]."""
        for name in self.parameters:
            rows = [file.get_tensor(saved_name(name)).float().flatten() for file in self._files]
            if self._start is not None:
                rows.insert(0, self._start[name].flatten())
            yield name, torch.stack(rows)

    def at(self, place: int) -> Tensor:
        """All trained weights at one place, one behind the other: [weights]."""
        if self._start is not None and place % len(self) == 0:
            return torch.cat([values.flatten() for values in self._start.values()])
        file = self._files[place % len(self) - (self._start is not None)]
        return torch.cat([file.get_tensor(saved_name(name)).float().flatten() for name in self.parameters])


def _open(folder: Path) -> safe_open:
    try:
        return safe_open(folder / (_FULL if (folder / _FULL).exists() else ADAPTERS), "pt")
    except (OSError, SafetensorError) as error:
        raise PlaygroundError(f"{folder}: these saved weights cannot be opened ({error})") from error

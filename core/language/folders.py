"""A Hugging Face folder on disk: what is in it, and whether it is safe to open."""

import functools
import hashlib
import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.errors import PlaygroundError
from core.language.claims import check_claims, parts

_MAX_HEADER = 100_000_000  # bytes: safetensors' own limit


def weight_files(folder: Path) -> list[Path]:
    """The folder's safetensors files, by name. Empty when it holds none."""
    return sorted(folder.glob("*.safetensors"))


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from `path`; PlaygroundError when it is not one."""
    _check_regular(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PlaygroundError(f"{path}: cannot be read as JSON ({first_line(error)})") from None
    if not isinstance(content, dict):
        raise PlaygroundError(f"{path}: expected a JSON object")
    return content


def check_policy_folder(folder: Path) -> dict[str, Any]:
    """The folder's config.json, once it is known to be a language model that opens without running anyone's code.

    Raises PlaygroundError when a file is missing, the weights are pickles, it is not a causal language model, or as
    `check_harmless` does.
    """
    if not (folder / "config.json").exists():
        if (folder / "adapter_config.json").exists():
            raise PlaygroundError(f"{folder} holds adapters alone: merge them into their model first, then save that")
        raise PlaygroundError(f"{folder} has no config.json: it is not the folder of a model")
    config = read_json(folder / "config.json")
    check_harmless(folder, config)
    if not weight_files(folder):
        pickles = [path.name for pattern in ("*.bin", "*.pt", "*.pth") for path in folder.glob(pattern)]
        held = f"only {', '.join(sorted(pickles)[:3])}, which may run code when opened" if pickles else "no weights"
        raise PlaygroundError(f"{folder} holds {held}: save the model again as safetensors")
    architectures = config.get("architectures") or [""]
    architecture = architectures[0] if isinstance(architectures, list) else architectures
    if not isinstance(architecture, str):
        raise PlaygroundError(f"{folder}: config.json names no architecture by a text")
    if architecture.endswith("ForSequenceClassification"):
        raise PlaygroundError(f"{folder} is a reward model ({architecture}), not a policy that writes")
    if config.get("is_encoder_decoder") is True or architecture.endswith("ForMaskedLM"):
        raise PlaygroundError(
            f"{folder} is no causal language model ({architecture or config.get('model_type')}): it does not write a "
            "text from its beginning on, token by token"
        )
    if not (folder / "tokenizer.json").exists() and not (folder / "tokenizer_config.json").exists():
        raise PlaygroundError(f"{folder} has no tokenizer: save it beside the model with tokenizer.save_pretrained")
    return config


def check_harmless(folder: Path, config: dict[str, Any]) -> None:
    """Raises PlaygroundError when opening the model or its tokenizer may run code, hang, or read files from elsewhere.

    So it does when its weights are cut short: a download that broke off is said now, not by a run that fails later.
    """
    for path in (*folder.glob("*"), *folder.glob("*/*")):  # tokenizers look one folder down for chat templates
        if not path.is_dir():
            _check_regular(path)
    if (folder / "adapter_config.json").exists():  # transformers would put them on the model, from a pickle too
        raise PlaygroundError(f"{folder} holds adapters beside its model: merge them into it first, then save that")
    for setting in ("transformers_weights", "attribute_map"):  # the second can give the first another name
        if any(setting in part for part in parts(config)):
            raise PlaygroundError(f"{folder}: config.json sets {setting}, which may lead to weights unchecked here")
    tokenizer_config = folder / "tokenizer_config.json"
    if "auto_map" in config or (tokenizer_config.exists() and "auto_map" in read_json(tokenizer_config)):
        raise PlaygroundError(f"{folder} brings its own code (auto_map), which is never run here: choose another model")
    for index in folder.glob("*.index.json"):
        shards = read_json(index).get("weight_map")
        names: list[Any] = list(shards.values()) if isinstance(shards, dict) else [None]
        if not all(isinstance(name, str) and Path(name).name == name and "\\" not in name for name in names):
            raise PlaygroundError(f"{index} names weights that are no files beside it: it leads out of the folder")
        if index.name.endswith(".safetensors.index.json") and not all(name.endswith(".safetensors") for name in names):
            raise PlaygroundError(f"{index} names weights that are not safetensors, and may run code when opened")
    if files := weight_files(folder):
        check_claims(folder, config, [shape for path in files for shape in _shapes(path)])


def _check_regular(path: Path) -> None:
    """Raises PlaygroundError where `path` is a pipe, a socket or a device: reading one may never end."""
    if path.exists() and not path.is_file():
        raise PlaygroundError(f"{path} is not a regular file")


def count_parameters(files: Iterable[Path]) -> int:
    """Numbers stored in safetensors `files`, from their headers. PlaygroundError when one has none, or is cut short."""
    return sum(_numbers(shape) for path in files for shape in _shapes(path))


def _shapes(path: Path) -> list[list[int]]:
    """The shape of every tensor in a safetensors file, from its header; PlaygroundError as for `count_parameters`."""
    _check_regular(path)
    try:
        with path.open("rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            if length > _MAX_HEADER:
                raise ValueError("no header is so long")
            header = json.loads(file.read(length))
        tensors = [entry for name, entry in header.items() if name != "__metadata__"]
        if path.stat().st_size < 8 + length + max((entry["data_offsets"][1] for entry in tensors), default=0):
            raise ValueError("less is there than the header says")
        for entry in tensors:
            begin, end = entry["data_offsets"]
            most = 2 * (end - begin)  # the smallest numbers there are take four bits
            if min(entry["shape"], default=0) < 0 or _numbers(entry["shape"]) > most:
                raise ValueError("a tensor is said to be larger than its bytes")
        return [entry["shape"] for entry in tensors]
    except (struct.error, ValueError, OSError, RecursionError, AttributeError, LookupError, TypeError):
        raise PlaygroundError(f"{path} is not a whole safetensors file: get it again") from None


def _numbers(shape: list[int]) -> int:
    return functools.reduce(int.__mul__, shape, 1)


def model_hash(folder: Path | str) -> str:
    """First 16 hex digits of the SHA-256 of the folder's safetensors files, in the order of their names."""
    files = weight_files(Path(folder))
    if not files:
        raise PlaygroundError(f"{folder} holds no safetensors file to hash")
    return _hash_files(tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files))


@functools.lru_cache(maxsize=64)
def _hash_files(files: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for name, _, _ in files:  # size and time are in the key only: a changed file is hashed again
        with open(name, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]


def first_line(error: BaseException) -> str:
    """What an error says, short enough for a sentence; the next line too where the first only leads up to it."""
    lines = [line.strip() for line in str(error).strip().splitlines()] or [type(error).__name__]
    return " ".join(lines[:2] if lines[0].endswith(":") else lines[:1])[:200]

"""A Hugging Face folder on disk: what is in it, whether it is safe to open, and how it becomes a policy."""

import contextlib
import functools
import hashlib
import json
import struct
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from core.errors import PlaygroundError
from core.language.claims import check_claims, parts

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_MAX_HEADER = 100_000_000  # bytes: safetensors' own limit
_loading = threading.RLock()


@contextlib.contextmanager
def quiet_loading() -> Iterator[None]:
    """One load at a time, and no word of transformers' own: the terminal belongs to the command that runs.

    While weights load, transformers keeps switches for the whole process: two loads at once in two threads leave the
    output layer untied from the embedding, with random weights, and its first imports fail half-way (transformers
    5.23). Also a decorator, for what imports before it loads.
    """
    with _loading:
        from transformers.utils import logging

        was_on, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
        logging.disable_progress_bar()
        logging.set_verbosity_error()  # its table of missing tensors is a warning: `check_weights` says a sentence
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if was_on:
                logging.enable_progress_bar()


def weight_files(folder: Path) -> list[Path]:
    """The folder's safetensors files, by name. Empty when it holds none."""
    return sorted(folder.glob("*.safetensors"))


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from `path`; PlaygroundError when it is not one."""
    _check_regular(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PlaygroundError(f"{path}: cannot be read as JSON ({_first_line(error)})") from None
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


def open_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The folder's tokenizer, padding on the left, with a pad token that is nothing else.

    Where the model has no pad token, or pads with its end token, an unused special token takes the part; where it has
    none to spare (GPT-2), one is added: `open_policy` gives it a row in the embeddings.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # of a file that is not what it should be: no list of what it can raise is complete
        raise PlaygroundError(f"{folder}: its tokenizer cannot be opened ({_first_line(error)})") from error
    check_reads(folder, tokenizer)
    tokenizer.padding_side = "left"
    if tokenizer.eos_token_id is None:
        raise PlaygroundError(f"{folder}: its tokenizer has no end token, so no response could end")
    if tokenizer.pad_token_id in (None, tokenizer.eos_token_id, tokenizer.bos_token_id):
        spare = _spare_special_token(tokenizer)
        tokenizer.add_special_tokens({"pad_token": spare or "<|pad|>"})
    return tokenizer


def _spare_special_token(tokenizer: "PreTrainedTokenizerBase") -> str | None:
    """A special token with no part to play: not begin, end, unknown, nor in the chat template. Likely names first."""
    taken = {tokenizer.bos_token, tokenizer.eos_token, tokenizer.unk_token}
    template = str(tokenizer.chat_template or "")
    spare = [
        token.content
        for _, token in sorted(tokenizer.added_tokens_decoder.items())
        if token.special and token.content not in taken and token.content not in template
    ]
    return min(
        spare,
        key=lambda token: next((i for i, w in enumerate(("pad", "reserved", "unused")) if w in token), 9),
        default=None,
    )


@quiet_loading()
def open_policy(folder: Path) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """The causal language model in `folder` in float32 and evaluation mode, and its tokenizer (`open_tokenizer`).

    float32 is said outright because the default follows the file, and a half-precision file would silently make a
    half-precision optimiser. Raises PlaygroundError as `check_policy_folder` does, or when transformers cannot open it.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    check_policy_folder(folder)
    tokenizer = open_tokenizer(folder)
    try:
        config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        if getattr(config, "activation_function", None) == "gelu_new":
            config.activation_function = "gelu_pytorch_tanh"  # the same function, fused: a step is 12 % shorter
        opened: Any = AutoModelForCausalLM.from_pretrained(
            str(folder),
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # `check_weights` names them
            output_loading_info=True,
        )
    except Exception as error:  # sizes of 0, texts for numbers, missing tensors: each model has its own ways to fail
        raise PlaygroundError(f"{folder} cannot be opened as a language model ({_first_line(error)})") from error
    model, loading = opened
    check_weights(folder, model, loading)
    if len(tokenizer) > _table(model.get_input_embeddings()).shape[0]:
        _add_rows(model, len(tokenizer))
    model.config.pad_token_id = tokenizer.pad_token_id
    if model.generation_config is not None:
        model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model.eval(), tokenizer


def check_weights(folder: Path, model: "PreTrainedModel", loading: Mapping[str, Any]) -> None:
    """Raises PlaygroundError where weights are missing or of another shape (transformers fills both with random
    numbers), or no numbers.

    `loading`: what `from_pretrained(..., output_loading_info=True)` says beside the model.
    """
    missing = sorted(loading["missing_keys"])
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise PlaygroundError(
            f"{folder}: {missing[0]}{more} is not among its weights, and a {type(model).__name__} needs it"
        )
    for name, held, needed in sorted(loading["mismatched_keys"]):
        raise PlaygroundError(
            f"{folder}: {name} has the shape {list(held)} among its weights, and a {type(model).__name__} of this "
            f"config.json needs {list(needed)}"
        )
    for name, weight in model.named_parameters():
        if not weight.isfinite().all():
            raise PlaygroundError(f"{folder}: {name} holds values that are no numbers (NaN or infinite)")


def check_reads(folder: Path, tokenizer: "PreTrainedTokenizerBase") -> None:
    """Raises PlaygroundError where a tokenizer makes nothing of a text: its files are missing or empty."""
    if not tokenizer("A cat and a dog.")["input_ids"]:
        raise PlaygroundError(f"{folder}: its tokenizer makes no tokens of a text (are its files all there?)")


def _add_rows(model: "PreTrainedModel", size: int) -> None:
    """Grow the vocabulary to `size`; the new rows are the mean of the others.

    Their logit is then the mean logit, so each is less likely than 1/vocabulary and in practice never drawn: a row of
    zeros would be GPT-2's favourite token, because its other logits lie far below zero.
    """
    import torch

    old = _table(model.get_input_embeddings()).shape[0]
    model.resize_token_embeddings(size, mean_resizing=False)
    with torch.no_grad():
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            if layer is not None:
                table = _table(layer)
                table[old:] = table[:old].mean(0)


def _table(layer: Any) -> "Tensor":
    """The weight of an embedding or output layer: [vocabulary, width]."""
    return cast("Tensor", layer.weight)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]

"""How a folder becomes a policy: its tokenizer, its weights in float32, and what makes them fit each other."""

import contextlib
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from core.errors import PlaygroundError
from core.language.folders import check_policy_folder, first_line, read_json
from core.language.templates import check_template

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_loading = threading.RLock()
_NUMBER = re.compile(r"\.\d+\.")  # a layer's, in the name of a weight


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


def open_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The folder's tokenizer, padding on the left, with a pad token that is nothing else.

    Where the model has no pad token, or pads with its end token, an unused special token takes the part; where it has
    none to spare (GPT-2), one is added: `open_policy` gives it a row in the embeddings. Its end token is the one that a
    chat policy ends its turns with.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # of a file that is not what it should be: no list of what it can raise is complete
        raise PlaygroundError(f"{folder}: its tokenizer cannot be opened ({first_line(error)})") from error
    check_reads(folder, tokenizer)
    tokenizer.padding_side = "left"
    if tokenizer.eos_token_id is None:
        raise PlaygroundError(f"{folder}: its tokenizer has no end token, so no response could end")
    if tokenizer.chat_template:
        check_template(folder, str(tokenizer.chat_template))
    if turn_end := _end_of_turn(folder, tokenizer):
        tokenizer.eos_token = turn_end
    if tokenizer.pad_token_id in (None, tokenizer.eos_token_id, tokenizer.bos_token_id):
        spare = _spare_special_token(tokenizer)
        tokenizer.add_special_tokens({"pad_token": spare or "<|pad|>"})
    return tokenizer


def _end_of_turn(folder: Path, tokenizer: "PreTrainedTokenizerBase") -> str | None:
    """The token that the chat template puts behind an answer, where generation stops at it (Gemma, Phi 3).

    Such a tokenizer's own end token ends documents, and the policy never writes it in an answer.
    """
    file = folder / "generation_config.json"
    if not tokenizer.chat_template or not file.exists():
        return None
    stops = read_json(file).get("eos_token_id")
    asked = [{"role": "user", "content": "A question."}, {"role": "assistant", "content": "An answer."}]
    try:
        behind = str(tokenizer.apply_chat_template(asked, tokenize=False)).partition("An answer.")[2]
    except Exception:  # a template is a program of the model's; whoever needs it says what is wrong with it
        return None
    first = tokenizer(behind, add_special_tokens=False)["input_ids"][:1] if behind else []
    stopped = isinstance(stops, list) and bool(first) and first[0] in stops
    return str(tokenizer.convert_ids_to_tokens(first[0])) if stopped else None


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


def open_config(folder: Path) -> "PreTrainedConfig":
    """The config of the model in `folder`, which `check_policy_folder` has found harmless.

    Raises PlaygroundError when transformers cannot open it.
    """
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # of another family, of sizes that are none: each has its own ways to fail
        raise PlaygroundError(f"{folder} cannot be opened as a language model ({first_line(error)})") from error


@quiet_loading()
def open_policy(folder: Path) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """The causal language model in `folder` in float32 and evaluation mode, and its tokenizer (`open_tokenizer`).

    float32 is said outright because the default follows the file, and a half-precision file would silently make a
    half-precision optimiser. Raises PlaygroundError as `check_policy_folder` and `check_stepwise` do, or when
    transformers cannot open it.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from core.language.stepwise import check_stepwise

    check_policy_folder(folder)
    config = open_config(folder)  # first: a tokenizer reads it too, and would be blamed for it
    tokenizer = open_tokenizer(folder)
    try:
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
        raise PlaygroundError(f"{folder} cannot be opened as a language model ({first_line(error)})") from error
    model, loading = opened
    check_weights(folder, model, loading)
    _untie(model)
    needed = rows_needed(folder, tokenizer, _table(model.get_input_embeddings()).shape[0])
    if needed > _table(model.get_input_embeddings()).shape[0]:
        _add_rows(model, needed)
    model.config.pad_token_id = tokenizer.pad_token_id
    if model.generation_config is not None:
        model.generation_config.pad_token_id = tokenizer.pad_token_id
    check_stepwise(model.eval(), tokenizer("A cat and a dog.")["input_ids"][:4] * 2, tokenizer.pad_token_id)
    return model, tokenizer


def check_weights(folder: Path, model: "PreTrainedModel", loading: Mapping[str, Any]) -> None:
    """Raises PlaygroundError where weights are missing or of another shape (transformers fills both with random
    numbers), left over, or no numbers.

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
    if name := next(_left_over(model, loading["unexpected_keys"]), None):
        raise PlaygroundError(
            f"{folder}: {name} is among its weights, and a {type(model).__name__} of this config.json has no place for "
            "it: one of the two is another model's"
        )
    for name, weight in model.named_parameters():
        if not weight.isfinite().all():
            raise PlaygroundError(f"{folder}: {name} holds values that are no numbers (NaN or infinite)")


def _left_over(model: "PreTrainedModel", names: Iterable[str]) -> Iterator[str]:
    """Of the weights that `model` took no notice of, those that a model like it computes with.

    They are those of one layer more, and a bias or a scale beside weights that it has. Others, such as a value head's,
    belong to something else.
    """
    prefix = f"{model.base_model_prefix}."
    own = {name.removeprefix(prefix) for name, _ in model.named_parameters(remove_duplicate=False)}
    layers, modules = {_NUMBER.sub(".", name) for name in own}, {name.rpartition(".")[0] for name in own}
    for name in sorted(names):
        bare = name.removeprefix(prefix)
        if _NUMBER.sub(".", bare) in layers or bare.rpartition(".")[0] in modules:
            yield name


def check_reads(folder: Path, tokenizer: "PreTrainedTokenizerBase") -> None:
    """Raises PlaygroundError where a tokenizer makes nothing of a text: its files are missing or empty."""
    if not tokenizer("A cat and a dog.")["input_ids"]:
        raise PlaygroundError(f"{folder}: its tokenizer makes no tokens of a text (are its files all there?)")


def rows_needed(folder: Path, tokenizer: "PreTrainedTokenizerBase", rows: int) -> int:
    """How many rows an embedding needs for every token's number, of which there may be gaps; it has `rows` of them.

    Raises PlaygroundError where they are too few for the tokens that were not added later: those may have none yet.
    """
    later = tokenizer.added_tokens_decoder
    own = 1 + max((number for number in tokenizer.get_vocab().values() if number not in later), default=-1)
    if own > rows:
        raise PlaygroundError(
            f"{folder}: its tokenizer numbers its tokens up to {own - 1} and its weights know {rows} of them, from 0: "
            "they are not of one model"
        )
    return max(own, 1 + max(later, default=-1))


def _untie(model: "PreTrainedModel") -> None:
    """Say of an output layer that was stored beside the embedding, with other numbers, that it is not tied to it.

    transformers keeps the two apart then, whatever config.json says, until rows are added: then it ties them again.
    """
    output = model.get_output_embeddings()
    if output is not None and _table(output) is not _table(model.get_input_embeddings()):
        for config in (model.config, model.config.get_text_config()):
            config.tie_word_embeddings = False


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
            for table in (getattr(layer, "weight", None), getattr(layer, "bias", None)):
                if table is not None:
                    table[old:] = table[:old].mean(0)


def _table(layer: Any) -> "Tensor":
    """The weight of an embedding or output layer: [vocabulary, width]."""
    return cast("Tensor", layer.weight)

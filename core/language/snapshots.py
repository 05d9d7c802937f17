"""The weights alone, as they were at some step of training: written by trainers, opened to look back."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import PlaygroundError
from core.language.opening import check_weights, quiet_loading
from core.language.registry import load_policy, load_tokenizer

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ADAPTERS = "adapter_model.safetensors"
EARLY = "after_1_percent"  # beside a pre-trained model's weights: those after the first hundredth of its steps


def save_snapshot(model: "nn.Module", folder: Path) -> None:
    """The model's weights; of one that is tuned through adapters, what is trained alone: a hundredth of the bytes."""
    model.save_pretrained(folder)  # type: ignore[operator]  # peft's writes the adapters, transformers' the weights
    adapters = folder / ADAPTERS
    if adapters.exists():
        _add(adapters, {saved_name(name): p for name, p in model.named_parameters() if p.requires_grad})


def saved_name(name: str) -> str:
    """What a parameter is called in the file: peft leaves the adapter's own name out."""
    return name.replace(".default.", ".").replace(".modules_to_save.", ".") if ".default." in name else name


def _add(file: Path, trained: "dict[str, Tensor]") -> None:
    """What is trained whole beside the adapters, such as new blocks: peft saves none of it that it did not wrap."""
    from safetensors.torch import load_file, save_file

    known = load_file(file)
    more = {name: p.detach().cpu().contiguous() for name, p in trained.items() if name not in known}
    if more:
        save_file(known | more, file, metadata={"format": "pt"})


@quiet_loading()
def open_snapshot(folder: Path, base: str) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """The model as it was, in float32 and evaluation mode, with the tokenizer of `base`, the policy it began as.

    Raises PlaygroundError when the folder is gone or not whole.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    try:
        if (folder / "adapter_config.json").exists():
            from peft import PeftModel

            model, tokenizer = load_policy(base)
            return PeftModel.from_pretrained(model, str(folder)).merge_and_unload().eval(), tokenizer
        opened: Any = AutoModelForCausalLM.from_pretrained(
            str(folder),
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise PlaygroundError(f"{folder}: these saved weights cannot be opened ({reason})") from error
    model, loading = opened
    check_weights(folder, model, loading)
    return model.eval(), load_tokenizer(base)

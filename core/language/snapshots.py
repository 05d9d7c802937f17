"""The weights alone, as they were at some step of training: written by trainers, opened to look back."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import PlaygroundError
from core.language.folders import check_weights, quiet_loading
from core.language.registry import load_policy, load_tokenizer

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

EARLY = "after_1_percent"  # beside a pre-trained model's weights: those after the first hundredth of its steps


def save_snapshot(model: "nn.Module", folder: Path) -> None:
    """The model's weights; of one that is tuned through adapters, the adapters alone: a hundredth of the bytes."""
    model.save_pretrained(folder)  # type: ignore[operator]  # peft's writes the adapters, transformers' the weights


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

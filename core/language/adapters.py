"""Low-rank adapters for models too large to train whole, and the part of a model that is being trained."""

import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from core.errors import PlaygroundError
from core.language.configs import LORA_FROM


def with_adapters(model: PreTrainedModel, rank: int, task: str, seed: int) -> nn.Module:
    """`model` itself when it is small or `rank` is 0; else with rank-`rank` adapters on query and value projections.

    `task` is "CAUSAL_LM" or "SEQ_CLS" (whose score head is trained whole). The adapters' first matrices are drawn from
    `seed` alone, whatever ran before in this process: a run that goes on begins with the same.

    Raises PlaygroundError for a family of models whose projections are not known by name.

    Source: Hu et al., "LoRA: Low-rank adaptation of large language models" (2022), section 4.2.
    """
    if rank == 0 or sum(p.numel() for p in model.parameters()) < LORA_FROM:
        return model
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(**adapter_settings(model, rank, task))
    with torch.random.fork_rng([model.device] if model.device.type == "cuda" else []):
        torch.manual_seed(seed)
        return get_peft_model(model, config)


def adapter_settings(model: PreTrainedModel, rank: int, task: str) -> dict[str, Any]:
    """The arguments of peft's LoraConfig for `model`, whose weights are not looked at; `task` and errors as above."""
    return {
        "task_type": task,
        "r": rank,
        "lora_alpha": 2 * rank,
        "lora_dropout": 0.0,
        "target_modules": _query_and_value(model, task),
        "fan_in_fan_out": any(isinstance(module, Conv1D) for module in model.modules()),
        "modules_to_save": ["score"] if task == "SEQ_CLS" else None,
    }


def _query_and_value(model: PreTrainedModel, task: str) -> list[str]:
    """What the two, or the one layer that holds both, are called in this family of models."""
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING

    names = {name.rsplit(".", 1)[-1] for name, _ in model.named_modules()}
    family = str(model.config.model_type)
    known = ["q_proj", "v_proj"], ["c_attn"], ["qkv_proj"], ["query_key_value"]  # Llama's; GPT-2; Phi-3; GPT-NeoX's
    for targets in (*known, TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING.get(family)):
        if targets and names.issuperset(targets):
            return list(targets)
    whole = " With a lora_rank of 0 the model is trained whole, which needs far more memory."
    raise PlaygroundError(
        f"Models of the family {family!r} cannot be tuned through adapters: where theirs would go is not known."
        + (whole if task == "SEQ_CLS" else "")  # a policy of this size is never tuned whole
    )


def bare(model: nn.Module) -> PreTrainedModel:
    """The transformers model inside a peft wrapper (its adapters stay active), or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model  # type: ignore[return-value, operator]


def save_merged(model: nn.Module, folder: Path) -> None:
    """`save_pretrained` of the plain model, adapters merged into its weights; the model in memory is left as it is."""
    if hasattr(model, "merge_and_unload"):
        model = copy.deepcopy(model).merge_and_unload()  # type: ignore[operator]
    model.save_pretrained(folder)  # type: ignore[operator]


def trainable_state(module: nn.Module) -> dict[str, Tensor]:
    """A copy of every parameter that is trained, by name."""
    return {name: p.detach().clone() for name, p in module.named_parameters() if p.requires_grad}


@torch.no_grad()
def load_trainable(module: nn.Module, state: dict[str, Tensor]) -> None:
    """Put `trainable_state` back. Raises KeyError when a parameter is missing."""
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            parameter.copy_(state[name])

"""What a model's config.json claims of its size, held against its weights before anything is built of it.

A layer is a Python object and a width is memory, whether or not there are weights for it: a config.json of one line can
keep a machine busy for hours.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import PlaygroundError

# What the families call them. Each layer has a tensor of its own, and each width is that of some tensor.
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "decoder_layers", "decoder_num_hidden_layers")
_WIDTHS = (
    *("hidden_size", "n_embd", "d_model", "hidden_dim", "embed_dim", "word_embed_proj_dim", "head_dim", "vocab_size"),
    *("intermediate_size", "n_inner", "ffn_dim", "decoder_ffn_dim", "ffn_hidden_size", "moe_intermediate_size"),
    *("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"),
)


def check_claims(folder: Path, config: dict[str, Any], shapes: Sequence[Sequence[int]]) -> None:
    """Raises PlaygroundError where config.json names more layers than tensors, or a width that no tensor has.

    `shapes`: of every tensor of the weights.
    """
    widest = max((width for shape in shapes if 0 not in shape for width in shape), default=0)
    claims = [(name, value) for part in parts(config) for name, value in part.items() if isinstance(value, int)]
    for name, value in claims:
        if name in _LAYERS and value > len(shapes):
            held = f"its weights are {len(shapes)} tensors"
        elif name in _WIDTHS and value > widest:
            held = f"no tensor of its weights is wider than {widest}"
        else:
            continue
        raise PlaygroundError(f"{folder}: config.json says {name} {str(value)[:20]}, and {held}: one of them is wrong")


def parts(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The config itself and those of the models in it, as what sees as well as writes has them."""
    return [config, *(value for value in config.values() if isinstance(value, dict))]

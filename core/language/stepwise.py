"""Whether a model says of a text's next token, asked as sampling asks it, what it says of the text at once.

Sampling asks token by token, from kept keys and values, in rows that are padded on the left; training asks at once. In
some families the answers differ: recurrent ones keep no keys and values (RWKV), encoders see what comes after (BERT,
XLNet), and others count padding as places of the text (BART's decoder). Their log-probabilities would be wrong.
"""

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel

from core.errors import PlaygroundError
from core.language.folders import first_line
from core.language.kv_cache import PreallocatedCache
from core.language.sampling import next_logits, positions

_APART = 1e-3  # relative to the largest logit, in float32
_PADDING = 3


@torch.no_grad()
def check_stepwise(model: PreTrainedModel, ids: Sequence[int], pad_id: int) -> None:
    """Raises PlaygroundError for a model that says otherwise. `ids`: a text's tokens, two at least."""
    name = model.config.name_or_path or "this policy"
    row = torch.tensor([[pad_id] * _PADDING + list(ids)], device=model.device)
    mask = (torch.arange(row.shape[1], device=model.device) >= _PADDING).long()[None]
    place, before = positions(mask), row.shape[1] - 1
    try:
        cache = PreallocatedCache(model.config, row.shape[1])
        whole = model(input_ids=row[:, _PADDING:], use_cache=False).logits[0, -2:].float()
        first = next_logits(model, row[:, :before], mask[:, :before], place[:, :before], cache)
        last = next_logits(model, row[:, before:], mask, place[:, before:], cache)
    except PlaygroundError:
        raise
    except Exception as error:  # what a family does not take, it refuses in a way of its own
        raise PlaygroundError(
            f"{name}: {_family(model)} cannot be asked for one token after another ({first_line(error)})"
        ) from error
    if not whole.isfinite().all():
        return  # weights that burst: whoever computes with them says so
    stepwise = torch.cat([first, last]).float()
    if stepwise.shape != whole.shape or not (stepwise - whole).abs().max() <= _APART * whole.abs().max():
        raise PlaygroundError(
            f"{name}: {_family(model)} says otherwise of a next token when it is asked token by token behind padding "
            "than when it reads the text at once, so it can be neither sampled nor tuned here"
        )


def _family(model: PreTrainedModel) -> str:
    return f"a model of the {model.config.model_type} family"

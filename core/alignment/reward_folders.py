"""The folder of a reward model: plain transformers opens it and scores identically."""

import copy
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerBase

from core.alignment.reward_model import Normalisation, RewardModel, longest_read
from core.errors import PlaygroundError
from core.files import whole_folder
from core.hosting import permission
from core.language.adapters import bare, save_merged
from core.language.folders import check_harmless, read_json
from core.language.opening import check_reads, check_weights, quiet_loading, rows_needed
from core.language.precision import suit_processor

NORMALISATION_FILE = "normalisation.json"


def save_reward_model(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, normalisation: Normalisation, folder: Path
) -> None:
    """A folder that plain transformers opens and that scores identically; float32; whole or not there at all.

    Adapters are merged into the weights. The normalisation lies beside them in `normalisation.json`. The tokenizer says
    what is read of a text that is too long: its end, as here.
    """
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.padding_side = "right"
    tokenizer.truncation_side = tokenizer.init_kwargs["truncation_side"] = "left"  # an attribute alone is not saved
    tokenizer.model_max_length = min(tokenizer.model_max_length, longest_read(bare(model)))
    with whole_folder(folder) as temporary:
        save_merged(model, temporary)
        tokenizer.save_pretrained(temporary)
        (temporary / NORMALISATION_FILE).write_text(json.dumps(asdict(normalisation), indent=2) + "\n")


@quiet_loading()
def load_reward_model(folder: str | Path) -> RewardModel:
    """A reward model from its folder, in float32. Raises PlaygroundError where the folder holds none."""
    permission.check_folder(folder)
    folder = Path(folder)
    if not (folder / "config.json").exists():
        raise PlaygroundError(f"{folder}: no reward model here (config.json is missing)")
    config = read_json(folder / "config.json")
    check_harmless(folder, config)
    labels = config.get("id2label", {"0": ""})
    count = len(labels) if isinstance(labels, dict) else config.get("num_labels")
    if count != 1 and config.get("num_labels") != 1:
        raise PlaygroundError(f"{folder}: a reward model has exactly one label, this one has {str(count)[:20]}")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        opened: Any = AutoModelForSequenceClassification.from_pretrained(
            folder,
            num_labels=1,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # `check_weights` names them
            output_loading_info=True,
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # pickles alone, missing tensors, sizes of 0: each model has its own ways to fail
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise PlaygroundError(f"{folder}: cannot be opened as a reward model ({reason})") from error
    model, loading = opened
    if "score.weight" in loading["missing_keys"]:
        raise PlaygroundError(f"{folder} is no reward model: it has no score head (score.weight), as a policy has none")
    check_weights(folder, model, loading)
    if model.config.pad_token_id is None:
        raise PlaygroundError(f"{folder}: config.json names no pad token, so that batches cannot be scored")
    check_reads(folder, tokenizer)
    rows = model.get_input_embeddings().weight.shape[0]
    if not 0 <= model.config.pad_token_id < rows:
        raise PlaygroundError(f"{folder}: config.json's pad token is number {model.config.pad_token_id} of {rows:,}")
    if (needed := rows_needed(folder, tokenizer, rows)) > rows:
        raise PlaygroundError(f"{folder}: its tokenizer knows {needed:,} tokens, its weights {rows:,}")
    tokenizer.pad_token_id = model.config.pad_token_id  # the one that its classifier looks for the last token by
    normalisation = _read_normalisation(folder / NORMALISATION_FILE)
    suit_processor(model.to(device))
    return RewardModel(model.eval(), tokenizer, normalisation)


def _read_normalisation(file: Path) -> Normalisation:
    if not file.exists():
        return Normalisation()
    given = read_json(file)
    try:
        found = Normalisation(**given)
    except TypeError:
        raise PlaygroundError(f"{file} does not hold what a reward model's normalisation is made of") from None
    numbers = all(type(value) in (int, float) and math.isfinite(value) for value in (found.mean, found.sd))
    if not numbers or found.sd <= 0 or not isinstance(found.base_model, str):
        raise PlaygroundError(f"{file}: mean must be a number, sd one above 0, base_model a name")
    return found

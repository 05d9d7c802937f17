"""A whole pre-training: text, hold-out, tokenizer, training, and the held-out figure."""

import copy
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from core.errors import PlaygroundError
from core.files import whole_folder
from core.language.configs import PretrainConfig
from core.language.corpus import is_heldout, read_texts, train_tokenizer
from core.language.evaluation import bits_per_byte
from core.language.model_card import model_card
from core.language.pretraining import new_model, pretrain, tokenise
from core.language.snapshots import EARLY
from core.record import Record


def run_pretraining(
    config: PretrainConfig, data: str, folder: Path, state: dict[str, Any] | None = None
) -> Iterator[Record]:
    """Pre-train on `data` and leave `folder`/model, a Hugging Face folder in float16 with its recipe and early weights.

    One story in twenty is held out by a hash of its words; the last record's `result` has the bits per byte on them.
    Raises PlaygroundError when `data` is missing, unreadable or too small.
    """
    try:
        texts = list(dict.fromkeys(read_texts(data)))
    except (FileNotFoundError, ValueError) as error:
        raise PlaygroundError(str(error)) from None
    train = [text for text in texts if not is_heldout(text)]
    heldout = [text for text in texts if is_heldout(text)]
    if not train:
        raise PlaygroundError(f"{data}: no text to train on")
    tokenizer_folder = folder / "tokenizer"
    if not tokenizer_folder.exists():
        with whole_folder(tokenizer_folder) as temporary:
            train_tokenizer(train, config.vocab_size, config.context).save_pretrained(temporary)
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    config = config.model_copy(update={"vocab_size": len(tokenizer)})  # little text makes fewer tokens than asked for
    stream, starts = tokenise(tokenizer, train)
    model = new_model(config)
    if torch.cuda.is_available():
        model.to(torch.device("cuda"))  # type: ignore[arg-type]
    began = time.monotonic()
    early_step = max(1, config.steps // 100)
    try:
        for record in pretrain(model, stream, starts, config, state):
            if record.step == early_step:
                with whole_folder(folder / EARLY) as temporary:
                    copy.deepcopy(model).half().save_pretrained(temporary)
            yield record
    except ValueError as error:
        raise PlaygroundError(f"{data}: {error}") from None
    measured = bits_per_byte(model, tokenizer, heldout) if heldout else None
    recipe = {
        "config": json.loads(config.model_dump_json(include=set(PretrainConfig.model_fields))),
        "stories_train": len(train),
        "stories_heldout": len(heldout),
        "tokens_in_data": len(stream),
        "bits_per_byte_heldout": measured,
    }
    with whole_folder(folder / "model") as temporary:
        model.half().save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        shutil.copytree(folder / EARLY, temporary / EARLY)
        (temporary / "recipe.json").write_text(json.dumps(recipe, indent=2) + "\n")
        card = model_card(model.float(), tokenizer, recipe, f"Pre-trained on {Path(data).name}", data, "other")
        (temporary / "README.md").write_text(card, encoding="utf-8")
    yield Record(
        1,
        {"heldout/bits_per_byte": measured} if measured is not None else {},
        "evaluation",
        total=1,
        result=recipe | {"model": str(folder / "model"), "seconds": time.monotonic() - began},
    )

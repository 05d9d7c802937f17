"""Text to pre-train on: where it comes from, what is held out, and the tokenizer made from it."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from core.hosting import permission

END_TOKEN = "<|endoftext|>"
PAD_TOKEN = "<|pad|>"


def is_heldout(text: str) -> bool:
    """Whether a story belongs to the 5 % never trained on: a hash of its words decides, so every copy of it agrees."""
    words = " ".join(text.lower().split())
    return int(hashlib.sha256(words.encode()).hexdigest()[:8], 16) % 20 == 0


def read_texts(source: str) -> Iterator[str]:
    """Documents of a `.jsonl` file (field `text`), a `.txt` file (documents parted by `<|endoftext|>`, else by empty
    lines), a `.parquet` file (column `text`), a folder of those, or the id of a data set on the hub.

    Raises FileNotFoundError when nothing is there, ValueError with the file, and the line where there are lines, when
    it or a row cannot be read.
    """
    permission.check_file(source)
    path = Path(source)
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix in {".jsonl", ".txt", ".parquet"})
        if not files:
            raise FileNotFoundError(f"{source}: no .jsonl, .txt or .parquet file in this folder")
        for file in files:
            yield from _read_file(file)
    elif path.exists():
        yield from _read_file(path)
    elif path.suffix or source.startswith((".", "/", "~")) or source.count("/") != 1:
        raise FileNotFoundError(f"{source}: no such file or folder")
    else:
        yield from _read_hub(source)


def _read_file(path: Path) -> Iterator[str]:
    try:
        yield from _read_parquet(path) if path.suffix == ".parquet" else _read_text(path)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no UTF-8 text: {error.reason} at byte {error.start}") from error


def _read_parquet(path: Path) -> Iterator[str]:
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        file = parquet.ParquetFile(path)
        if "text" not in file.schema_arrow.names:
            raise ValueError(f"{path}: there is no column text in it")
        for batch in file.iter_batches(columns=["text"]):
            yield from (text for text in batch.column(0).to_pylist() if isinstance(text, str) and text.strip())
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path} is no parquet file that can be read: {error}") from error


def _read_text(path: Path) -> Iterator[str]:
    if path.suffix == ".jsonl":
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    text = json.loads(line)["text"]
                except (ValueError, KeyError, TypeError):
                    raise ValueError(
                        f'{path}, line {number}: expected a JSON object with a string field "text"'
                    ) from None
                if isinstance(text, str) and text.strip():
                    yield text.strip()
        return
    content = path.read_text(encoding="utf-8")
    parts = content.split(END_TOKEN) if END_TOKEN in content else content.split("\n\n")
    yield from (part.strip() for part in parts if part.strip())


def _read_hub(dataset_id: str) -> Iterator[str]:
    from datasets import load_dataset

    try:
        rows = load_dataset(dataset_id, split="train", streaming=True)
    except Exception as error:  # the hub's client raises many kinds; the reader needs one sentence
        raise FileNotFoundError(f"{dataset_id}: not a local file, and the hub did not give it ({error})") from error
    yield from (row["text"].strip() for row in rows if row["text"].strip())


def train_tokenizer(texts: Iterable[str], vocab_size: int, context: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE of `vocab_size` tokens: end token 0 (also what every document starts from), pad token 1."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[END_TOKEN, PAD_TOKEN], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END_TOKEN,
        eos_token=END_TOKEN,
        pad_token=PAD_TOKEN,
        padding_side="left",
        model_max_length=context,
    )

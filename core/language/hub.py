"""Models from the Hugging Face hub: what is in the local cache, and how the rest is fetched. Torch-free."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import PlaygroundError
from core.language.folders import weight_files

Progress = Callable[[float, str], None]
"""Called with the share done, 0 to 1, and what is being done."""

ROOT_FILES_ONLY = ["*/*"]  # folders of a model's repository hold other formats (onnx, coreml, original)
WANTED = ["*.json", "*.safetensors", "*.jinja", "*.model", "merges.txt", "vocab.txt"]
SECONDS_TO_ANSWER = 8.0


def is_hub_id(text: str) -> bool:
    """Whether `text` could be the id of a model on the hub: `name` or `owner/name`."""
    part = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
    return re.fullmatch(rf"{part}(/{part})?", text) is not None and ".." not in text and "--" not in text


def is_offline() -> bool:
    """Whether the environment forbids the network (`HF_HUB_OFFLINE`)."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def cached_folder(hub_id: str) -> Path | None:
    """The newest complete snapshot of `hub_id` in the local cache, or None. Reads the disk alone."""
    from huggingface_hub import constants  # light, unlike the package's functions

    repository = Path(constants.HF_HUB_CACHE) / ("models--" + hub_id.replace("/", "--"))
    named = repository / "refs" / "main"
    if not named.exists():
        return None
    snapshot = repository / "snapshots" / named.read_text().strip()
    return snapshot if (snapshot / "config.json").exists() and _is_complete(snapshot) else None


def _is_complete(snapshot: Path) -> bool:
    """Whether every shard the index names is there, and a tokenizer: a broken download leaves some out."""
    index = snapshot / "model.safetensors.index.json"
    tokenizer = any((snapshot / name).exists() for name in ("tokenizer.json", "tokenizer.model", "vocab.json"))
    if index.exists():
        shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        return tokenizer and all((snapshot / name).exists() for name in shards)
    return tokenizer and bool(weight_files(snapshot))


def fetch(hub_id: str, on_progress: Progress | None = None) -> Path:
    """The folder of `hub_id`, from the cache when it is complete there, else downloaded.

    Raises PlaygroundError within seconds, naming what to do, when there is no network, no such model, or no safetensors
    in it.
    """
    if folder := cached_folder(hub_id):
        return folder
    if is_offline():
        raise PlaygroundError(
            f"{hub_id} is not on this machine and HF_HUB_OFFLINE forbids the network: unset it, or give a folder"
        )
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    try:
        # One plain question first: it fails at once without a network, where a download would try again and again.
        names = [file.rfilename for file in HfApi().model_info(hub_id, timeout=SECONDS_TO_ANSWER).siblings or []]
        if not any(name.endswith(".safetensors") and "/" not in name for name in names):
            raise PlaygroundError(
                f"{hub_id} has no safetensors weights, and pickled ones are never opened: choose another model"
            )
        return Path(
            snapshot_download(
                hub_id,
                allow_patterns=WANTED,
                ignore_patterns=ROOT_FILES_ONLY,
                tqdm_class=_reporter(hub_id, on_progress),
            )
        )
    except GatedRepoError:
        raise PlaygroundError(
            f"{hub_id} is gated: accept its licence on huggingface.co and run `hf auth login`"
        ) from None
    except RepositoryNotFoundError:
        raise PlaygroundError(
            f"{hub_id} is neither a folder here nor a public model on huggingface.co: check the spelling"
        ) from None
    except HfHubHTTPError as error:
        raise PlaygroundError(f"{hub_id}: huggingface.co refused it ({str(error).splitlines()[0]})") from error
    except PlaygroundError:
        raise
    except Exception as error:  # the hub's client lets its transport's own exceptions through, a dozen kinds
        raise PlaygroundError(
            f"{hub_id} is not on this machine and huggingface.co could not be reached ({type(error).__name__}): "
            "connect to the network and try again, or give a local folder"
        ) from error


def _reporter(hub_id: str, on_progress: Progress | None) -> Any:
    """A tqdm class that hands bytes received to `on_progress` and prints nothing; None, for the client's own."""
    if on_progress is None:
        return None
    from tqdm import tqdm

    report = on_progress

    class Reporter(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.counts_bytes = kwargs.get("unit") == "B"
            kwargs.pop("name", None)
            super().__init__(*args, **(kwargs | {"file": open(os.devnull, "w"), "mininterval": 0.0}))  # noqa: SIM115

        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            if self.counts_bytes and self.total:
                report(min(1.0, self.n / self.total), f"downloading {hub_id}")
            return shown

    return Reporter

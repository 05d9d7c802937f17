"""Letting policies write for a page: loaded once a server, one writing at a time, never before a page asks."""

import threading
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from core.language.configs import SamplingConfig

pen = threading.Lock()


@st.cache_resource(max_entries=3, show_spinner=False)
def _loaded(policy_id: str, written: float) -> tuple[Any, Any]:
    """The model and its tokenizer. `written` makes a policy that was trained anew load anew."""
    from core.language.registry import load_policy

    return load_policy(policy_id)


def write(policy_id: str, prompt: str, settings: "SamplingConfig") -> str:
    """One response of `policy_id` to `prompt`. Raises PlaygroundError when the policy cannot be loaded."""
    from core.language.registry import apply_chat_template, is_chat, policy_folder
    from core.language.sampling import sample

    folder = policy_folder(policy_id)
    model, tokenizer = _loaded(policy_id, folder.stat().st_mtime if folder else 0.0)
    asked = apply_chat_template(tokenizer, prompt) if is_chat(tokenizer) else prompt
    with pen:  # two models sampling at once on two cores are both slower than one after the other
        return sample(model, tokenizer, [asked], settings).responses[0]

"""Models: which policies are here, which can be had, and how to bring one's own."""

import html

import streamlit as st

from core.errors import PlaygroundError
from core.hosting.mode import is_hosted
from core.language.registry import PolicyInfo, add_policy, list_policies
from pages._parts.header import page_header
from pages._parts.questions import closing
from pages._parts.text import plain

STATUS = {"ready": ("✓", "ready"), "obtainable": ("↓", "can be fetched"), "unavailable": ("–", "not available here")}


def card(info: PolicyInfo) -> None:
    """One policy: what it is, how large, under which licence, and a button when it can be fetched."""
    mark, status = STATUS[info.status]
    facts = [
        f"{info.parameters / 1e6:,.1f}M parameters" if info.parameters else "size not known yet",
        f"{info.size_mb:,.0f} MB" if info.size_mb else "",
        f"licence {info.licence}",
        f"reads {info.context:,} tokens at once" if info.context else "",
        "answers a chat" if info.chat else "continues a text",
    ]
    title, source = (words[:1].upper() + words[1:] for words in (info.title, info.source))
    with st.container(border=True, key=f"model-{info.id}", height="stretch"):
        st.html(
            f'<article class="model {info.status}"><header><b>{html.escape(title)}</b><span>{mark} {status}</span>'
            f'</header><p class="id">{html.escape(info.id)}</p><p>{html.escape(source)}.</p>'
            f'<p class="facts">{html.escape(" · ".join(fact for fact in facts if fact))}</p>'
            f'<p class="facts">{html.escape(info.note)}</p></article>'
        )
        if info.status == "obtainable" and st.button("Fetch it", key=f"fetch-{info.id}", icon=":material/download:"):
            fetch(info.id)


def fetch(id_or_folder: str) -> None:
    """Bring a policy here, showing how far it is; say what went wrong in the registry's own words."""
    bar = st.progress(0.0, text="Asking for it")
    try:
        info = add_policy(
            id_or_folder.strip(), on_progress=lambda share, words: bar.progress(min(max(share, 0.0), 1.0), text=words)
        )
    except PlaygroundError as error:
        bar.empty()
        st.error("It could not be added.", icon=":material/error:")
        plain(str(error), "said")
        return
    st.session_state["added"] = info.title
    st.rerun()


policies = list_policies()
ready = sum(info.status == "ready" for info in policies)
page_header(
    "models",
    "Models",
    f"{ready} {'policy is' if ready == 1 else 'policies are'} ready to write, on this machine. Weights are read from "
    "safetensors only, "
    "and no code that comes with a model is ever run.",
)
if added := st.session_state.pop("added", None):
    st.success("It is here now:", icon=":material/check:")
    plain(added, "said")
for first in range(0, len(policies), 2):
    for column, info in zip(st.columns(2, gap="medium"), policies[first : first + 2], strict=False):
        with column:
            card(info)


def bring_your_own() -> None:
    """A field for a folder or a hub id."""
    st.subheader("Bring your own", anchor=False)
    with st.form("add", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input(
            "A folder on this machine, or a model's id on huggingface.co",
            placeholder="HuggingFaceTB/SmolLM2-360M",
            max_chars=500,
        )
        asked = st.form_submit_button("Add it", icon=":material/add:")
    st.caption(
        "Any causal language model in a Hugging Face folder with safetensors weights and a fast tokenizer. A model of "
        "the hub is downloaded once; stay on this "
        "page meanwhile. Above 50M parameters training uses LoRA adapters, which needs far less memory."
    )
    if asked and wanted.strip():
        fetch(wanted)


if is_hosted():
    st.caption("Whoever runs this server decides which models there are; what your own runs make comes on top.")
else:
    bring_your_own()
closing(
    [
        (
            "What is a policy here?",
            "A causal language model: a distribution over the next token given those before it. Sampled token by "
            "token it writes "
            "responses, which is why reinforcement learning calls it a policy: it chooses actions.",
        ),
        (
            "Why can the storyteller be trained while I watch, and GPT-2 not?",
            "Work a token grows with the parameters: 124M against 6M is twenty times "
            "as much. The larger ones train with LoRA, in minutes and not seconds.",
        ),
        (
            "Why safetensors only?",
            "A pickle can run any program when it is opened. A safetensors file can only hold numbers.",
        ),
    ],
    "label",
    "see what the policy writes, and vote on it",
)

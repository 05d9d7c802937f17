"""Which pages there are. A new page is one line here and one file in `pages/`."""

import streamlit as st

_PAGES = {
    # name: (section, title, icon)
    "overview": ("", "Overview", "all_inclusive"),
    "why_transformers": ("The machine", "Why transformers", "route"),
    "embeddings": ("The machine", "Embeddings", "scatter_plot"),
    "attention": ("The machine", "Attention", "visibility"),
    "transformer_block": ("The machine", "The block", "layers"),
    "label": ("The loop", "Label", "how_to_vote"),
    "loss_surface": ("The loop", "Loss surface", "landscape"),
    "reward_model": ("The loop", "Reward model", "balance"),
    "ppo": ("The loop", "PPO", "trending_up"),
    "token_microscope": ("The loop", "Token microscope", "biotech"),
    "before_after": ("The loop", "Before and after", "compare"),
    "goodhart": ("The laboratory", "Goodhart", "call_split"),
    "frontier": ("The laboratory", "Frontier", "ssid_chart"),
    "clinic": ("The laboratory", "Clinic", "healing"),
    "runs": ("Yours", "Runs", "timeline"),
    "models": ("Yours", "Models", "deployed_code"),
    "data": ("Yours", "Data", "table_rows"),
    "tour": ("Guide", "The tour", "tour"),
    "glossary": ("Guide", "Glossary", "dictionary"),
    "keyboard": ("Guide", "Keyboard", "keyboard"),
    "architecture": ("Guide", "How it is built", "account_tree"),
}


def page(name: str) -> st.Page:
    """The page called `name`, to link or switch to: `st.page_link(site.page("label"))`."""
    _, title, icon = _PAGES[name]
    return st.Page(f"{name}.py", title=title, icon=f":material/{icon}:", url_path=name, default=name == "overview")


def title(name: str) -> str:
    """What the page called `name` is titled."""
    return _PAGES[name][1]


def sections() -> dict[str, list[st.Page]]:
    """What `st.navigation` takes: section to pages."""
    grouped: dict[str, list[st.Page]] = {}
    for name, (section, _, _) in _PAGES.items():
        grouped.setdefault(section, []).append(page(name))
    return grouped

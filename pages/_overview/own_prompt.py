"""A prompt of the reader's own, continued by the policy before and after its tuning, from the same seed."""

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import PlaygroundError
from core.feedback.annotators import get_annotator
from core.language.configs import SamplingConfig
from pages._parts.badge import badge
from pages._parts.before_after import written
from pages._parts.state import short_model
from pages._parts.text import escaped
from pages._parts.typed import typed
from pages._parts.voters import voter_title
from pages._parts.writing import write

if TYPE_CHECKING:
    from core.runs.store import Run, RunStore

_LONGEST = 500  # characters
_FIRST = "Once upon a time, a little fox found a box"


def tuned_runs(store: "RunStore") -> "list[Run]":
    """Runs that left a tuned policy, newest first."""
    return [
        run for run in store.list() if run.kind in ("ppo", "loop") and (run.folder / "policy" / "config.json").exists()
    ]


def own_prompt(store: "RunStore") -> None:
    """The prompt box, and below it base beside tuned as soon as there is something to continue."""
    tuned = {run.id: run for run in tuned_runs(store)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        prompt = typed(
            st, "text_input", "A beginning", key="prompt", bind="query-params", longest=_LONGEST, placeholder=_FIRST
        )
        st.button(
            "Write on", icon=":material/edit:"
        )  # a click elsewhere commits the text: this gives it somewhere to click
        with st.popover("More", icon=":material/tune:"):
            seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="write_seed", bind="query-params")
            temperature = st.slider("Temperature", 0.1, 2.0, 0.8, 0.1, key="temperature", bind="query-params")
            length = st.slider("Longest response, tokens", 8, 128, 48, 8, key="tokens", bind="query-params")
            chosen = st.selectbox(
                "Tuned policy",
                list(tuned),
                key="tuned",
                bind="query-params",
                disabled=not tuned,
                placeholder="none yet",
            )
    if not prompt:
        return
    run = tuned.get(chosen)
    base = str(run.config.get("model") or "storyteller") if run else "storyteller"
    settings = SamplingConfig(seed=seed, temperature=temperature, max_new_tokens=length)
    try:
        _both(prompt, base, run, settings)
    except PlaygroundError as error:
        st.error(escaped(str(error)))


def _both(prompt: str, base: str, run: "Run | None", settings: SamplingConfig) -> None:
    voter = str(run.config.get("annotator") or run.config.get("gold") or "") if run else ""

    def show(concept: str, title: str, model: str) -> None:
        text = write(model, prompt, settings)
        taste = (voter_title(voter), get_annotator(voter).utility(prompt, text)) if voter else ()
        written(concept, title, prompt, text, *taste)

    before, after = st.columns(2, gap="medium", wrap=False)
    with before, st.spinner("The first writing loads the model: a few seconds."):
        show("reference", f"○ {short_model(base)}", base)
    with after:
        if run is None:
            st.info(
                "No tuned policy yet. Run the loop above: its policy will write here, from the same seed.",
                icon=":material/play_arrow:",
            )
        else:
            with st.spinner("Writing"):
                show("policy", f"● tuned by {run.id}", str(run.folder / "policy"))
    badge(
        "live",
        model=short_model(base),
        seed=settings.seed,
        run=run.id if run else "",
        note=f"temperature {settings.temperature}",
    )

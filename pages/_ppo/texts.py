"""What the policy writes: the same prompts as it changes, and the fresh responses of the newest update."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.runs.store import RunStore
from pages._parts.text import escaped, plain, said
from pages._ppo.subject import Subject, watched_of

_FRESH = 4


def texts(subject: Subject) -> None:
    """The watched prompts first; then what the newest update was trained on."""
    rows, cached = watched_of(subject)
    if rows:
        _watched(subject, rows, cached)
    _fresh(subject)


def _watched(subject: Subject, rows: Sequence[dict[str, Any]], cached: bool) -> None:
    st.markdown("**The same prompts, as the policy changes** · the random numbers are the same too")
    st.caption(
        "Never trained on. Wherever two answers differ, the policy has changed its mind; update 0 is the reference."
        + (" **Another run than the curves show**: the first of those behind the grey ranges." if cached else "")
    )
    updates = sorted({row["update"] for row in rows})
    picked = updates[-1]
    if len(updates) > 1 and not subject.moving:
        wanted = st.query_params.get("watched", "")
        start = int(wanted) if wanted.isdecimal() and int(wanted) in updates else updates[-1]
        picked = st.select_slider("After update", updates, start, key=f"watched_{subject.name}_{len(updates)}")
        st.query_params["watched"] = str(picked)
    else:
        st.caption(f"After update {picked}, the newest reading.")
    now = [row for row in rows if row["update"] == picked]
    _cards(now)
    prompts = {row["prompt"]: None for row in now}
    with st.expander("Every answer to one prompt, one below the other"):
        prompt = st.selectbox("Prompt", list(prompts), key=f"watched_prompt_{subject.name}")
        for row in rows:
            if row["prompt"] == prompt:
                st.caption(f"after update {row['update']} · {escaped(_figures(row))}")
                said("", str(row["response"]))


def _fresh(subject: Subject) -> None:
    if subject.run:
        newest = max(subject.numbers, default=0)  # the newest update: a loop's last step measures, and shows other rows
        rows = RunStore().samples(subject.run.id, subject.numbers[newest]) if newest else []
        found = [one for one in rows if "kind" not in one]
        words = f"**Fresh responses** of update {newest}"
    else:
        examples = subject.entry["examples"] if subject.entry else []
        found = [{"prompt": one["prompt"], "response": one["tuned_response"]} for one in examples]
        words = "**What the tuned policy writes** · the first unseen prompts, unpicked"
    if found:
        st.markdown(words)
        _cards(found[:_FRESH])


def _cards(rows: Sequence[dict[str, Any]]) -> None:
    columns = st.columns(2)
    for place, row in enumerate(rows):
        with columns[place % 2].container(border=True):
            said(str(row["prompt"]), str(row["response"]))
            plain(_figures(row))


def _figures(row: dict[str, Any]) -> str:
    words = [f"score {row['score']:+.2f}"] if "score" in row else []
    words += [f"KL {row['kl']:.1f} nats"] if "kl" in row else []
    words += [f"gold {row['gold']:+.2f}"] if "gold" in row else []
    return " · ".join(words)

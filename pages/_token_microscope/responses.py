"""Every response of the update as a line of tinted tokens; one of them is under the microscope."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from core.alignment.ppo_reading.microscope import coloured_by, full_tint
from core.alignment.ppo_reading.slides import Slide

_HERE = Path(__file__).parent
_PROMPT_END = 28  # characters of the prompt that fit before the response
_component = st.components.v2.component(
    "rlhf_playground.microscope_responses",
    html='<div class="head" aria-hidden="true"><span>#</span><span>score</span><span>KL</span><span>max |Â|</span>'
    '<span>the end of the prompt, and the response</span></div><div class="responses" role="listbox"></div>',
    css=(_HERE / "responses.css").read_text(encoding="utf-8"),
    js=(_HERE / "responses.js").read_text(encoding="utf-8"),
)
_ORDERS: dict[str, Callable[[dict[str, Any]], float]] = {
    "as sampled": lambda row: row["number"],
    "score": lambda row: -row["score"],
    "KL": lambda row: -row["kl"],
    "|advantage|": lambda row: -row["most"],
}


def responses(
    slide: Slide, selected: int, what: str, on_pick: Callable[[int], None], key: str = "microscope_responses"
) -> None:
    """Draw the list, sorted as the reader asks. `on_pick` is called with a response's number in the rollout."""
    order = st.segmented_control(
        "Sort by", list(_ORDERS), default="as sampled", required=True, key="sort", bind="query-params"
    )
    colours = coloured_by(slide, what).astype(float)
    tensors = slide.tensors
    rows = [
        {
            "number": number,
            "prompt": _ending(slide.prompts[row]),
            "tokens": [
                [slide.texts[int(tensors["response_ids"][row, place])], float(f"{colours[row, place]:.4g}")]
                for place in range(slide.length(row))
            ],
            "score": float(tensors["scores"][row]),
            "kl": float(tensors["exact_kl"][row].sum()),
            "most": float(abs(tensors["advantages"][row] * tensors["mask"][row]).max()),
        }
        for row, number in enumerate(slide.numbers)
    ]
    data = {
        "rows": sorted(rows, key=_ORDERS[order]),
        "selected": selected,
        "full": full_tint(slide, what),
        "alt": f"{len(rows)} responses of update {slide.update}, sorted by {order}",
    }

    def picked() -> None:
        found = st.session_state[key]["picked"]
        if found is not None:
            on_pick(int(found["number"]))

    _component(data=data, key=key, on_picked_change=picked, height="content")
    st.caption(
        "Score in standard deviations of the reference's own texts; KL of the response to the reference, in nats; "
        "max |Â|: the largest advantage in it, in either direction. Colours as above."
    )


def _ending(prompt: str) -> str:
    return prompt if len(prompt) <= _PROMPT_END else "…" + prompt[-_PROMPT_END:].replace("\n", "⏎")

"""One compared pair as a reward model's step met it: which was chosen, what each scored, and what that cost."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.figures.palette import CONCEPTS
from core.record import LEARNT
from pages._parts.before_after import written

NAMES = {"chosen": "Chosen", "rejected": "Rejected"}


def _in_brackets(number: float) -> str:
    """To be subtracted."""
    return f"({number:.2f})" if number < 0 else f"{number:.2f}"


def learnt_pair(samples: Sequence[Mapping[str, Any]]) -> bool:
    """Two cards with their scores, under a line with their difference and the loss: the newest of a step's samples that
    is such a pair. Whether there was one."""
    met = [one for one in samples if one.get("kind") == LEARNT]
    if not met:
        return False
    sample = met[-1]
    chosen, rejected = sample["score_chosen"], sample["score_rejected"]
    st.markdown(
        f"**A pair of this step** · Δ = {chosen:.2f} − {_in_brackets(rejected)} ≈ {chosen - rejected:.2f}, and "
        f"−log σ(Δ) ≈ {sample['loss']:.2f}".replace("-", "−")
    )
    for column, (side, name) in zip(st.columns(2, gap="medium", wrap=False), NAMES.items(), strict=True):
        with column:
            title = f"{CONCEPTS[side].mark} {name} · score {sample[f'score_{side}']:+.2f}"
            written(side, title, sample["prompt"], sample[side])
    return True

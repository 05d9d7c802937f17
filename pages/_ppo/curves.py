"""PPO's living curves, each with what it is, what is healthy, and what this run's numbers say."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.alignment.reading_curves import CURVES, Curve, Verdict
from core.figures.curves import curve
from core.figures.layered import Series, layered
from pages._parts import theme
from pages._parts.series import Row, one_line, several_lines, values_of
from pages._parts.text import plain, said

_HEIGHT = 190  # pixels, with axis titles
_KL_LINES = {"at every token, exact": "objective/kl_exact", "from the samples (k1)": "objective/kl"}
_KL_SERIES = (Series("at every token, exact", "kl"), Series("from the samples (k1)", "reference", width=1))
_VERDICTS: dict[Verdict, str] = {
    "early": ":gray-badge[… too early]",
    "healthy": ":green-badge[✓ healthy]",
    "watch": ":orange-badge[! look closer]",
    "trouble": ":red-badge[✗ trouble]",
}


def ppo_curves(rows: Sequence[Row]) -> None:
    """Two columns of curves, a reading under each. Curves that were not recorded are left out."""
    shown = [one for one in CURVES if values_of(rows, one.key)]
    for first in range(0, len(shown), 2):
        for column, one in zip(st.columns(2, gap="medium"), shown[first : first + 2], strict=False):
            with column:
                _curve(one, rows)


def _curve(one: Curve, rows: Sequence[Row]) -> None:
    dark = theme.dark()
    reading = one.reading(values_of(rows, one.key))
    alt = f"{one.title} against the update. {reading.sentence}"
    st.markdown(f"**{one.title}** · {one.unit}")
    if one.key == "objective/kl_exact":
        lines = layered(_KL_SERIES, dark, "update", _HEIGHT)
        st.vega_lite_chart(several_lines(rows, _KL_LINES), lines, alt=alt)
        st.caption(":orange[dotted: at every token, exact] · :gray[thin: from the samples, k1]")
    else:
        st.vega_lite_chart(one_line(rows, one.key), curve(one.key, dark, height=_HEIGHT), alt=alt)
    st.markdown(f"{_VERDICTS[reading.verdict]} {reading.sentence}")
    st.caption(f"{one.what} *Healthy:* {one.healthy}")


def samples(texts: Sequence[dict[str, Any]], update: int, count: int = 4) -> None:
    """What the policy wrote in the newest update, with the score and the KL of each."""
    st.markdown(f"**What it writes** · fresh responses of update {update}" if update else "**What it writes**")
    columns = st.columns(2)
    for place, text in enumerate(texts[:count]):
        with columns[place % 2].container(border=True):
            said(str(text["prompt"]), str(text["response"]))
            words = [f"score {text['score']:+.2f}"] if "score" in text else []
            words += [f"KL {text['kl']:.1f} nats"] if "kl" in text else []
            plain(" · ".join(words))

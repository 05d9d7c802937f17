"""The taste for length beside the reader's own: the live model's, and that of a reward model they trained."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from core.alignment.live.length_bias import LengthBias, length_bias
from core.feedback.habits import habits
from core.feedback.store import FeedbackStore, Vote
from core.runs.store import Run, RunStore
from core.share import Share
from pages._label.live import live, shelf
from pages._parts.text import escaped
from pages._reward_model.views import opened

_NEWEST = 200  # votes whose texts are scored


def lengths(store: FeedbackStore, annotator: str, policy: str) -> None:
    """A table: who prefers the longer text how often, on the very pairs the reader judged."""
    state = live(store, annotator, policy)
    votes = state.votes[-_NEWEST:]
    if state.head is None or not votes:
        waiting = "While the model reads your pairs:" if state.reading else "After your first votes:"
        st.markdown(f"{waiting} your lean to length, the live model's and your reward model's, on the same pairs.")
        return
    mine = habits(votes).longer
    texts = [(vote.prompt, text) for vote in votes for text in (vote.left, vote.right)]
    features = np.stack([shelf(policy).features(*text) for text in texts])  # those of all its votes have been read
    biases = {"the live model": _bias(votes, state.head.scores(features).tolist())}
    run = _newest_reward_run()
    if run:
        biases[f"your reward model ({run.name})"] = _bias(votes, _scores(str(run.folder / "reward_model"), texts))
    rows = [_row("you", mine, None), *(_row(name, one.longer, one) for name, one in biases.items() if one)]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        placeholder="–",
        column_config={
            "prefers the longer": st.column_config.NumberColumn(format="%.0f%%", help="of the pairs of unequal length"),
            "from": st.column_config.NumberColumn(format="%.0f%%", help="95 % interval (Wilson)"),
            "to": st.column_config.NumberColumn(format="%.0f%%"),
            "length coefficient": st.column_config.NumberColumn(
                format="%.2f", help="standard deviations of score a standard deviation of words, by least squares"
            ),
            "±": st.column_config.NumberColumn(format="%.2f", help="half-width of its 95 % interval"),
        },
    )
    st.caption(f"Of your newest {len(votes)} votes that the live model learns from: no hidden repeats, no ties.")
    st.markdown(" ".join(_sentence(escaped(name), mine, one) for name, one in biases.items() if one))
    if not run:
        st.markdown("Train a reward model on your votes, and its taste for length stands here too.")


def _bias(votes: Sequence[Vote], scores: Sequence[float]) -> LengthBias | None:
    return length_bias(votes, scores[::2], scores[1::2])


def _row(who: str, longer: Share, bias: LengthBias | None) -> dict[str, object]:
    low, high = longer.interval
    return {
        "who": who,
        "prefers the longer": 100 * longer.value,
        "from": 100 * low,
        "to": 100 * high,
        "pairs": longer.total,
        "length coefficient": bias.coefficient if bias else None,
        "±": bias.reach if bias else None,
    }


def _sentence(name: str, mine: Share, bias: LengthBias) -> str:
    """What the coefficient and the two intervals say."""
    who = name[0].upper() + name[1:]
    sentence = f"{who} gives {bias.coefficient:+.2f} sd of score per sd of length (± {bias.reach:.2f})"
    if abs(bias.coefficient) <= bias.reach:
        return sentence + ": no taste for length that these texts could show."
    sentence += ": it likes " + ("long" if bias.coefficient > 0 else "short") + " texts"
    (low, high), (my_low, my_high) = bias.longer.interval, mine.interval
    if low > my_high:
        return sentence + ", and the longer one more often than you do: **a habit it made stronger**."
    if high < my_low:
        return sentence + ", and the longer one less often than you do."
    return sentence + "; how often it takes the longer one is within what your own votes allow."


def _newest_reward_run() -> Run | None:
    """The newest finished run that left a reward model."""
    for run in RunStore().list():
        if run.kind in ("reward", "loop") and (run.folder / "reward_model" / "config.json").exists():
            return run
    return None


def _scores(folder: str, texts: Sequence[tuple[str, str]]) -> list[float]:
    """Raw scores; what was scored before is kept, so that a vote costs two texts."""
    from core.alignment.reward_model import score

    known = _scored(folder)
    new = [text for text in dict.fromkeys(texts) if text not in known]
    if new:
        reward_model = opened(folder)
        prompts, responses = zip(*new, strict=True)
        found = score(reward_model.model, reward_model.tokenizer, prompts, responses).tolist()
        known.update(zip(new, found, strict=True))
    return [known[text] for text in texts]


@st.cache_resource(show_spinner=False, max_entries=2)
def _scored(folder: str) -> dict[tuple[str, str], float]:
    return {}

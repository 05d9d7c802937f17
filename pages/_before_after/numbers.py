"""Part four: everything that can be counted, reference beside tuned, and the words that came and went."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.alignment.before_after.estimates import Compared
from core.alignment.before_after.in_numbers import compared, texts_of, win_rate
from core.alignment.before_after.word_shift import Shift, word_shifts
from core.figures.interval_rows import interval_rows
from pages._before_after.subject import Subject
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.predict import predict, revealed
from pages._parts.text import escaped

_SIDES = {"before": "reference", "after": "policy"}
_WORDS = 8  # at each end
_MEASURES = {
    # name: (title, words, how to read it)
    "gold": ("{voter}'s true taste", "{:.2f}", "The mean over responses."),
    "length": ("Length, words", "{:.1f}", "The mean over responses."),
    "ended": ("Came to an end", "{:.0%}", "Responses that reached their end token in time."),
    "distinct_1": ("distinct-1", "{:.3f}", "Different words over all words."),
    "distinct_2": ("distinct-2", "{:.3f}", "Different word pairs over all pairs."),
    "distinct_3": ("distinct-3", "{:.3f}", "Different triples over all triples."),
    "self_bleu": ("Self-BLEU", "{:.1f}", "How alike the responses are: higher is less varied."),
    "perplexity": ("Perplexity under the reference", "{:.1f}", "exp of the mean surprise a token."),
    "score": ("Reward model's score, sd", "{:+.2f}", "What PPO was paid for."),
}
_MORE, _SAME, _LESS = "more varied", "no difference that can be told", "less varied"


def show(subject: Subject) -> str:
    """Draw it; returns the claim."""
    if len(subject.checkpoints) < 2:
        return "Win rate, length, variety, perplexity: reference beside tuned, each with its interval."
    before, last = subject.checkpoints[0]["rows"], subject.checkpoints[-1]
    found = _compared(subject.looked.id if subject.looked else subject.id, int(last["update"]), before, last["rows"])
    share = win_rate(before, last["rows"], "gold")
    guess = predict("varied", "did the tuning make the texts more varied (distinct-2), or less?", (_MORE, _SAME, _LESS))
    if share:
        low, high = share.interval
        st.markdown(
            f"**{subject.voter} prefers the tuned response on {share.value:.0%}** of {share.total} held-out prompts "
            f"(95 % interval {low:.0%} to {high:.0%}, ties half)."
        )
    if guess:
        _revealed(guess, found["distinct_2"])
    _figures(subject, found, hidden=() if guess else ("distinct_1", "distinct_2", "distinct_3", "self_bleu"))
    subject.badge(f"{len(before)} held-out prompts · ○ reference, ◆ tuned, lines are 95 % intervals")
    shifts = _shifts(subject.id, int(last["update"]), texts_of(before), texts_of(last["rows"]))
    _words(shifts)
    _equation(found, shifts)
    return _claim(subject, found, share)


@st.cache_data(max_entries=8, show_spinner="Counting…")
def _compared(
    source: str, update: int, _before: Sequence[Mapping[str, Any]], _after: Sequence[Mapping[str, Any]]
) -> dict[str, Compared]:
    return compared(_before, _after)


@st.cache_data(max_entries=8, show_spinner=False)
def _shifts(source: str, update: int, before: list[str], after: list[str]) -> list[Shift]:
    return word_shifts(before, after)


def _revealed(guess: str, two: Compared) -> None:
    truth = _SAME if not two.moved else _MORE if two.after.value > two.before.value else _LESS
    words = f"distinct-2 went from {two.before.value:.3f} to {two.after.value:.3f}: {truth}."
    revealed(guess, truth, words)


def _figures(subject: Subject, found: Mapping[str, Compared], hidden: Sequence[str]) -> None:
    names = [name for name in _MEASURES if name in found and name not in hidden]
    for start in range(0, len(names), 3):
        for column, name in zip(st.columns(3, gap="medium"), names[start : start + 3], strict=False):
            with column:
                _figure(subject, name, found[name])


def _figure(subject: Subject, name: str, both: Compared) -> None:
    title, words, note = _MEASURES[name]
    title = title.format(voter=subject.voter)
    sides = (both.before, both.after)
    st.markdown(f"**{title}** &nbsp; {words.format(both.before.value)} → {words.format(both.after.value)}")
    st.vega_lite_chart(
        {
            "label": ["○ before", "◆ after"],
            "side": list(_SIDES),
            "value": [one.value for one in sides],
            "low": [one.low for one in sides],
            "high": [one.high for one in sides],
        },
        interval_rows(_SIDES, 2, theme.dark(), ""),
        key=f"number_{name}",
        width="stretch",
        alt=f"{title}: {words.format(both.before.value)} before, {words.format(both.after.value)} after",
    )
    st.caption(f"{note} {'The intervals lie apart.' if both.moved else 'The intervals overlap.'}")
    rows = [[side, *one] for side, one in zip(_SIDES, sides, strict=True)]
    downloads(f"number_{name}", f"before-after-{name}", [["side", "value", "low", "high"], *rows])


def _words(shifts: Sequence[Shift]) -> None:
    st.subheader("Words that came, words that went", anchor=False)
    sure = [one for one in shifts if one.reliable]
    if not sure:
        st.info(f"Of {len(shifts)} words none clearly became more or less frequent. More prompts would tell more.")
        return
    rising = [one for one in sure if one.log_odds.value > 0][:_WORDS]
    falling = [one for one in sure if one.log_odds.value < 0][-_WORDS:]
    shown = [*rising, *falling]
    sides = ["more" if one.log_odds.value > 0 else "less" for one in shown]
    st.vega_lite_chart(
        {
            "label": [f"{one.word}  ({one.before} → {one.after})" for one in shown],
            "side": sides,
            "value": [one.log_odds.value for one in shown],
            "low": [one.log_odds.low for one in shown],
            "high": [one.log_odds.high for one in shown],
        },
        interval_rows(
            {"more": "chosen", "less": "rejected"},
            len(shown),
            theme.dark(),
            "log-odds of a response containing it",
            level=0,
        ),
        key="words",
        width="stretch",
        alt="Words that became more frequent: "
        + ", ".join(one.word for one in rising)
        + "; less frequent: "
        + ", ".join(one.word for one in falling),
    )
    table = [["word", "responses before", "responses after", "log_odds", "low", "high"]]
    downloads("words", "words", table + [[one.word, one.before, one.after, *one.log_odds] for one in sure])
    st.caption(
        f"{len(sure)} of {len(shifts)} words clearly changed (Bonferroni's 95 % intervals); the strongest are shown, "
        "with the number of responses containing each."
    )


def _equation(found: Mapping[str, Compared], shifts: Sequence[Shift]) -> None:
    st.subheader("The equations", anchor=False)
    st.latex(
        r"\text{distinct-}n = \frac{\#\{\text{different } n\text{-grams}\}}{\#\{n\text{-grams}\}} \qquad "
        r"\mathrm{PPL} = \exp\Big(-\frac{1}{T}\sum_t \log \pi_{\text{ref}}(y_t \mid x, y_{<t})\Big)"
    )
    if "perplexity" in found:
        both = found["perplexity"]
        st.markdown(
            f"Perplexity **{both.before.value:.1f}** before and **{both.after.value:.1f}** after. The reference's own "
            "samples are drawn at its full spread of words; a tuned policy that keeps to likely ones falls below them, "
            "one that is driven to words the reference would hardly write rises above."
        )
    if shifts:
        one = max([one for one in shifts if one.reliable] or shifts, key=lambda shift: abs(shift.log_odds.value))
        st.markdown(
            f"“{escaped(one.word)}” stands in {one.before} responses before and {one.after} after: log-odds "
            f"**{one.log_odds.value:+.2f}**, from {one.log_odds.low:+.2f} to {one.log_odds.high:+.2f}."
        )
    show_code(
        "core.alignment.before_after.diversity:distinct_n",
        "core.alignment.before_after.diversity:self_bleu",
        "core.alignment.before_after.perplexity:response_nll",
        "core.alignment.before_after.word_shift:log_odds",
    )


def _claim(subject: Subject, found: Mapping[str, Compared], share: Any) -> str:
    words = "The tuned policy"
    if share:
        words = f"{subject.voter} prefers the tuned response on {share.value:.0%} of unseen prompts"
        if not share.leans:
            words += ", which chance could do"
        elif share.value < 0.5:
            words += ": fewer than chance would give"
    length = found["length"]
    if length.moved:
        way = "shorter" if length.after.value < length.before.value else "longer"
        words += f"; its texts are {way} ({length.before.value:.0f} to {length.after.value:.0f} words)"
    if "perplexity" in found and found["perplexity"].moved:
        both = found["perplexity"]
        way = "less" if both.after.value < both.before.value else "more"
        words += f", and {way} surprising to the reference than its own"
    return words + "."

"""Two reward models on the same pairs: who is right where, and is the difference more than chance?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.alignment.cross_examination.model_comparison import Duel, differ_most, duel
from core.alignment.cross_examination.run_pairs import reward_config_of, taught
from core.alignment.cross_examination.scored_pairs import ScoredPair, split_taught
from core.alignment.pair_term import pair_term
from core.feedback.annotators import annotators
from core.feedback.sources import load_preferences
from core.figures.two_opinions import KINDS, two_opinions
from core.gallery import load_entry
from core.runs.store import Run, RunStore
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.voters import voter_title
from pages._reward_model.cards import vote_card
from pages._reward_model.subject import Subject
from pages._reward_model.views import heldout_pairs, run_pairs, scores_of

PLAIN = "Two models may be right equally often and still disagree on every third pair."
_UNSEEN, _BUNDLED = "votes neither has seen", "bundled pairs"
_FEWEST, _SHOWN, _CHANCE = 10, 3, 0.05


@dataclass(frozen=True)
class _Both:
    """The pairs with this model's scores, the other's Δ on them, and what the other is called."""

    pairs: Sequence[ScoredPair]
    second: Sequence[float]
    name: str
    note: str


def show(subject: Subject) -> str:
    """Table, scatter, and the pairs where they differ most. Returns the claim."""
    both = _cached(subject) if subject.cached else _chosen(subject)
    if both is None:
        return PLAIN
    first = [one.term.difference for one in both.pairs]
    found = duel(first, both.second)
    picture, words = st.columns([3, 2], gap="large")
    with picture:
        _scatter(subject, both, first)
    with words:
        _table(found, both.name)
    st.subheader("Where they differ most", anchor=False)
    for place in differ_most(first, both.second)[:_SHOWN]:
        other = pair_term(both.second[place], 0.0).probability
        vote_card(both.pairs[place], f"the other gives {other:.1%}")
    show_code(
        "core.alignment.cross_examination.model_comparison:mcnemar_exact",
        "core.alignment.cross_examination.model_comparison:duel",
    )
    return _claim(found, both.name)


def _claim(found: Duel, name: str) -> str:
    gap = found.first.value - found.second.value
    alone = found.first_only + found.second_only
    if found.p_value < _CHANCE:
        better, own = ("this model", found.first_only) if gap > 0 else (name, found.second_only)
        return (
            f"Of {found.total:,} pairs {better} tells {abs(100 * gap):.1f} points more right, which chance would "
            f"hardly make: of the {alone} that one alone tells right, {own} are its own "
            f"(p = {found.p_value:.2g})."
        )
    return (
        f"They differ by {abs(100 * gap):.1f} points on {found.total:,} pairs: of {alone} told right by one alone, "
        f"chance alone splits as unevenly in {found.p_value:.0%} of cases."
    )


def _cached(subject: Subject) -> _Both | None:
    entry, pairs = load_entry("reward_compare"), heldout_pairs(subject)
    if not entry or not pairs:
        st.info("Train two reward models to compare them.")
        return None
    votes = entry["key"]["votes"]
    second = [chosen - rejected for chosen, rejected in entry["data"]["second"]]
    st.caption(
        f"This model beside one taught by {votes} of the same votes. Train two of your own, and any two can be "
        "compared."
    )
    return _Both(pairs, second, f"the model of {votes} votes", f"{len(pairs):,} held-out votes")


def _chosen(subject: Subject) -> _Both | None:
    """The other model and the pairs, as the reader chooses them."""
    others = _others(subject)
    if not others or subject.run is None:
        st.info("There is no second reward model yet. Train another: other votes, another seed, more passes.")
        return None
    left, right = st.columns(2)
    with left:
        other_id = st.selectbox(
            "Compare with",
            [run.id for run in others],
            format_func=lambda id: _title(next(run for run in others if run.id == id)),
            key="other",
            bind="query-params",
        )
    with right:
        on = st.segmented_control(
            "On", [_UNSEEN, _BUNDLED], default=_UNSEEN, required=True, key="compared_on", bind="query-params"
        )
        voter = _taught_by(subject.run)
        if on == _BUNDLED:
            known = list(annotators())
            voter = st.selectbox(
                "as judged by",
                known,
                index=known.index(voter),
                format_func=voter_title,
                key="compared_by",
                bind="query-params",
            )
    other = next(run for run in others if run.id == other_id)
    weights = str(other.folder / "reward_model")
    pairs = _unseen(subject, other) if on == _UNSEEN else _bundled(subject, voter)
    if len(pairs) < _FEWEST:
        st.info(
            f"Only {len(pairs)} held-out pairs have prompts that neither learned from: too few. Compare on the bundled "
            "pairs instead."
        )
        return None
    prompts = [one.taught.pair.prompt for one in pairs]
    texts = [one.taught.pair.chosen for one in pairs] + [one.taught.pair.rejected for one in pairs]
    scores = scores_of(weights, prompts * 2, texts)
    second = [a - b for a, b in zip(scores[: len(pairs)], scores[len(pairs) :], strict=True)]
    judged = "held-out votes of neither's prompts" if on == _UNSEEN else f"bundled pairs as {voter_title(voter)} votes"
    return _Both(pairs, second, other.id, f"{len(pairs):,} {judged}")


def _taught_by(run: Run) -> str:
    """The simulated annotator that a run learned from, the first of several; Sunny where only people taught it."""
    sources = [str(run.config.get("annotator") or ""), *(str(one) for one in run.config.get("preferences", ()))]
    named = [one.split(":")[1] if one.startswith("simulated:") else one for one in sources]
    return next((name for name in named if name in annotators()), "sunny")


def _others(subject: Subject) -> list[Run]:
    return [
        run
        for run in RunStore().list()
        if run.kind in ("reward", "loop")
        and (subject.run is None or run.id != subject.run.id)
        and (run.folder / "reward_model" / "config.json").exists()
    ]


def _title(run: Run) -> str:
    return f"{run.name} · {run.id}" if run.name and run.name != run.id else run.id


def _unseen(subject: Subject, other: Run) -> list[ScoredPair]:
    """This model's held-out votes on prompts that the other did not learn from either."""
    config = reward_config_of(other.config)
    train, _ = split_taught(run_pairs(other.id), config.heldout_share, config.seed)
    seen = {one.pair.prompt for one in train}
    return [one for one in heldout_pairs(subject) if one.taught.pair.prompt not in seen]


def _bundled(subject: Subject, voter: str) -> list[ScoredPair]:
    pairs = taught(load_preferences(f"bundled:{voter}"), f"bundled:{voter}")
    prompts = [one.pair.prompt for one in pairs] * 2
    texts = [one.pair.chosen for one in pairs] + [one.pair.rejected for one in pairs]
    scores = scores_of(str(subject.folder), prompts, texts)
    both = zip(pairs, scores[: len(pairs)], scores[len(pairs) :], strict=True)
    return [ScoredPair(place, pair, chosen, rejected) for place, (pair, chosen, rejected) in enumerate(both)]


def _scatter(subject: Subject, both: _Both, first: Sequence[float]) -> None:
    data: Mapping[str, list[Any]] = {
        "x": list(first),
        "y": list(both.second),
        "kind": [_kind(a > 0, b > 0) for a, b in zip(first, both.second, strict=True)],
        "text": [one.taught.pair.chosen.strip() for one in both.pairs],
    }
    st.vega_lite_chart(
        data,
        two_opinions("Δ of this model", f"Δ of {both.name}", theme.dark()),
        key="two_models",
        alt=f"{len(first)} pairs by the two models' score differences",
    )
    downloads("two_models", "two-models", [list(data), *zip(*data.values(), strict=True)])
    subject.badge("reward_compare", both.note)
    st.caption(
        "A mark is a pair; right of the upright line this model is right, above the level one the other is. The two "
        "scales are not the same unit: compare signs, not sizes."
    )


def _kind(first: bool, second: bool) -> str:
    return KINDS[0 if first and second else 1 if first else 2 if second else 3]


def _table(found: Duel, name: str) -> None:
    for label, share in (("This model", found.first), (f"The other: {name}", found.second)):
        low, high = share.interval
        st.metric(
            label,
            f"{share.value:.1%} right",
            f"95% interval {low:.0%} to {high:.0%}",
            delta_color="off",
            delta_arrow="off",
        )
    st.markdown(
        "| | other right | other wrong |\n|---|---|---|\n"
        f"| this model right | {found.both:,} | {found.first_only:,} |\n"
        f"| this model wrong | {found.second_only:,} | {found.neither:,} |"
    )
    st.markdown(
        f"They favour the same text in **{found.agreement.value:.0%}** of the pairs. Only the "
        f"**{found.first_only + found.second_only}** pairs that one alone gets right tell them apart: "
        f"{found.first_only} to {found.second_only}. If both were equally good, coin tosses would split them at least "
        f"so unevenly with probability **p = {found.p_value:.2g}** (McNemar's exact test). Two intervals that overlap "
        "do not say so much: both models answer the same pairs."
    )

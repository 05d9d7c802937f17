"""Whose preferences to learn from: a person's votes, a simulated annotator's, an imported data set, or a mix."""

from collections.abc import Callable

import streamlit as st

from core.feedback import sources as preference_sources
from core.feedback.annotators import annotators
from core.feedback.store import FeedbackStore
from pages._parts.text import escaped, told_apart

MY_VOTES, _SIMULATED, _IMPORTED = "My votes", "A simulated annotator", "Imported data"


_ENOUGH = 20  # votes of one's own that the page suggests to learn from, where it would else a simulated annotator's


def of_votes(annotator: str) -> dict[str, str]:
    """How the page is asked for with the votes of `annotator` chosen, and nothing else."""
    return {"reward_sources": MY_VOTES, "reward_votes": annotator}


def choose_sources(store: FeedbackStore) -> tuple[tuple[str, ...], int]:
    """What `RewardJob.preferences` takes, and how many pairs that is. The choice lives in the URL."""
    voters = {name: _decided(store, name) for name in store.annotators()}
    voters = {name: voters[name] for name in sorted(voters, key=lambda name: -voters[name]) if voters[name]}
    datasets = {str(dataset.id): dataset for dataset in store.datasets()}
    offered = [_SIMULATED, *([MY_VOTES] if voters else []), *([_IMPORTED] if datasets else [])]
    chosen = st.pills(
        "Learn from",
        offered,
        selection_mode="multi",
        default=[MY_VOTES if max(voters.values(), default=0) >= _ENOUGH else _SIMULATED],
        key="reward_sources",
        bind="query-params",
        help="Any mix: the pairs are put together. Your own votes appear here once you have decided some on Label.",
    )
    sources: list[str] = []
    total = mine = 0
    names: list[str] = []
    if MY_VOTES in chosen:
        names = _several("Votes of", list(voters), "reward_votes", str)
        total = mine = sum(voters[name] for name in names)
        st.caption(f"{mine:,} decided votes")
        sources += [f"votes:{name}" for name in names]
    if _SIMULATED in chosen:
        source, count = _simulated()
        sources.append(source)
        total += count
    if _IMPORTED in chosen:
        told = told_apart({id: dataset.name for id, dataset in datasets.items()})
        called = {id: f"{told[id]}: {dataset.rows:,} rows" for id, dataset in datasets.items()}
        kept = _several("Data sets", list(called), "reward_dataset", called.__getitem__)
        sources += [f"dataset:{id}" for id in kept]
        total += sum(datasets[id].rows for id in kept)
    if len(sources) > 1:
        st.caption("All of these are learned together, in one heap: a click on a source takes it out.")
    if names and mine < total / 2:
        st.warning(
            f"{1 - mine / total:.0%} of these {total:,} pairs are not the votes of {escaped(' and '.join(names))}: "
            "take the other sources out to learn from those alone.",
            icon=":material/balance:",
        )
    return tuple(sources), total


def _several(label: str, options: list[str], key: str, in_words: Callable[[str], str]) -> list[str]:
    """Any number of `options`, the first to begin with. The URL has them as they are worded."""
    return st.multiselect(label, options, options[:1], format_func=in_words, key=key, bind="query-params")


def _simulated() -> tuple[str, int]:
    """A taste that is known exactly, on pairs written for this run or on those that came with the program."""
    known = annotators()
    name = st.selectbox(
        "Simulated annotator",
        list(known),
        index=list(known).index("sunny"),
        format_func=lambda name: known[name].title,
        key="reward_annotator",
        bind="query-params",
    )
    st.caption(escaped(known[name].description))
    fresh = st.segmented_control(
        "Pairs",
        ["fresh", "bundled"],
        default="fresh",
        required=True,
        key="reward_pairs_from",
        bind="query-params",
        help="fresh: the policy writes them now. bundled: those that came with the program, at once.",
    )
    if fresh == "bundled":
        return f"bundled:{name}", len(preference_sources.bundled_pairs())
    count = st.number_input("How many fresh pairs", 8, 20_000, 512, step=128, key="reward_pairs", bind="query-params")
    return f"simulated:{name}:{count}", count


def _decided(store: FeedbackStore, annotator: str) -> int:
    counts = store.count(annotator)
    return counts.get("left", 0) + counts.get("right", 0)

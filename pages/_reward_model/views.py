"""What the parts of the page draw, computed once for each run and kept; or taken from the gallery."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import streamlit as st

from core.alignment.cross_examination.run_pairs import TaughtPair, read_run_pairs, reward_config_of
from core.alignment.cross_examination.scored_pairs import ScoredPair, from_row
from core.feedback import sources
from core.feedback.pairs import run_together
from core.paths import RUN_ID, run_folder
from core.runs.store import Run, RunStore
from pages._reward_model.subject import Subject

if TYPE_CHECKING:
    from core.alignment.cross_examination.reward_views import HeadDoubt
    from core.alignment.reward_model import RewardModel

Args = ParamSpec("Args")
Seen = TypeVar("Seen")


def remembered(cache: Any, **options: Any) -> Callable[[Callable[Args, Seen]], Callable[Args, Seen]]:
    """One of Streamlit's caches, for functions whose first argument is a run's id or a folder of its.

    It also goes by when what lies there was put there: a run may be deleted, and another made under its name.
    """

    def decorate(function: Callable[Args, Seen]) -> Callable[Args, Seen]:
        @cache(**options)
        @functools.wraps(function)  # Streamlit keeps what was computed under the function's own name
        def kept(since: int, *args: Args.args, **named: Args.kwargs) -> Seen:
            return function(*args, **named)

        @functools.wraps(function)
        def view(*args: Args.args, **named: Args.kwargs) -> Seen:
            where = run_folder(str(args[0])) if RUN_ID.fullmatch(str(args[0])) else Path(str(args[0]))
            since = where.stat().st_mtime_ns if where.exists() else 0
            seen: Seen = kept(since, *args, **named)
            return seen

        return view

    return decorate


@remembered(st.cache_resource, max_entries=3, show_spinner="Opening the reward model…")
def opened(folder: str) -> "RewardModel":
    """A finished run's reward model: its weights no longer change."""
    from core.alignment.reward_folders import load_reward_model

    return load_reward_model(folder)


@remembered(st.cache_resource, max_entries=2, show_spinner="Opening the ensemble…")
def ensemble(folder: str) -> "list[RewardModel]":
    """A finished ensemble's members."""
    from core.alignment.cross_examination.reward_ensemble import load_ensemble

    return load_ensemble(Path(folder))


@remembered(st.cache_resource, max_entries=2, show_spinner="Measuring how sure the head can be…")
def head_doubt(run_id: str) -> "HeadDoubt":
    """The last layer's posterior of a run's reward model, fitted on its own votes."""
    from core.alignment.cross_examination.reward_views import HeadDoubt

    run = RunStore().get(run_id)
    return HeadDoubt(opened(_weights(run)), run_pairs(run_id), reward_config_of(run.config))


@remembered(st.cache_data, max_entries=8, show_spinner=False)
def run_pairs(run_id: str) -> list[TaughtPair]:
    """The votes a run learned from."""
    return read_run_pairs(RunStore().get(run_id).folder)


@remembered(st.cache_data, max_entries=8, show_spinner="Scoring the held-out votes…")
def _heldout(run_id: str) -> dict[str, Any]:
    from core.alignment.cross_examination.reward_views import heldout_view

    run = RunStore().get(run_id)
    return heldout_view(opened(_weights(run)), run_pairs(run_id), reward_config_of(run.config))


@remembered(st.cache_data, max_entries=8, show_spinner="Scoring the votes it learned from…")
def _resisted(run_id: str) -> list[dict[str, Any]]:
    from core.alignment.cross_examination.reward_views import resisted_view

    run = RunStore().get(run_id)
    return resisted_view(opened(_weights(run)), run_pairs(run_id), reward_config_of(run.config))


@remembered(st.cache_data, max_entries=8, show_spinner="Scoring the bundled responses…")
def _traits(folder: str) -> dict[str, Any]:
    from core.alignment.cross_examination.reward_views import traits_view

    return traits_view(opened(folder), sources.bundled_pairs())


@remembered(st.cache_data, max_entries=64, show_spinner="Deleting one word after the other…")
def words_of(folder: str, prompt: str, response: str) -> dict[str, Any]:
    """One text read two ways, by the reward model in `folder`."""
    from core.alignment.cross_examination.reward_views import words_view

    return words_view(opened(folder), prompt, response)


@remembered(st.cache_data, max_entries=256, show_spinner=False)
def scored(folder: str, prompt: str, responses: tuple[str, ...]) -> list[float]:
    """Raw scores of responses to one prompt."""
    from core.alignment.reward_model import score

    reward_model = opened(folder)
    return score(reward_model.model, reward_model.tokenizer, [prompt] * len(responses), responses).tolist()


@remembered(st.cache_data, max_entries=64, show_spinner=False)
def member_differences(folder: str, prompt: str, first: str, second: str) -> list[float]:
    """Δ = r(first) − r(second) of every member of an ensemble."""
    from core.alignment.reward_model import score

    both = [score(one.model, one.tokenizer, [prompt] * 2, [first, second]).tolist() for one in ensemble(folder)]
    return [a - b for a, b in both]


@remembered(st.cache_data, max_entries=4, show_spinner="Asking every member…")
def members_on_heldout(folder: str, run_id: str) -> list[list[float]]:
    """Every member's Δ on the run's held-out votes."""
    from core.alignment.cross_examination.reward_views import members_view

    return members_view(ensemble(folder), [from_row(row) for row in _heldout(run_id)["pairs"]])


@remembered(st.cache_data, max_entries=8, show_spinner="Scoring the pairs…")
def scores_of(folder: str, prompts: Sequence[str], texts: Sequence[str]) -> list[float]:
    """Raw scores of many texts."""
    from core.alignment.reward_model import score

    reward_model = opened(folder)
    return score(reward_model.model, reward_model.tokenizer, prompts, texts).tolist()


def _weights(run: Run) -> str:
    return str(run.folder / "reward_model")


def heldout_of(subject: Subject) -> dict[str, Any] | None:
    """The held-out votes with both scores; None where the model is not trained yet."""
    if subject.run is None:
        return dict(subject.entry("reward_heldout") or {}) or None
    return _heldout(subject.run.id) if subject.folder else None


def heldout_pairs(subject: Subject) -> list[ScoredPair]:
    """The held-out votes; empty where there are none, or none that can be scored yet."""
    view = heldout_of(subject)
    return [from_row(row) for row in view["pairs"]] if view else []


def resisted_pairs(subject: Subject) -> list[ScoredPair]:
    """The training votes that the model resists most, worst first."""
    if subject.run is None:
        return [from_row(row) for row in (subject.entry("reward_heldout") or {}).get("resisted", [])]
    return [from_row(row) for row in _resisted(subject.run.id)] if subject.folder else []


def traits_of(subject: Subject) -> dict[str, Any] | None:
    """Correlations and coefficients of the score with traits."""
    if subject.run is None:
        return dict(subject.entry("reward_traits") or {}) or None
    return _traits(str(subject.folder)) if subject.folder else None


def spaced(prompt: str, text: str) -> str:
    """A typed answer, with the space before its first word that a policy would write and people forget."""
    return f" {text}" if run_together(prompt, text) else text

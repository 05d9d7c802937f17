"""What the page Reward model opens on: the gallery loop's own reward model, cross-examined."""

import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core.alignment.configs import LoopConfig, RewardConfig
from core.alignment.cross_examination import reward_views as views
from core.alignment.cross_examination.learning_curve import train_curve
from core.alignment.cross_examination.retraining import retrained
from core.alignment.cross_examination.reward_ensemble import load_ensemble, train_ensemble
from core.alignment.cross_examination.run_pairs import TaughtPair, read_run_pairs, reward_config_of
from core.alignment.cross_examination.scored_pairs import from_row, score_pairs, split_taught
from core.alignment.cross_examination.vote_counts import epochs_for
from core.alignment.cross_examination.vote_flip import train_flip
from core.alignment.loop import run_loop
from core.alignment.reward_folders import load_reward_model
from core.alignment.reward_model import RewardModel, score
from core.alignment.reward_training import untrained
from core.feedback.sources import bundled_pairs
from core.language.adapters import bare
from core.language.registry import load_policy

MEMBERS, SEEDS = 4, 3
FEW_VOTES = 128  # what the second model of the comparison was taught by
EXAMPLES = 3  # pairs of texts that can be tried before anything has run: the first ones, unpicked


def build(name: str) -> None:
    """Write the entry called `name`."""
    from core.gallery.build import write_view  # it lists the entries of this module

    config = LoopConfig()
    key = {"annotator": config.annotator, "seed": config.seed, "pairs": config.pairs, **_VIEWS[name][1]}
    write_view(name, key, _VIEWS[name][0]())


class _Taught:
    """The loop's first two stages: its votes and its reward model, in a folder that lives as long as this process."""

    def __init__(self) -> None:
        self._kept = tempfile.TemporaryDirectory()
        self.folder = Path(self._kept.name)
        loop = LoopConfig()
        with tqdm(desc="the loop's reward model", disable=None) as bar:
            for record in run_loop(loop, self.folder):
                bar.update()
                if record.stage == "ppo":
                    break
        self.model = loop.model
        self.config: RewardConfig = reward_config_of(loop.model_dump())
        self.pairs: list[TaughtPair] = read_run_pairs(self.folder)
        self.reward_model: RewardModel = load_reward_model(self.folder / "reward_model")

    @property
    def plain(self) -> list[Any]:
        return [one.pair for one in self.pairs]


@cache
def _taught() -> _Taught:
    return _Taught()


@cache
def _ensemble() -> tuple[list[RewardModel], dict[str, Any]]:
    taught = _taught()
    folder = taught.folder / "ensemble"
    policy, tokenizer = load_policy(taught.model)
    records = _counted(
        train_ensemble(policy, tokenizer, taught.plain, taught.config, MEMBERS, taught.model, folder), "ensemble"
    )
    return load_ensemble(folder), records[-1].result or {}


def _counted(records: Any, name: str) -> list[Any]:
    return list(tqdm(records, desc=name, disable=None))


def _heldout() -> dict[str, Any]:
    taught = _taught()
    view = views.heldout_view(taught.reward_model, taught.pairs, taught.config)
    return view | {"resisted": views.resisted_view(taught.reward_model, taught.pairs, taught.config)}


def _traits() -> dict[str, Any]:
    return views.traits_view(_taught().reward_model, bundled_pairs())


def _words() -> dict[str, Any]:
    """The first bundled pairs, word by word, with what the ensemble and the head's posterior say of each."""
    taught = _taught()
    doubt = views.HeadDoubt(taught.reward_model, taught.pairs, taught.config)
    members, _ = _ensemble()
    examples = []
    for pair in bundled_pairs()[:EXAMPLES]:
        prompts, both = [pair.prompt] * 2, [pair.response_a, pair.response_b]
        each = [score(one.model, one.tokenizer, prompts, both).tolist() for one in members]
        examples.append(
            {
                "prompt": pair.prompt,
                "texts": both,
                "read": [views.words_view(taught.reward_model, pair.prompt, text) for text in both],
                "members": [a - b for a, b in each],
                "head_sd": doubt.sd(pair.prompt, *both),
            }
        )
    unit = taught.reward_model.normalisation
    return {"examples": examples, "unit": [unit.mean, unit.sd], "votes": doubt.votes}


def _disagreement() -> dict[str, Any]:
    members, result = _ensemble()
    rows = views.heldout_view(_taught().reward_model, _taught().pairs, _taught().config)["pairs"]
    return {"differences": views.members_view(members, [from_row(row) for row in rows]), "result": result}


def _curve() -> dict[str, Any]:
    taught = _taught()
    policy, tokenizer = load_policy(taught.model)
    records = _counted(train_curve(policy, tokenizer, taught.plain, taught.config, SEEDS), "learning curve")
    return records[-1].result or {}


def _compare() -> dict[str, Any]:
    """The loop's reward model beside one that a first few of the same votes taught."""
    taught = _taught()
    train, heldout = split_taught(taught.pairs, taught.config.heldout_share, taught.config.seed)
    few = [one.pair for one in train[:FEW_VOTES]]
    epochs = epochs_for(len(few), taught.config)
    own = taught.config.model_copy(update={"heldout_share": 0.0, "epochs": epochs})
    policy, tokenizer = load_policy(taught.model)
    model = untrained(policy, tokenizer, own)
    _counted(retrained(model, tokenizer, few, own), "few votes")
    second = RewardModel(bare(model), tokenizer)
    return {"second": [[one.chosen, one.rejected] for one in score_pairs(second, heldout)], "epochs": epochs}


def _flip() -> dict[str, Any]:
    """The training vote that the model resists most, flipped."""
    taught = _taught()
    worst = views.resisted_view(taught.reward_model, taught.pairs, taught.config)[0]
    policy, tokenizer = load_policy(taught.model)
    records = _counted(
        train_flip(
            policy, tokenizer, taught.plain, worst["place"], taught.config, taught.model,
            taught.folder / "reward_model", taught.folder,
        ),
        "flip",
    )  # fmt: skip
    return (records[-1].result or {}) | {"gold_gap": worst["gold_gap"]}


_VIEWS: dict[str, tuple[Callable[[], dict[str, Any]], dict[str, Any]]] = {
    "reward_heldout": (_heldout, {}),
    "reward_traits": (_traits, {}),
    "reward_words": (_words, {"members": MEMBERS}),
    "reward_ensemble": (_disagreement, {"members": MEMBERS}),
    "reward_curve": (_curve, {"seeds": SEEDS}),
    "reward_compare": (_compare, {"votes": FEW_VOTES}),
    "reward_flip": (_flip, {}),
}

ENTRIES: dict[str, Callable[[], None]] = {name: partial(build, name) for name in _VIEWS}

"""Flip one vote and train again, from the same seed, in the same order: what was that vote's doing?"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.configs import RewardConfig
from core.alignment.cross_examination.head_posterior import head_features
from core.alignment.cross_examination.retraining import retrained
from core.alignment.normalisation import normalisation_on
from core.alignment.pair_report import report_pairs
from core.alignment.reward_folders import load_reward_model, save_reward_model
from core.alignment.reward_model import score
from core.alignment.reward_training import split_by_prompt, untrained
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.language.adapters import bare
from core.record import Controls, Record, no_controls

BOTH = ("unflipped", "flipped")
NEIGHBOURS = 8


def flipped(pairs: Sequence[PreferencePair], place: int) -> list[PreferencePair]:
    """The same comparisons with the winner of the one at `place` made the loser."""
    changed = list(pairs)
    one = changed[place]
    changed[place] = replace(one, chosen=one.rejected, rejected=one.chosen)
    return changed


def train_flip(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[PreferencePair],
    place: int,
    config: RewardConfig,
    base_model: str,
    original: Path | None,
    folder: Path,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
) -> Iterator[Record]:
    """Train on `pairs` as they are, then with the vote at `place` flipped; nothing else differs.

    A batch's order hangs on the texts' lengths and the seed alone, so both trainings see the same pairs in the same
    order. Leaves `folder`/unflipped and `folder`/flipped. The last record's `result` says what changed, and whether
    the unflipped weights are those of `original`, a reward model's folder, bit for bit. `state` is what an earlier
    record's `state()` gave. Raises PlaygroundError when the vote is not one of those trained on.
    """
    if not 0 <= place < len(pairs):
        raise PlaygroundError(f"there is no vote number {place}: there are {len(pairs)}")
    train, heldout = split_by_prompt(pairs, config.heldout_share, config.seed)
    if pairs[place].prompt not in {pair.prompt for pair in train}:
        raise PlaygroundError("that vote is held out: it teaches nothing, so flipping it changes nothing")
    first = BOTH.index(state["which"]) if state else 0
    for turn in range(first, len(BOTH)):
        model = untrained(policy, tokenizer, config)
        taught = pairs if turn == 0 else flipped(pairs, place)
        inner = state["of"] if state and turn == first else None
        planned = 0
        for record in retrained(model, tokenizer, taught, config, inner, controls):
            planned = max(planned, record.total)  # of the last step of one that ended early, it is fewer
            yield _numbered(record, planned, turn)
        normalisation = normalisation_on(model, tokenizer, heldout, pairs, policy, base_model, config.seed)
        save_reward_model(model, tokenizer, normalisation, folder / BOTH[turn])
    result = _changes(folder, pairs, place, train, heldout) | _same_as(original, folder / BOTH[0])
    yield Record(1, {}, "measuring", total=1, result=result)


def _numbered(record: Record, planned: int, turn: int) -> Record:
    inner = record.state

    def state() -> dict[str, Any]:
        return {"which": BOTH[turn], "of": inner() if inner else None}

    step, total = turn * planned + record.step, len(BOTH) * planned
    return replace(record, step=step, total=total, stage=BOTH[turn], state=state, result=None)


def largest_difference(first: Path, second: Path) -> float:
    """The largest absolute difference between the weights of two folders of one architecture; 0.0 is bit for bit."""
    a, b = (load_file(folder / "model.safetensors") for folder in (first, second))
    return max(float((a[name].double() - b[name].double()).abs().max()) for name in a)


def _same_as(original: Path | None, unflipped: Path) -> dict[str, Any]:
    if original is None or not (original / "model.safetensors").exists():
        return {"difference_to_original": None}
    return {"difference_to_original": largest_difference(original, unflipped)}


def _changes(
    folder: Path,
    pairs: Sequence[PreferencePair],
    place: int,
    train: Sequence[PreferencePair],
    heldout: Sequence[PreferencePair],
) -> dict[str, Any]:
    """Scores before and after on the flipped pair, its neighbours and the held-out pairs, as plain data."""
    models = [load_reward_model(folder / name) for name in BOTH]
    tokenizer = models[0].tokenizer
    one = pairs[place]
    prompts, texts = [one.prompt] * 2, [one.chosen, one.rejected]
    own = [score(model.model, tokenizer, prompts, texts).tolist() for model in models]
    measured = {
        "place": place,
        "prompt": one.prompt,
        "chosen": one.chosen,
        "rejected": one.rejected,
        "voter": one.annotator,
        "scores": dict(zip(BOTH, own, strict=True)),
        "pairs_train": len(train),
        "neighbours": _neighbours(models[0].model, [model.model for model in models], tokenizer, one, train),
    }
    if heldout:
        all_prompts = [pair.prompt for pair in heldout] * 2
        all_texts = [pair.chosen for pair in heldout] + [pair.rejected for pair in heldout]
        both = [score(model.model, tokenizer, all_prompts, all_texts).chunk(2) for model in models]
        reports = [report_pairs(chosen, rejected) for chosen, rejected in both]
        before, after = ((chosen - rejected).tolist() for chosen, rejected in both)
        measured["heldout"] = {
            "accuracy": [report.accuracy for report in reports],
            "log_loss": [report.log_loss for report in reports],
            "differences": [before, after],
            "turned": sum((a > 0) != (b > 0) for a, b in zip(before, after, strict=True)),
        }
    return measured


def _neighbours(
    seen_by: nn.Module,
    models: Sequence[Any],
    tokenizer: PreTrainedTokenizerBase,
    one: PreferencePair,
    train: Sequence[PreferencePair],
) -> dict[str, list[dict[str, Any]]]:
    """The training responses most like the two texts of the flipped vote, and how their scores changed.

    Alike is the cosine between what the unflipped model's score head reads of them, less the mean over all.
    """
    others = {(pair.prompt, text) for pair in train for text in (pair.chosen, pair.rejected)}
    others -= {(one.prompt, one.chosen), (one.prompt, one.rejected)}
    known = sorted(others)
    prompts, texts = [prompt for prompt, _ in known], [text for _, text in known]
    features = head_features(bare(seen_by), tokenizer, [one.prompt] * 2 + prompts, [one.chosen, one.rejected, *texts])
    centred = torch.nn.functional.normalize(features - features[2:].mean(0), dim=-1)
    found = {}
    for name, own in zip(("chosen", "rejected"), centred[:2], strict=True):
        found[name] = _nearest(own @ centred[2:].T, models, tokenizer, prompts, texts)
    return found


def _nearest(
    likeness: Tensor,
    models: Sequence[Any],
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    texts: Sequence[str],
) -> list[dict[str, Any]]:
    nearest = likeness.topk(min(NEIGHBOURS, len(texts))).indices.tolist()
    near_prompts, near_texts = [prompts[i] for i in nearest], [texts[i] for i in nearest]
    before, after = (score(model, tokenizer, near_prompts, near_texts).tolist() for model in models)
    return [
        {
            "prompt": near_prompts[i],
            "response": near_texts[i],
            "likeness": float(likeness[nearest[i]]),
            "scores": [before[i], after[i]],
        }
        for i in range(len(nearest))
    ]

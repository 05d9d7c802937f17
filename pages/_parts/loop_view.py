"""One run of the whole loop, while it goes on and afterwards, read from the store."""

import html
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.record import PAIR
from core.runs.pace import may_end_early, seconds_left
from pages._parts.before_after import written
from pages._parts.curves import curve, values_of
from pages._parts.learnt_pair import learnt_pair
from pages._parts.pace_words import left_in_words
from pages._parts.state import TRAINING
from pages._parts.text import plain

if TYPE_CHECKING:
    from core.runs.store import Run, Step

STAGES = {"preferences": "1 · Votes", "reward": "2 · Reward model", "ppo": "3 · PPO", "evaluation": "4 · Measuring"}


def progress(run: "Run", steps: "Sequence[Step]") -> None:
    """Four thin bars, one a stage, and how long the one at work will still take."""
    names = list(STAGES)
    at = names.index(run.stage) if run.stage in names else 0 if run.status == "running" else -1
    if run.status == "finished":
        at = len(names)
    cells = []
    for index, name in enumerate(names):
        share = 1.0 if index < at else run.step / run.total if index == at and run.total else 0.0
        words = (
            "done"
            if index < at
            else _done(run, steps)
            if index == at and run.total
            else "begins"
            if index == at
            else "waits"
        )
        cells.append(
            f'<div class="{"later" if index > at else "reached"}"><b>{html.escape(STAGES[name])}</b> {words}'
            f'<div class="track"><div class="fill" style="width:{share:.1%}"></div></div></div>'
        )
    st.html(f'<div class="stages">{"".join(cells)}</div>')


def _done(run: "Run", steps: "Sequence[Step]") -> str:
    """How much of the stage now going on: votes in pairs written, some dozens a step; PPO may end before its last."""
    pairs = int(run.config.get("pairs") or 0)
    budget = run.config.get("ppo", {}).get("kl_budget") if run.stage == "ppo" else None
    done = f"{run.step} of {run.total}" if budget is None else f"{run.step} of {run.total}, or {budget:g} nats"
    if run.stage == "preferences" and pairs:
        done = f"{round(run.step / run.total * pairs):,} of {pairs:,} pairs"
    left = seconds_left(run, steps)
    return done if left is None else f"{done} · {left_in_words(left, at_most=may_end_early(run))}"


def trouble(run: "Run") -> None:
    """What a person needs to know of a run that neither trains nor has finished."""
    if run.status == "queued":
        st.info("Waiting for its turn: one run trains at a time.", icon=":material/hourglass_empty:")
    elif run.status == "paused":
        st.info("Paused. It goes on from here when you resume it.", icon=":material/pause:")
    elif run.status == "failed":
        st.error("This run failed. Its log is on the Runs page.", icon=":material/error:")
        plain(run.error or "It left no reason.")
    elif run.status in ("stopped", "interrupted"):
        words = "stopped" if run.status == "stopped" else "interrupted: its process is gone"
        st.warning(
            f"This run was {words}. Nothing is lost: resume it, and it goes on from its newest checkpoint.",
            icon=":material/pause:",
        )


def writing_now(run: "Run", samples: Sequence[Mapping[str, Any]], voter: str) -> None:
    """What the run at work has before it: a pair to compare or to learn, responses of the policy, at last both."""
    if learnt_pair(samples):
        return
    pairs = [one for one in samples if one.get("kind") == PAIR]
    fresh = [one for one in samples if "kind" not in one and "score" in one]
    measured = [one for one in samples if "tuned_response" in one]
    if pairs:
        pair = pairs[-1]
        words = (
            f"**Just written to be compared** · {voter} votes as soon as all pairs are there"
            if run.stage == "preferences"
            else f"**The last pair** · {voter} has voted, and the reward model is about to learn"
        )
        cards = [("reference", side, pair["prompt"], pair[side]) for side in ("left", "right")]
    elif fresh:
        words = "**Just written by the policy** · each update's responses, scored by the reward model"
        cards = [
            ("policy", f"score {one['score']:+.2f} · KL {one['kl']:.1f} nats", one["prompt"], one["response"])
            for one in fresh[:2]
        ]
    elif measured:
        one = measured[0]
        words = "**The first unseen prompt** · now the reward model itself is measured, on fresh pairs"
        cards = [
            ("reference", "○ Before", one["prompt"], one["reference_response"]),
            ("policy", "● After", one["prompt"], one["tuned_response"]),
        ]
    else:
        return
    st.markdown(words)
    for column, card in zip(st.columns(2, gap="medium", wrap=False), cards, strict=False):
        with column:
            written(*card)


def curves(steps: "list[Step]", voter: str) -> None:
    """The reward model's and PPO's curves of one loop, each with how to read it."""
    reward = [step for step in steps if step.stage == "reward"]
    ppo = [step for step in steps if step.stage == "ppo"]
    learnt, scored, kept, liked = st.columns(4, gap="medium")
    with learnt:
        measured = values_of("heldout/accuracy", reward)
        note = (
            "On a tenth of the votes, kept aside. ½ is guessing. The picture's figure is from fresh pairs, afterwards."
        )
        curve("heldout/accuracy", measured, "Held-out accuracy", note, unit="%", x_title="step")
    with scored:
        curve(
            "objective/scores",
            values_of("objective/scores", ppo),
            "Score",
            "What the reward model says of the responses. PPO pushes this up.",
        )
    with kept:
        curve(
            "objective/kl_exact",
            values_of("objective/kl_exact", ppo),
            "KL",
            "How far it has moved from the reference in its own training responses: the price paid. The picture's "
            "figure is of unseen prompts, afterwards.",
            unit="nats",
        )
    with liked:
        gold = f"{voter}'s true taste, unseen in training. If it falls while the score rises, the score is being gamed."
        curve("objective/gold", values_of("objective/gold", ppo), "Gold", gold)


def heldout(run: "Run", count: int) -> list[dict[str, Any]]:
    """The first rows of the run's `heldout.jsonl`: prompt, both responses, both golds."""
    file = run.folder / "heldout.jsonl"
    if not file.exists():
        return []
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line, _ in zip(lines, range(count), strict=False)]


def in_progress(run: "Run") -> bool:
    """Whether the view has to keep itself up to date."""
    return run.status in TRAINING

"""The four models of PPO and what flows between them, with the shapes and the numbers of one update."""

from pathlib import Path
from typing import Any

import streamlit as st

from core.alignment.ppo_reading.objective import objective_of
from core.alignment.ppo_reading.rollout_flow import RolloutFlow, rollout_flow
from core.figures.palette import CONCEPTS, GROUND, TEXT
from core.runs.shelf import rollout_files
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.series import Row
from pages._ppo.subject import Subject, chosen_update

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "rlhf_playground.ppo_flow",
    html='<svg class="flow" role="img"></svg><p class="says" aria-live="polite"></p>',
    css=(_HERE / "flow.css").read_text(encoding="utf-8"),
    js=(_HERE.parent / "_parts" / "drawing.js").read_text(encoding="utf-8")
    + (_HERE / "flow.js").read_text(encoding="utf-8"),
)
_SECONDS = {"Write": "time/sampling", "Judge": "time/scoring", "Learn": "time/optimisation"}
_SAYS = {
    "": "Only the policy and its value head learn; the reward model and the reference stay as they are.",
    "write": "The policy answers every prompt, one token after the other.",
    "judge": "The reward model scores each whole response; reference and value head read every token of it.",
    "learn": "Advantages say which tokens did better than the value head expected; policy and value head follow them.",
}


def flow(subject: Subject) -> None:
    """The diagram of one update, and which of its three stages to light up."""
    if not subject.rows:
        st.caption("The first update appears here by itself.")
        return
    scrubber, lights = st.columns(2, gap="large")
    with scrubber:
        row = subject.rows[chosen_update(subject)]
    stage = lights.segmented_control("Light up", list(_SECONDS), key="ppo_stage", bind="query-params")
    drawn = _drawing(subject, row, _rollout(subject, row), (stage or "").lower())
    _component(data=drawn, key="ppo_flow", height="content")
    downloads("ppo_flow", f"ppo-flow-update-{int(row['step'] or 0)}")
    took = [
        f"{name.lower()} {seconds:.1f} s" for name, key in _SECONDS.items() if (seconds := row.get(key)) is not None
    ]
    st.caption(f"Update {int(row['step'] or 0)}: {', '.join(took)}. {_when(subject)}")
    show_code("core.alignment.ppo:judge", "core.alignment.ppo:optimise")


def _when(subject: Subject) -> str:
    """Where the run is now, as far as it is known: it reports whole updates."""
    if subject.run is None or subject.run.status == "finished":
        return "The run is over."
    if subject.run.stage == "evaluation":
        return "PPO is over: the run is measuring what came of it."
    if subject.moving:
        return "The run is at work on the update after it; a stage's seconds are known once the update is over."
    return f"The run is {subject.run.status}, between two updates."


def _rollout(subject: Subject, row: Row) -> RolloutFlow | None:
    """The update's own tensors, where the run still keeps them."""
    if subject.run is None:
        return None
    file = rollout_files(subject.run.folder).get(subject.numbers.get(int(row["step"] or 0), 0))
    try:
        return rollout_flow(file) if file else None
    except (OSError, KeyError):  # made room for a newer one, or kept by an earlier version
        return None


def _drawing(subject: Subject, row: Row, seen: RolloutFlow | None, stage: str) -> dict[str, Any]:
    dark = theme.dark()
    ink = TEXT.on(dark)
    responses = seen.responses if seen else int(subject.ppo.get("rollout_batch", 0))
    mean_length = float(row.get("response_length") or 0.0)
    shape = f"{responses} × {mean_length:.0f}"
    score, kl = float(row.get("objective/scores") or 0.0), float(row.get("objective/kl") or 0.0)
    terms = objective_of(row, float(subject.ppo.get("vf_coef", 0.1)), float(subject.ppo.get("entropy_coef", 0.0)))
    explained, steps = row.get("val/explained_variance"), int(row.get("optimizer_steps") or 0)
    separate = subject.ppo.get("value_model") == "separate"
    beta = float(row.get("kl_coef") or 0.0)

    def box(concept: str, title: str, words: list[str], stages: str, frozen: bool = False) -> dict[str, Any]:
        colour = CONCEPTS[concept].on(dark) if concept else ink
        return {
            "title": title,
            "words": words,
            "colour": colour,
            "dash": "6 4" if frozen else "",
            "stages": stages.split(),
        }

    def wire(concept: str, words: list[str], stages: str, dash: str = "") -> dict[str, Any]:
        colour = CONCEPTS[concept].on(dark) if concept else ink
        return {"words": words, "colour": colour, "stages": stages.split(), "dash": dash}

    charged = f"{score:.2f} − {beta:.3g} × {terms.kl:.2f}" if terms else f"score − {beta:.3g} × KL"
    charged += f" − {terms.missing_end:.2f} for missing ends" if terms and terms.missing_end else ""
    boxes = {
        "prompts": box("", "Prompts", [f"{responses} an update"], "write"),
        "policy": box("policy", "● Policy", [f"writes {shape}", "tokens an update"], "write learn"),
        "reference": box("reference", "○ Reference", ["where it began", "frozen"], "judge", frozen=True),
        "reward": box("reward", "◆ Reward model", ["one score per response", "frozen"], "judge", frozen=True),
        "value": box(
            "value", "V Value head", ["own trunk" if separate else "on the policy's trunk", "learns"], "judge learn"
        ),
        "paid": box("reward", "Reward", [charged, f"= {terms.reward:.2f} per response" if terms else ""], "judge"),
        "advantages": box(
            "policy",
            "Advantages (GAE)",
            [f"sd {seen.advantage_sd:.2f}, then whitened" if seen else "whitened over all tokens"]
            + ([f"{seen.pushed_up:.0%} of tokens pushed up"] if seen else []),
            "learn",
        ),
    }
    wires = {
        "asked": wire("", [], "write"),
        "to_reward": wire("policy", ["text"], "judge"),
        "to_reference": wire("policy", ["log π", "of each token"], "judge"),
        "to_value": wire("policy", ["states"], "judge"),
        "kl": wire("kl", [f"KL {kl:.2f} nats per response (k1)"], "judge", "2 3"),
        "score": wire("reward", [f"score {score:+.2f}"], "judge"),
        "values": wire("value", [f"V {seen.value:+.2f}" if seen else "V a token"], "learn"),
        "rewards": wire("reward", [f"r {seen.reward:+.3f}" if seen else "r", "a token"], "learn"),
        "learn": wire("policy", [f"{steps} optimiser steps" if steps else "optimiser steps"], "learn"),
        "learn_value": wire("value", [_learning(terms.loss if terms else None, row)], "learn"),
    }
    if explained is not None:
        wires["values"]["words"] += ["explains", f"{explained:+.0%}"]
    numbers = [["quantity", "value"], *([name, value] for name, value in row.items() if value is not None)]
    alt = (
        f"PPO's update {int(row['step'] or 0)}: the policy writes {shape} tokens to {responses} prompts; the reward "
        f"model's mean score is {score:.2f}, the KL to the reference {kl:.2f} nats per response; reward and values "
        f"give advantages, from which policy and value head learn in {steps} steps."
    )
    return {
        "key": "ppo_flow",
        "boxes": boxes,
        "wires": wires,
        "stage": stage,
        "says": _SAYS[stage],
        "alt": alt,
        "ground": GROUND.on(dark),
        "numbers": numbers,
    }


def _learning(loss: float | None, row: Row) -> str:
    words = [f"loss {loss:+.4f}"] if loss is not None else []
    clipped = row.get("policy/clipfrac_avg")
    return " · ".join(words + ([f"{clipped:.1%} clipped"] if clipped is not None else []))

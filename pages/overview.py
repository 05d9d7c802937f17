"""The whole of RLHF on one page: the picture with real numbers, the loop run live, and a prompt of the reader's own."""

from typing import Any

import streamlit as st

from core.alignment.ppo_reading.reading_curves import ends
from core.gallery import load_entry
from core.runs.store import Run, RunStore, Step
from pages._overview import cached_loop
from pages._overview.cached_loop import TITLE, claim
from pages._overview.own_prompt import own_prompt
from pages._overview.start import reveal, show, start_form
from pages._overview.story import story
from pages._parts import loop_view
from pages._parts.badge import badge
from pages._parts.before_after import SHOWN, before_after
from pages._parts.folded import folded
from pages._parts.header import page_header
from pages._parts.picture import pipeline_picture
from pages._parts.questions import closing
from pages._parts.run_view import LOOK, run_buttons, run_in_url
from pages._parts.state import Pipeline, run_pipeline
from pages._parts.told import fragment
from pages._parts.tour import invitation
from pages._parts.voters import voter_title


def length_note(steps: list[Step]) -> None:
    """What a better score may owe to shorter texts alone, where the responses shrank."""
    lengths = [step.metrics["response_length"] for step in steps if "response_length" in step.metrics]
    first, last = ends(lengths) if lengths else (0.0, 0.0)
    if last < 0.8 * first:
        st.caption(
            f"Look closer: its responses went from {first:.0f} to {last:.0f} tokens while it was tuned. "
            "Part of the gain may be length alone. The PPO page shows the curve."
        )


def cached(entry: dict[str, Any]) -> list[Step]:
    """The page's first screen before anything has run here: a real loop, computed earlier. Returns its reward steps."""
    screen = cached_loop.screen(entry)
    voter = screen.voter
    page_header("overview", TITLE, screen.claim)
    steps = [
        Step(number, stage, row["step"], 0.0, {name: value for name, value in row.items() if name != "step"})
        for stage, rows in entry["curves"].items()
        for number, row in enumerate(rows, 1)
    ]
    pipeline_picture(screen.pipeline, voter, screen.win_rate)
    with st.container(horizontal=True, vertical_alignment="center"):
        badge("cached", model=entry["model"], seed=entry["seed"], note=f"simulated voter {voter}")
        invitation()
        newest = next(iter(store.list("loop")), None)
        if newest and st.button("Show my newest run", type="tertiary", icon=":material/timeline:"):
            show(newest.id)
    before_after(entry["examples"], voter, "example")
    length_note(steps)

    def how_it_went() -> None:
        loop_view.curves(steps, voter)
        st.code(entry["command"], language="bash")

    folded("How that run went, and the command that repeats it", "how_it_went", how_it_went)
    return steps


def own(run: Run) -> list[Step]:
    """The run whose id is in the URL: live while it trains, then what it came to."""
    voter = voter_title(run.config["annotator"])
    going_on = loop_view.in_progress(run)
    words = (
        claim(run.result, voter, run.config["pairs"])
        if run.result
        else (f"{voter} votes, a second model learns the votes, and the first is tuned toward them.")
    )
    page_header("overview", TITLE, words, None if going_on else run_pipeline(store, run))
    if going_on:
        fragment(run_every=LOOK)(watch)(run.id, voter)
        return store.steps(run.id)
    steps = store.steps(run.id)
    picture(run, voter)
    with st.container(horizontal=True, vertical_alignment="center"):
        badge(
            "live", model=str(run.config["model"]), seed=run.config["seed"], run=run.id, note=f"simulated voter {voter}"
        )
        invitation()
        if "run" in st.query_params:
            st.button("Close this run", icon=":material/close:", type="tertiary", on_click=close_run)
    loop_view.trouble(run)
    if run.status != "finished":
        run_buttons(run)
    if run.result:
        reveal(run.result["gold_win_rate"])
    if examples := loop_view.heldout(run, SHOWN):
        before_after(examples, voter, "example")
        length_note(steps)
    loop_view.curves(steps, voter)
    return steps


def watch(run_id: str, voter: str) -> None:
    """The part of the page that a run at work redraws every second; the whole page once more when it has ended."""
    run = store.get(run_id)
    if not loop_view.in_progress(run):
        st.rerun()
    steps = store.steps(run_id)
    picture(run, voter)
    badge("live", model=str(run.config["model"]), seed=run.config["seed"], run=run.id, note=f"simulated voter {voter}")
    loop_view.progress(run, steps)
    loop_view.trouble(run)
    loop_view.writing_now(run, store.samples(run_id), voter)
    loop_view.curves(steps, voter)
    with st.container(horizontal=True, vertical_alignment="center"):
        run_buttons(run)


def picture(run: Run, voter: str) -> None:
    """The pipeline with the numbers of one run alone."""
    pipeline_picture(run_pipeline(store, run), voter, (run.result or {}).get("gold_win_rate"))


def close_run() -> None:
    """Back to the cached result; the run stays on the Runs page."""
    for name in ("run", "guess", "example"):
        st.query_params.pop(name, None)


def nothing_yet() -> list[Step]:
    """No cached result was shipped and nothing has run: the picture is empty, and says so."""
    words = "It writes, somebody votes, a second model learns the votes, and the first is tuned toward them."
    page_header("overview", TITLE, words)
    pipeline_picture(Pipeline(), "you")
    st.info(
        "There is no cached result in this copy: `python -m core gallery` computes one. Or run the loop below.",
        icon=":material/info:",
    )
    return []


def last(metric: str, steps: list[Step]) -> float | None:
    """The newest value of a reward model's metric."""
    return next(
        (step.metrics[metric] for step in reversed(steps) if step.stage == "reward" and metric in step.metrics), None
    )


def seconds(entry: dict[str, Any] | None) -> float | None:
    """How long the cached run took, its measuring included."""
    took = (entry or {}).get("result", {}).get("seconds", {})
    return took["total"] + took["evaluation"] if {"total", "evaluation"} <= set(took) else None


store = RunStore()
run, entry = run_in_url("loop"), load_entry("loop")
if run is None and entry is None:
    run = next((one for one in store.list("loop") if one.status == "finished"), None)
steps = own(run) if run else cached(entry) if entry else nothing_yet()

if not (run and loop_view.in_progress(run)):
    st.subheader("Run the whole loop", anchor=False)
    start_form(seconds(entry))
st.subheader("Begin a story yourself", anchor=False)
words_of_their_own = st.container()  # filled last: loading a model must not hold back the rest of the page

story(last("margin", steps), last("loss", steps))
closing(
    [
        (
            "What goes in and out of each of the three steps?",
            "In: a prompt, out: two responses and a vote. In: *prompt, chosen, rejected*, out: "
            "a model that scores any response. In: prompts, that score and the reference, out: new weights of the "
            "policy.",
        ),
        (
            "Why is the reward model a separate model?",
            "It must stay still while the policy moves. If both shared weights, each PPO step would change "
            "what is being maximised. It also answers a different question: one number for a whole text, not a "
            "distribution over the next token.",
        ),
        (
            "What does the KL tell that the score does not?",
            "What was given up. A score can rise because the text got better or because it drifted to "
            "something the reward model misjudges; the KL says how far the policy has moved to get it.",
        ),
    ],
    "label",
    "vote yourself: compare twenty pairs of responses",
)
with words_of_their_own:
    own_prompt(store)

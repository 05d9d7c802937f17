"""Before and after as a person uses it: scrub through checkpoints, vote blindly, and open both models inside."""

import re
import shutil

import pytest

from core.gallery import load_entry

LONG = 150_000  # ms: models load, and two slow cores may be shared
STOPS = load_entry("before_after")["data"]["checkpoints"]


@pytest.fixture
def home(served, monkeypatch):
    """The data folder of the app that is served."""
    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(served[1]))


def test_the_scrubber_plays_stops_steps_and_is_kept_in_the_url(page):
    page.goto("/before_after?view=Checkpoints&at=0")
    where = page.locator("output.where")
    where.wait_for(timeout=LONG)
    assert where.inner_text() == "reference"
    texts = page.locator(".answers p")
    assert texts.count() == 4
    first = STOPS[0]["rows"][0]
    assert texts.first.inner_text() == (first["prompt"] + first["response"]).rstrip()
    assert page.locator(".answers mark").count() == 0, "the reference differs from itself nowhere"

    page.get_by_role("button", name="▶ Play").click()
    where.filter(has_text="after update").wait_for()
    page.get_by_role("button", name="Pause").click()
    stopped = where.inner_text()
    page.wait_for_url(re.compile(r"at=[1-9]"), timeout=LONG)
    assert where.inner_text() == stopped

    page.goto(f"/before_after?view=Checkpoints&at={len(STOPS) - 2}")
    page.get_by_role("button", name="one checkpoint on").click(timeout=LONG)
    where.filter(has_text=f"after update {STOPS[-1]['update']}").wait_for()
    last = STOPS[-1]["rows"][0]
    assert texts.first.inner_text() == (last["prompt"] + last["response"]).rstrip()
    assert page.locator(".answers mark").count() > 0
    page.wait_for_url(re.compile(f"at={len(STOPS) - 1}"), timeout=LONG)
    page.reload()
    where.filter(has_text=f"after update {STOPS[-1]['update']}").wait_for(timeout=LONG)
    assert page.get_by_test_id("stException").count() == 0


def test_a_reader_votes_blindly_with_the_keyboard_and_then_sees_who_agrees(page, home):
    from core.feedback.blind import BlindTrial
    from core.feedback.store import FeedbackStore

    page.goto("/before_after?view=Blind+vote&annotator=eve")
    page.get_by_role("button", name="Left is better").wait_for(timeout=LONG)
    assert not re.search(r"tuned policy|○|●", page.locator(".st-key-blind_left").inner_text())
    trial = BlindTrial(FeedbackStore(), "eve", f"gallery@{STOPS[-1]['update']}", "held-out")
    for number, key in enumerate(
        ["ArrowLeft", "ArrowRight", "t", "ArrowLeft", "ArrowRight", "ArrowLeft", "t", "ArrowLeft"], 1
    ):
        prompt = page.locator(".st-key-blind_prompt").inner_text()
        page.keyboard.press(key)
        page.wait_for_function(
            "before => document.querySelector('.st-key-blind_prompt')?.innerText !== before", arg=prompt, timeout=LONG
        )
        assert len(trial.votes()) == number
    page.get_by_text("Who prefers the tuned text").wait_for(timeout=LONG)
    won = sum(vote.verdict == "tuned" for vote in trial.votes())
    page.get_by_text(f"{won} of n = 6 votes").wait_for()
    assert sum(vote.verdict == "tie" for vote in trial.votes()) == 2
    assert FeedbackStore().preference_pairs("eve") == []
    page.reload()
    page.get_by_text("Who prefers the tuned text").wait_for(timeout=LONG)


def a_run_with_a_checkpoint() -> str:
    """A run whose one kept checkpoint is the storyteller early in its pre-training, looked back over for real."""
    from core.anatomy.specimens import EARLY_WEIGHTS
    from core.record import Record
    from core.runs.jobs import LoopJob
    from core.runs.journal import Journal
    from core.runs.looking_job import LookBackJob
    from core.runs.recorder import execute
    from core.runs.store import RunStore

    store = RunStore()
    run = store.create(LoopJob(ppo={"max_new_tokens": 12}), run_id="loop-seen", queued=False)
    journal = Journal(store.engine, run.id)
    journal.write(1, Record(1, {"objective/kl": 1.0}, "ppo", total=1))
    journal.end("stopped", 1)
    shutil.copytree(EARLY_WEIGHTS, run.folder / "weights" / "00000001")
    assert execute(store.create(LookBackJob(of=run.id, count=4), queued=False).id).status == "finished"
    return run.id


def test_a_prompt_of_ones_own_and_the_links_inside(page, home):
    run = a_run_with_a_checkpoint()
    page.goto(f"/before_after?run={run}&own=The+cat+was+sad.")
    page.locator(".strip .token").first.wait_for(timeout=LONG)
    assert page.locator(".card.policy .said").inner_text().startswith("The cat was sad.")
    page.locator(".strip .token").first.click()
    page.get_by_text(re.compile(r"reference [\d.]+% → tuned [\d.]+% · KL here")).first.wait_for()
    for link, path, part in (
        ("Attention: one head", "attention", "As it learned"),
        ("Embeddings: which vectors", "embeddings", "What moved"),
        ("Block: the two models", "transformer_block", "Logit lens"),
    ):
        page.goto(f"/before_after?run={run}&own=The+cat+was+sad.")
        page.get_by_role("link", name=re.compile(link)).click(timeout=LONG)
        page.wait_for_url(re.compile(path), timeout=LONG)
        page.get_by_role("radio", name=part, checked=True).wait_for(timeout=LONG)
        assert re.search(r"model=[^&]*after\+step\+1", page.url), "a refresh would open another model"
        page.locator("p.claim").wait_for(timeout=LONG)
        assert page.get_by_test_id("stException").count() == 0

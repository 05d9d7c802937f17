"""Overview: the picture with real numbers, the loop from a click to its outcome, and a prompt of one's own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import PlaygroundError
from core.feedback.annotators import get_annotator
from core.language.registry import add_policy
from core.record import LEARNT, PAIR, WATCHED, Record
from core.runs import locks
from core.runs.store import RunStore
from pages._parts.text import escaped
from tests import tiny
from tests.pages.page_helpers import LOOP_RESULT, PAGES, a_run, fine, loop_records, opened, said, unfolded

ENTRY = {
    "model": "storyteller", "model_hash": "0123456789abcdef", "annotator": "sunny", "seed": 7,
    "command": "python -m core loop --model storyteller --annotator sunny --seed 7 --out DIR",
    "config": {"pairs": 1024}, "result": LOOP_RESULT,
    "examples": [
        {"prompt": "A fox", "reference_response": " was <b>sad</b>.", "tuned_response": " was glad.",
         "gold_reference": -2.0, "gold_tuned": 4.5},
        {"prompt": "A hen", "reference_response": " sat.", "tuned_response": " sang $happily$.",
         "gold_reference": 0.0, "gold_tuned": 3.0},
    ],
    "curves": {
        "reward": [{"step": 1, "loss": 0.69, "margin": 0.0}, {"step": 2, "loss": 0.55, "margin": 1.25}],
        "ppo": [{"step": 1, "objective/scores": 0.1, "objective/kl": 0.5}, {"step": 2, "objective/scores": 1.5, "objective/kl": 8.0}],
    },
}  # fmt: skip


@pytest.fixture
def gallery(tmp_path, monkeypatch):
    """A gallery of this test's own: empty until `gallery(entry)`."""
    folder = tmp_path / "gallery"
    folder.mkdir()
    monkeypatch.setattr("core.gallery.FOLDER", folder)
    return lambda entry: (folder / "loop.json").write_text(json.dumps(entry))


@pytest.fixture
def nobody_trains(monkeypatch):
    """Runs stay in the queue."""
    monkeypatch.setattr("core.runs.supervisor.tick", lambda: None)


def picture(at):
    (component,) = at.get("bidi_component")
    return json.loads(component.proto.json)


def test_the_first_screen_shows_the_cached_result_and_says_where_it_is_from(gallery):
    gallery(ENTRY)
    at = opened("overview")
    words = said(at)
    assert "Sunny, a simulated voter, compared 1,024 pairs" in words
    assert "92% of prompts it never saw, at 8.8 nats of KL." in words
    assert "cached real result" in words
    assert "seed 7" in words
    assert " was &lt;b&gt;sad&lt;/b&gt;." in words  # as text, not as bold
    assert ENTRY["command"] in said(unfolded(at, "How that run went, and the command that repeats it"))
    values = [station["value"] for station in picture(at)["stations"]]
    assert values == ["storyteller", "1,024 votes", "71% right", "KL 8.8 nats"]
    assert "Sunny's true taste 1.12 → 3.25" in picture(at)["loop"]


def test_the_equation_carries_the_numbers_of_the_picture(gallery):
    gallery(ENTRY)
    formulas = [element.value for element in opened("overview").latex]
    assert any("log" in formula and "r_\\theta(x, y_w) - r_\\theta(x, y_l)" in formula for formula in formulas)
    assert any(r"-\log \sigma(1.2500) = -\log 0.7773 = 0.252" in formula for formula in formulas)


def test_the_url_turns_to_another_example(gallery):
    gallery(ENTRY)
    assert " sang $happily$." in said(opened("overview", example="2"))


def test_a_loop_that_did_not_work_is_called_that(gallery):
    gallery(ENTRY | {"result": LOOP_RESULT | {"gold_win_rate": 0.5}})
    assert "no better than a coin" in said(opened("overview"))


def test_without_a_cached_result_the_page_says_so(gallery):
    at = opened("overview")
    assert "There is no cached result in this copy" in said(at)
    assert [station["value"] for station in picture(at)["stations"]] == ["storyteller", "0 votes", "—", "—"]


def test_without_a_cached_result_ones_own_newest_loop_stands_there(gallery):
    a_run(records=loop_records(LOOP_RESULT), run_id="mine")
    at = opened("overview")
    assert "run mine" in said(at)
    assert [station["value"] for station in picture(at)["stations"]][2] == "71% right"


def test_one_click_starts_the_loop_and_a_refresh_keeps_it(gallery, nobody_trains):
    at = opened("overview", voter="Terse", loop_kl_coef="0.3")
    fine(next(button for button in at.button if button.label == "Run the whole loop").click().run())
    (run,) = RunStore().list()
    assert (run.kind, run.config["annotator"], run.config["ppo"]["kl_coef"]) == ("loop", "terse", 0.3)
    assert at.query_params["run"] in (run.id, [run.id])
    refreshed = opened("overview", run=run.id)
    assert "Waiting for its turn" in said(refreshed)
    assert "Run the whole loop" not in [button.label for button in refreshed.button]


def test_a_loop_at_work_shows_how_far_it_is(gallery):
    run = a_run(status="running", records=loop_records(), pairs=512)
    with locks.run_lock(run.id):
        at = opened("overview", run=run.id)
    words = said(at)
    assert "<b>3 · PPO</b> 3 of 3" in words
    assert "<b>4 · Measuring</b> waits" in words
    assert {"Pause", "Stop"} <= {button.label for button in at.button}
    assert "**KL** &nbsp; 6 nats" in words
    assert [station["value"] for station in picture(at)["stations"]][1:] == ["512 votes", "70% right", "KL 6.0 nats"]
    assert picture(at)["stations"][3]["progress"] == 1.0


def test_a_loop_at_work_shows_what_it_has_just_written(gallery):
    pair = {"kind": PAIR, "prompt": "A fox", "left": " ran <b>.", "right": " sat."}
    run = a_run(status="running", records=[Record(1, {}, "preferences", 2, samples=[pair])], pairs=512)
    with locks.run_lock(run.id):
        words = said(opened("overview", run=run.id))
    assert "Sunny votes as soon as all pairs are there" in words and " ran &lt;b&gt;." in words and " sat." in words
    met = {"kind": LEARNT, "prompt": "A dog", "chosen": " ran.", "rejected": " <i>bit", "score_chosen": -0.25,
           "score_rejected": 0.5, "loss": 1.14}  # fmt: skip
    learning = Record(3, {"loss": 0.6}, "reward", 4, samples=[met])
    run = a_run(status="running", records=[*loop_records()[:3], learning], pairs=512)
    with locks.run_lock(run.id):
        words = said(opened("overview", run=run.id))
    assert "Δ = −0.25 − 0.50 ≈ −0.75, and −log σ(Δ) ≈ 1.14" in words
    assert "✓ Chosen · score -0.25" in words and "✗ Rejected · score +0.50" in words and " &lt;i&gt;bit" in words
    fresh = [{"prompt": "A hen", "response": f" clucked {n}.", "score": 1.25, "kl": 3.0} for n in range(3)]
    watched = {"kind": WATCHED, "update": 4, "prompt": "A cow", "response": " mooed.", "score": 0.0}
    update = Record(1, {}, "ppo", 2, samples=[*fresh, watched])
    run = a_run(status="running", records=[*loop_records()[:3], update], pairs=512)
    with locks.run_lock(run.id):
        words = said(opened("overview", run=run.id))
    assert "score +1.25 · KL 3.0 nats" in words and " clucked 1." in words
    assert " clucked 2." not in words and " mooed." not in words
    row = {"prompt": "A pig", "reference_response": " grunted.", "tuned_response": " smiled.", "kl": 3.0}
    measuring = Record(1, {}, "evaluation", 2, samples=[row])
    run = a_run(status="running", records=[*loop_records(), measuring], pairs=512)
    with locks.run_lock(run.id):
        words = said(opened("overview", run=run.id))
    assert " grunted." in words and " smiled." in words


def test_a_killed_loop_can_be_resumed(gallery, nobody_trains):
    run = a_run(status="running", records=loop_records())
    at = opened("overview", run=run.id)
    assert "interrupted: its process is gone" in said(at)
    fine(next(button for button in at.button if button.label == "Resume").click().run())
    assert RunStore().get(run.id).status == "queued"


def test_a_failed_loop_says_why(gallery):
    run = a_run(status="failed", error="The disk is full: free 40 MB.")
    assert "The disk is full: free 40 MB." in said(opened("overview", run=run.id))


def test_a_finished_loop_shows_its_texts_and_what_had_been_predicted(gallery):
    run = a_run(records=loop_records(LOOP_RESULT))
    (run.folder / "heldout.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ENTRY["examples"]))
    words = said(opened("overview", run=run.id, guess="60 to 75 %"))
    assert " was glad." in words
    assert "**You predicted 60 to 75 %. Measured: 92%.** More than you thought." in words
    assert f"run {run.id}" in words


def test_coming_back_to_a_run_brings_back_what_was_predicted_of_it(gallery):
    gallery(ENTRY)
    run = a_run(records=loop_records(LOOP_RESULT))
    for predicted, back in (({run.id: "60 to 75 %"}, True), ({"another": "about half"}, False)):
        at = opened("overview", guess="about half")
        at.session_state["loop_guesses"] = predicted
        button = next(button for button in at.button if button.label == "Show my newest run")
        words = said(fine(button.click().run()))
        assert ("**You predicted 60 to 75 %." in words) == back and "about half" not in words


def test_a_run_that_is_gone_is_no_error_page(gallery):
    gallery(ENTRY)
    words = said(opened("overview", run="gone"))
    assert "There is no run named gone" in words
    assert "Sunny, a simulated voter, compared" in words


def test_a_run_of_another_kind_is_not_taken_for_a_loop(gallery):
    gallery(ENTRY)
    reward = a_run("reward", preferences=["simulated:sunny:64"])
    assert "Sunny, a simulated voter, compared 1,024 pairs" in said(opened("overview", run=reward.id))


def test_ones_own_prompt_is_continued_by_both(gallery, monkeypatch):
    run = a_run(records=loop_records(LOOP_RESULT))
    (run.folder / "policy").mkdir()
    (run.folder / "policy" / "config.json").write_text("{}")
    asked = []
    monkeypatch.setattr(
        "pages._overview.own_prompt.write", lambda *of: asked.append(of) or f" [{Path(of[0]).name} writes happily]"
    )
    words = said(opened("overview", prompt="A crow", write_seed="5"))
    for concept, name in (("reference", "storyteller"), ("policy", "policy")):
        (card,) = re.findall(rf'<figure class="card {concept}">.*?A crow.*?</figure>', words)
        worth = get_annotator("sunny").utility("A crow", f" [{name} writes happily]")
        assert f"[{name} writes happily]" in card and f"Sunny's true taste {worth:+.2f}" in card and worth > 0
    assert [(of[1], of[2].seed) for of in asked] == [("A crow", 5), ("A crow", 5)]


def test_the_bundled_policy_really_writes(gallery):
    import torch  # noqa: F401 - a busy machine takes a minute to import it, which is not what the page is timed for
    import transformers  # noqa: F401

    words = said(opened("overview", prompt="Once upon a time, there was a", tokens="8"))
    (response,) = re.findall(r"○ storyteller.*?there was a</span>(.*?)</p>", words)
    assert len(response.split()) >= 3
    assert "No tuned policy yet" in words


def test_a_policy_that_cannot_be_loaded_says_why_in_plain_text(gallery, nobody_trains, monkeypatch):
    why = "/models/__old__ :red[x] is missing: get it."

    def fail(*_, **__):
        raise PlaygroundError(why)

    monkeypatch.setattr("pages._overview.own_prompt.write", fail)
    at = opened("overview", prompt="A crow")
    assert [error.value for error in at.error] == [escaped(why)]
    monkeypatch.setattr("core.runs.supervisor.submit", fail)
    begin = next(button for button in opened("overview").button if button.label == "Run the whole loop")
    at = fine(begin.click().run())
    assert [error.value for error in at.error] == [escaped(why)]


def test_a_loop_begins_with_any_model_but_what_a_run_has_tuned(gallery, tmp_path):
    """A folder of one's own may lie under one called `runs`, as those of other programs do."""
    own, tuned = tmp_path / "runs" / "mine", a_run(records=loop_records(LOOP_RESULT)).folder / "policy"
    for folder in (own, tuned):
        tiny.gpt2().save_pretrained(folder)
        tiny.tokenizer().save_pretrained(folder)
    add_policy(str(own))
    (picker,) = [box for box in opened("overview").selectbox if box.key == "policy"]
    assert "mine" in picker.options and not any("policy of run" in title for title in picker.options)


def test_the_first_page_does_not_import_torch():
    """In a process of its own: this one may have it already."""
    program = (
        "import sys; from streamlit.testing.v1 import AppTest; "
        f"at = AppTest.from_file({str(PAGES / '_router.py')!r}, default_timeout=60).run(); "
        "assert not at.exception and at.title[0].value; "
        "print(sorted({'torch', 'transformers', 'sklearn', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PAGES.parent, capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"

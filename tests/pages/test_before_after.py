"""Before and after as a reader goes through it: the cached example, a run of one's own, the blind vote, the rounds."""

from types import SimpleNamespace

import pytest

from core.alignment.before_after.estimates import Estimate
from core.alignment.before_after.in_numbers import compared, win_rate
from core.feedback.blind import BlindTrial
from core.feedback.store import FeedbackStore
from core.gallery import load_entry
from core.language.registry import STORYTELLER, model_hash
from core.record import Record
from core.runs import supervisor
from core.runs.store import RunStore
from core.share import Share
from pages._before_after import checkpoints, numbers
from tests.pages.page_helpers import a_run, fine, opened, said

ENTRY = load_entry("before_after")
ROWS = ENTRY["data"]["checkpoints"]
PPO = {"updates": 3}


@pytest.fixture(autouse=True)
def no_workers(monkeypatch):
    """Runs are queued, and nobody carries them out."""
    monkeypatch.setattr(supervisor, "tick", lambda: None)


def looked_back(run_id="loop-1", rows=8):
    """A finished loop, and a look back that came to the reference and two checkpoints of it."""
    run = a_run("loop", run_id=run_id, ppo=PPO, annotator="sunny")
    stops = [ROWS[0], ROWS[1], ROWS[-1]]
    records = [
        Record(
            n,
            {"update": float(stop["update"])},
            "looking back",
            3,
            samples=[row | {"update": stop["update"], "specimen": f"{run_id}@{n}"} for row in stop["rows"][:rows]],
            result={"checkpoints": 3} if n == 3 else None,
        )
        for n, stop in enumerate(stops, 1)
    ]
    a_run("look-back", of=run_id, records=records, run_id=f"look-{run_id}", count=rows)
    return run


def test_the_cached_example_is_of_the_shipped_model_and_holds_together():
    assert ENTRY["model_hash"] == model_hash(STORYTELLER)
    updates = [stop["update"] for stop in ROWS]
    assert updates[0] == 0 and updates == sorted(set(updates)) and len(updates) >= 3
    assert all(row["kl"] == 0 for row in ROWS[0]["rows"])
    for place, read in enumerate(ENTRY["data"]["read"]):
        assert read["reference"] == ROWS[0]["rows"][place]["response"]
        assert read["tuned"] == ROWS[-1]["rows"][place]["response"]
        total = sum(one["kl"] for one in read["read_tuned"])
        assert total == pytest.approx(ROWS[-1]["rows"][place]["kl"], rel=0.02, abs=1e-3)
    rounds = ENTRY["data"]["rounds"]
    assert len(rounds) == 3 and all(one["kl_first"] is not None for one in rounds)
    assert "/" not in "".join(one["model"] for one in rounds)


def test_it_opens_on_one_prompt_read_by_both_models():
    at = opened("before_after")
    words = said(at)
    first = ENTRY["data"]["read"][0]
    assert ROWS[0]["rows"][0]["prompt"].split()[0] in words
    total = sum(one["kl"] for one in first["read_tuned"])
    assert f"**{total:.2f} nats**" in words
    assert "cached real result" in words and "python -m core gallery" in words
    assert len(at.expander) >= 4  # the code, and three questions


def test_another_prompt_and_another_checkpoint_come_from_the_url():
    at = opened("before_after", which="2", after=str(ROWS[1]["update"]))
    words = said(at)
    assert ROWS[0]["rows"][1]["prompt"][:20] in words
    assert "Move the slider to the end" in words


def test_the_reference_text_can_be_read_too():
    at = opened("before_after", read="reference", shade="KL here")
    total = sum(one["kl"] for one in ENTRY["data"]["read"][0]["read_reference"])
    assert f"**{total:.2f} nats**" in said(at)


def test_the_checkpoints_claim_is_what_was_measured():
    words = said(opened("before_after", view="Checkpoints"))
    before, after = (sum(row["gold"] for row in stop["rows"]) / len(stop["rows"]) for stop in (ROWS[0], ROWS[-1]))
    assert f"{before:.2f} → {after:.2f}" in words


def test_the_numbers_hide_variety_until_the_reader_has_said_what_they_expect():
    at = opened("before_after", view="In numbers")
    share = win_rate(ROWS[0]["rows"], ROWS[-1]["rows"], "gold")
    assert f"on {share.value:.0%}**" in said(at) and "distinct-2 went" not in said(at)
    at = opened("before_after", view="In numbers", varied="less varied")
    two = compared(ROWS[0]["rows"], ROWS[-1]["rows"])["distinct_2"]
    assert f"distinct-2 went from {two.before.value:.3f} to {two.after.value:.3f}" in said(at)


def test_a_blind_vote_is_stored_and_judged_beside_the_others():
    at = opened("before_after", view="Blind vote", annotator="ada")
    assert "Who prefers" not in said(at)
    for _ in range(8):
        at = fine(at.button("blind_vote_left").click().run())
    trial = BlindTrial(FeedbackStore(), "ada", f"gallery@{ROWS[-1]['update']}", "held-out")
    votes = trial.votes()
    assert len(votes) == 8
    won = sum(vote.verdict == "tuned" for vote in votes)
    assert "Who prefers the tuned text" in said(at) and f"{won} of n = 8 votes" in said(at)
    assert FeedbackStore().preference_pairs() == [] and FeedbackStore().votes() == []
    at = fine(at.button("blind_undo").click().run())
    assert len(trial.votes()) == 7


def test_the_result_waits_for_enough_votes_unless_it_is_asked_for():
    at = opened("before_after", view="Blind vote")
    at = fine(at.button("blind_vote_right").click().run())
    assert "Who prefers" not in said(at)
    at = fine(at.button("blind_reveal").click().run())
    assert "Who prefers" in said(at)


def test_the_cached_rounds_stand_in_a_row():
    words = said(opened("before_after", view="Again"))
    for one in ENTRY["data"]["rounds"]:
        assert f"Round {one['number']}" in words and f"{one['kl_first']:.1f} nats" in words
    assert "cannot be carried on" in words


def test_a_finished_run_is_looked_back_over_by_itself_and_once():
    run = a_run("loop", ppo=PPO)
    for _ in range(2):
        at = opened("before_after", run=run.id)
    (look,) = RunStore().list("look-back")
    assert look.config["of"] == run.id and look.config["seed"] == 1_000_003
    assert "answers the same held-out prompts now" in said(at)


def test_a_run_that_still_trains_is_left_alone():
    run = a_run("loop", status="queued", ppo=PPO)
    assert "still at work" in said(opened("before_after", run=run.id))
    assert RunStore().list("look-back") == []


def test_the_texts_of_a_look_back_are_shown_while_the_models_cannot_be_opened():
    run = looked_back()
    words = said(opened("before_after", run=run.id))
    assert ROWS[0]["rows"][0]["prompt"][:20] in words
    assert "no saved weights" in words.lower() or "could not be opened" in words.lower()
    assert said(opened("before_after", run=run.id, view="Checkpoints")).count("→") >= 4


def test_the_next_round_begins_where_this_one_ended():
    run = looked_back()
    policy = run.folder / "policy"
    policy.mkdir(parents=True)
    (policy / "config.json").write_text("{}")
    at = opened("before_after", run=run.id, view="Again")
    assert "Round 1" in said(at)
    at = fine(at.button("next_round").click().run())
    job = next(one for one in RunStore().list("loop") if one.id != run.id)
    assert job.config["model"] == str(policy) and job.config["first"] == "storyteller"
    assert at.session_state["run"] == job.id
    assert "Round 2" in said(at) and "Round 1" in said(at)


def test_a_run_that_is_not_there_is_said_to_be_missing():
    assert "no PPO or loop run" in said(opened("before_after", run="loop-gone"))


def test_a_lost_taste_and_a_lost_vote_are_not_called_chance():
    """Up and all the way down again is a fall; 20 of 100 is a defeat."""

    def at(gold):
        return {"gold": Estimate(gold, gold - 0.1, gold + 0.1), "kl": Estimate(3.0, 2.9, 3.1)}

    subject = SimpleNamespace(voter="Sunny", checkpoints=[{"update": update} for update in (0, 4, 8)])
    assert "best after update 4 and has fallen since" in checkpoints.claim(subject, [at(1.0), at(3.0), at(1.0)])
    assert "not risen for certain" in checkpoints.claim(subject, [at(1.0), at(1.1), at(1.0)])
    assert "rises from 1.00 to 3.00" in checkpoints.claim(subject, [at(1.0), at(2.0), at(3.0)])
    found = {"length": SimpleNamespace(moved=False)}
    for hits, words in (
        (20, "20% of unseen prompts: fewer than chance"),
        (52, "which chance could do"),
        (80, "80% of unseen prompts."),
    ):
        assert words in numbers._claim(subject, found, Share(hits, 100))


def test_a_url_that_asks_the_cached_example_for_other_texts_gets_the_example():
    """Its weights are not here: no other prompt, seed or temperature can be answered."""
    plain = said(opened("before_after"))
    for url in ({"own": "Hello"}, {"own_seed": "5"}, {"own_temperature": "1.7"}):
        assert said(opened("before_after", **url)) == plain

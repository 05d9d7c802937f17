"""The strip above every page: which runs and votes of the reader's own its numbers are of."""

from core.feedback.store import FeedbackStore, NewPair
from core.record import Record
from pages._parts.picture_words import picture_words
from pages._parts.state import Pipeline, my_pipeline
from tests.pages.page_helpers import LOOP_RESULT, a_run, loop_records

TUNED = [Record(n, {"objective/scores": 0.5 * n, "objective/kl_exact": 2.0 * n}, "ppo", 3) for n in (1, 2, 3)]


def test_the_strip_shows_what_is_finished_until_the_next_one_is():
    done = a_run("ppo", records=TUNED, reward_model="somewhere")
    a_run("ppo", "stopped", TUNED[:1], reward_model="somewhere")
    state = my_pipeline()
    assert (state.ppo_run, state.busy) == (done.id, "")
    tuned = a_run(
        "ppo",
        records=[*TUNED[:2], Record(3, TUNED[2].metrics, "ppo", 3, result={"kl": 5.2, "kl_exact": 6.0})],
        reward_model="x",
    )
    assert my_pipeline().kl == 6.0  # what the page of PPO says, and not the estimate beside it in the result
    assert my_pipeline().ppo_run == tuned.id
    waiting = a_run("ppo", "queued", reward_model="somewhere")
    state = my_pipeline()
    assert (state.ppo_run, state.busy) == (waiting.id, "ppo")


def test_a_loop_that_has_only_begun_has_no_votes_yet():
    a_run("loop", "queued", pairs=1536)
    state = my_pipeline()
    assert state.busy == "preferences" and state.stations()[1].state == "0% done"
    at_a_quarter = Pipeline(votes=1536, busy="preferences", progress=0.25)
    assert [picture_words(one, "Sunny", None)["stations"][1]["value"] for one in (at_a_quarter, Pipeline(votes=1))] == [
        "384 of 1,536 pairs",
        "1 vote",
    ]


def test_the_strip_says_when_a_reward_model_learned_from_others_votes_than_ones_own():
    feedback = FeedbackStore()
    feedback.add_pairs([NewPair("A fox", " ran.", " sat.", "storyteller", "stories")], "written")
    a_run("reward", preferences=["simulated:sunny:512"])
    assert not my_pipeline().unlearnt  # there are none of one's own
    feedback.vote(feedback.next_pair("me", "storyteller", "stories"), "me", "left", response_seconds=1.0)
    assert my_pipeline().stations()[1].state == "1 vote, not in this model"
    a_run("reward", preferences=["simulated:sunny:512", "votes:me"])
    assert my_pipeline().stations()[1].state == "1 vote"
    feedback.vote(feedback.next_pair("bob", "storyteller", "stories"), "bob", "right", response_seconds=1.0)
    assert my_pipeline().stations()[1].state == "2 votes of 2 people"  # nobody takes all of them for theirs


def test_a_policy_stands_beside_the_reward_model_that_paid_it():
    loop = a_run("loop", records=loop_records({**LOOP_RESULT, "reward_accuracy": 0.72, "kl": 8.1}))
    taught = a_run("reward", preferences=["simulated:sunny:512"], records=[heldout(0.67)])
    state = my_pipeline()  # learnt after the loop, and nothing is tuned with it yet
    assert (state.accuracy, state.kl, state.reward_run, state.ppo_run) == (0.67, None, taught.id, "")
    paid = {"reward_model": str(taught.folder / "reward_model")}
    tuned = a_run("ppo", **paid, records=[Record(1, {"objective/kl_exact": 5.5}, "ppo", 1)])
    state = my_pipeline()
    assert (state.accuracy, state.kl, state.reward_run, state.ppo_run) == (0.67, 5.5, taught.id, tuned.id)
    a_run("reward", preferences=["simulated:sunny:512"], records=[heldout(0.61)])
    assert (my_pipeline().accuracy, my_pipeline().kl) == (0.61, None)
    again = a_run("ppo", **paid, records=[Record(1, {"objective/kl_exact": 6.5}, "ppo", 1)])
    state = my_pipeline()  # the newest policy was paid by the older reward model
    assert (state.accuracy, state.kl, state.reward_run, state.ppo_run) == (0.67, 6.5, taught.id, again.id)
    assert loop.id not in (state.reward_run, state.ppo_run)


def heldout(accuracy: float) -> Record:
    return Record(1, {"loss": 0.5, "heldout/accuracy": accuracy}, "reward", 1)

"""The reward model cross-examined: any two texts, its mistakes, its doubts, other models, a flipped vote."""

import math
import re

import pytest
from streamlit.testing.v1 import AppTest

from core.alignment.configs import RewardConfig
from core.alignment.cross_examination.run_pairs import taught, write_run_pairs
from core.alignment.cross_examination.scored_pairs import overlap
from core.alignment.cross_examination.verdict import laplace_verdict
from core.alignment.reward_training import split_by_prompt
from core.feedback.pairs import PreferencePair
from core.record import Record
from core.runs.jobs import RewardJob
from core.runs.store import RunStore
from pages._reward_model import views
from tests.pages.page_helpers import a_run, fine, opened, said
from tests.pages.reward_helpers import (  # noqa: F401 - one is a fixture
    PAIRS,
    RESULT,
    charts,
    nothing_starts,
    steps,
)


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """A reward model that has learned nothing but has an opinion: the storyteller's trunk under a random head."""
    import torch

    from core.alignment.reward_folders import save_reward_model
    from core.alignment.reward_model import Normalisation, new_reward_model
    from core.language.registry import load_policy

    policy, tokenizer = load_policy("storyteller")
    model = new_reward_model(policy, tokenizer)
    torch.manual_seed(0)
    torch.nn.init.normal_(model.score.weight, std=0.05)
    folder = tmp_path_factory.mktemp("judge") / "reward_model"
    save_reward_model(model, tokenizer, Normalisation(0.5, 2.0), folder)
    return folder


VOTES = [
    PreferencePair(pair.prompt, *both, annotator="sunny")
    for place, pair in enumerate(PAIRS)
    for both in [(pair.response_a, pair.response_b) if place % 4 else (pair.response_b, pair.response_a)]
]


@pytest.fixture
def finished(judge):
    run = a_run("reward", records=steps(result=RESULT), preferences=["bundled:sunny"], reward={"heldout_share": 0.4})
    run.folder.mkdir(parents=True, exist_ok=True)
    (run.folder / "reward_model").symlink_to(judge)
    write_run_pairs(run.folder, taught(VOTES, "bundled:sunny"))
    return run


def part(name: str, run=None, **url: str) -> AppTest:
    return opened("reward_model", part=name, **({"run": run.id} if run else {}), **url)


def scores_by(judge, pairs):
    from core.alignment.reward_folders import load_reward_model
    from core.alignment.reward_model import score

    model = load_reward_model(judge)
    prompts, texts = [p.prompt for p in pairs] * 2, [p.chosen for p in pairs] + [p.rejected for p in pairs]
    found = score(model.model, model.tokenizer, prompts, texts).tolist()
    return found[: len(pairs)], found[len(pairs) :]


def test_the_overlap_of_its_scores_is_said_in_numbers(finished, judge):
    _, heldout = split_by_prompt(VOTES, 0.4, 0)
    chosen, rejected = scores_by(judge, heldout)
    found = overlap(chosen, rejected)
    words = said(opened("reward_model", run=finished.id))
    assert f"outscores a rejected one of *any* prompt **{found.above:.0%}**" in words
    assert f"**{found.distance:.2f}** standard deviations apart" in words


def test_any_two_texts_are_scored_as_core_scores_them(finished, judge):
    from core.alignment.reward_folders import load_reward_model
    from core.alignment.reward_model import score

    at = part("Ask it", finished)
    at.text_area(key="try_prompt").set_value("The dog")
    at.text_area(key="try_a").set_value(" barked.")
    at.text_area(key="try_b").set_value(" slept all day.")
    at = fine(at.run())
    model = load_reward_model(judge)
    a, b = score(model.model, model.tokenizer, ["The dog"] * 2, [" barked.", " slept all day."]).tolist()
    found = {metric.label: (metric.value, metric.delta) for metric in at.metric}
    assert found["Score of A"] == (f"{a:+.3f}", f"{(a - 0.5) / 2:+.2f} sd")
    assert found["Score of B"] == (f"{b:+.3f}", f"{(b - 0.5) / 2:+.2f} sd")
    probability = f"{1 / (1 + math.exp(b - a)):.1%}"
    assert f"A wins with probability **{probability}**" in said(at)
    at = fine(at.slider(key="try_shift").set_value(7.0).run())
    assert f"Scores {a + 7:+.2f} and {b + 7:+.2f}: probability **{probability}**" in said(at)


def test_a_link_carries_the_texts_that_are_asked_about(finished):
    at = part("Ask it", finished, try_prompt="The dog", try_a=" barked.", try_b=" slept & dreamt.")
    asked = [at.text_area(key=name).value for name in ("try_prompt", "try_a", "try_b")]
    assert asked == ["The dog", " barked.", " slept & dreamt."]


def test_of_two_equal_texts_it_prefers_neither(finished):
    at = part("Ask it", finished)
    for name in ("try_a", "try_b"):
        at.text_area(key=name).set_value(" barked.")
    words = said(fine(at.run()))
    assert "It gives both texts the same score" in words and "It has no preference" in words
    assert "prefers **" not in words


def test_too_few_votes_for_a_curve_are_said_before_it_is_measured():
    run = a_run("reward", records=steps(result=RESULT | {"pairs_train": 20}), preferences=["votes"])
    at = part("More votes", run)
    assert "It learned from 20 votes, too few for a curve" in "".join(one.value for one in at.info)
    assert not [one for one in at.button if one.key == "curve_start"]


def test_one_model_alone_gives_the_interval_of_its_head(finished, judge):
    from core.alignment.cross_examination.reward_views import HeadDoubt
    from core.alignment.reward_folders import load_reward_model

    at = part("Ask it", finished)
    doubt = HeadDoubt(load_reward_model(judge), taught(VOTES, ""), RewardConfig(heldout_share=0.4))
    pair = PAIRS[0]
    model = load_reward_model(judge)
    a, b = scored_pair(model, pair)
    verdict = laplace_verdict(a - b, doubt.sd(pair.prompt, pair.response_a, pair.response_b))
    assert f"95% interval **{verdict.low:.0%} to {verdict.high:.0%}**" in said(at)
    assert "last-layer Laplace" in said(at)


def scored_pair(model, pair):
    from core.alignment.reward_model import score

    return score(model.model, model.tokenizer, [pair.prompt] * 2, [pair.response_a, pair.response_b]).tolist()


def test_the_equation_takes_the_vote_it_is_given(finished):
    at = part("Ask it", finished)
    formulas = []
    for vote in ("A", "B"):
        at = fine(at.segmented_control(key="try_vote").set_value(vote).run())
        formulas.append(at.latex[-1].value)
    assert formulas[0] != formulas[1]
    pulls = [
        float(text.split("**")[1].replace("−", "-"))
        for text in said(at).splitlines()
        if "in the chosen score is" in text
    ]
    assert -1 <= pulls[0] <= 0


def test_what_it_latched_on_to_and_each_words_worth(finished, judge):
    from core.alignment.cross_examination.word_deletion import word_deletions
    from core.alignment.reward_folders import load_reward_model

    at = part("What it likes", finished)
    assert "24 responses of the storyteller" in said(at)
    at = fine(at.text_area(key="words_response").set_value(" ran to the happy park.").run())
    found = word_deletions(load_reward_model(judge), PAIRS[0].prompt, " ran to the happy park.")
    shown = float(re.search(r"sum to \*\*([+-][\d.]+) sd", said(at)).group(1))
    assert shown == pytest.approx(found.summed / 2, abs=0.0051)  # two places are shown


def test_the_worst_mistakes_are_listed_filtered_and_paged(finished, judge):
    _, heldout = split_by_prompt(VOTES, 0.4, 0)
    chosen, rejected = scores_by(judge, heldout)
    wrong = [place for place in range(len(heldout)) if chosen[place] < rejected[place]]
    at = part("Worst mistakes", finished)
    assert f"It got **{len(wrong)}** of {len(heldout)} wrong" in said(at)
    worst = max(wrong, key=lambda place: rejected[place] - chosen[place])
    cards = [element.proto.body for element in at.get("html") if "card chosen" in element.proto.body]
    assert heldout[worst].chosen in cards[0]
    at = fine(at.text_input(key="mistakes_text").set_value("no such word").run())
    assert "No vote is left by this filter" in at.info[0].value
    everything = part("Worst mistakes", finished, mistakes_all="true")
    assert f"1 of {len(heldout)}" in said(everything)


@pytest.mark.parametrize(
    ("name", "button", "kind", "more"),
    [
        ("How sure", "ensemble_start", "ensemble", {"members": 4}),
        ("More votes", "curve_start", "curve", {"seeds": 3}),
        ("Flip a vote", "flip_start", "flip", {}),
    ],
)
def test_experiments_learn_the_same_votes_with_the_same_settings(finished, name, button, kind, more):
    at = fine(part(name, finished).button(key=button).click().run())
    (run,) = RunStore().list(kind)
    assert run.config["of"] == finished.id and run.config["model"] == "storyteller"
    assert run.config["reward"] == RewardConfig(heldout_share=0.4).model_dump()
    assert more.items() <= run.config.items()
    assert "waiting for its turn" in said(at)


def test_the_vote_flipped_is_the_one_resisted_most(finished, judge):
    train, _ = split_by_prompt(VOTES, 0.4, 0)
    chosen, rejected = scores_by(judge, train)
    worst = max(range(len(train)), key=lambda place: rejected[place] - chosen[place])
    fine(part("Flip a vote", finished).button(key="flip_start").click().run())
    assert VOTES[RunStore().list("flip")[0].config["place"]] == train[worst]


FLIPPED = {
    "place": 3, "prompt": "Once.", "chosen": " Good.", "rejected": " Bad.", "voter": "ada", "pairs_train": 460,
    "scores": {"unflipped": [1.0, 0.0], "flipped": [0.5, 1.0]}, "difference_to_original": 0.0,
    "neighbours": {name: [{"prompt": "p", "response": " x", "likeness": 0.9, "scores": [0.0, 0.1]}]
                   for name in ("chosen", "rejected")},
    "heldout": {"accuracy": [0.75, 0.5], "log_loss": [0.5, 0.6], "differences": [[1.0, -1.0], [-0.5, -1.0]],
                "turned": 1},
}  # fmt: skip


def test_what_a_flip_changed_is_revealed_after_the_prediction(finished):
    a_run("flip", records=[Record(1, {}, "measuring", 1, result=FLIPPED)], of=finished.id, place=3)
    at = part("Flip a vote", finished)
    assert "bit for bit" in said(at)
    assert "37.8%" not in said(at)
    at = fine(part("Flip a vote", finished, flip_guess="more than 10 points"))
    before, after = 1 / (1 + math.exp(-1.0)), 1 / (1 + math.exp(0.5))
    assert f"**{before:.1%} → {after:.1%}**, −{100 * (before - after):.1f} points" in said(at)
    assert "As you said." in said(at)
    assert "**75.0% → 50.0%** (-25.0 points)" in said(at)
    assert "turned 1 of 2 unseen pairs" in said(at)


def test_a_learning_curve_is_drawn_while_it_is_measured(finished):
    rows = [
        {"votes": 32.0, "seed": 0.0, "epochs": 8.0, "loss": 0.1, "heldout/accuracy": 0.6, "heldout/log_loss": 0.68},
        {"votes": 64.0, "seed": 0.0, "epochs": 6.0, "loss": 0.1, "heldout/accuracy": 0.7, "heldout/log_loss": 0.6},
        {"votes": 128.0, "seed": 0.0, "epochs": 3.0, "loss": 0.1, "heldout/accuracy": 0.8, "heldout/log_loss": 0.5},
    ]
    a_run("curve", records=[Record(n, row, "curve", 3) for n, row in enumerate(rows, 1)], of=finished.id)
    at = part("More votes", finished)
    assert "From 32 to 128 votes it goes from 60% to 80% right" in said(at)
    assert "with one seed: whether more votes would help" in said(at)
    assert charts(at) == 2
    rows += [row | {"seed": 1.0, "heldout/accuracy": row["heldout/accuracy"] + 0.02} for row in rows]
    a_run("curve", records=[Record(n, row, "curve", 6) for n, row in enumerate(rows, 1)], of=finished.id)
    assert "still rising: the last step brought 10.0 points" in said(part("More votes", finished))


def test_two_models_meet_on_pairs_neither_has_learned_from(finished, judge):
    other = a_run("reward", records=steps(result=RESULT), preferences=["bundled:sunny"], reward={"heldout_share": 0.4})
    other.folder.mkdir(parents=True, exist_ok=True)
    (other.folder / "reward_model").symlink_to(judge)
    write_run_pairs(other.folder, taught(VOTES, "bundled:sunny"))
    at = part("Two models", finished)
    assert "too few" in at.info[0].value  # five held-out pairs
    at = fine(at.segmented_control(key="compared_on").set_value("bundled pairs").run())
    assert "They differ by 0.0 points on 12 pairs" in said(at)
    assert "They favour the same text in **100%**" in said(at)
    assert "p = 1" in said(at)


def test_every_part_opens_on_a_cached_result():
    for name in ("How good", "Worst mistakes", "What it likes", "Ask it", "How sure", "More votes", "Two models",
                 "Flip a vote"):  # fmt: skip
        at = part(name)
        assert "cached real result" in said(at), name
        assert not at.error, name


def test_a_run_that_wrote_nothing_down_says_so(finished):
    (finished.folder / "pairs.jsonl").unlink()
    assert "did not write down" in said(opened("reward_model", run=finished.id)).replace("\\", "")
    assert "did not write down" in said(part("Worst mistakes", finished)).replace("\\", "")


def test_a_run_made_under_the_name_of_one_that_was_deleted_is_another(own_home):
    """What was computed of the old one is kept by the name, and must not be shown for the new one."""
    for words in ("old", "new"):
        run = RunStore().create(RewardJob(preferences=("votes",)), run_id="mine", queued=False)
        write_run_pairs(run.folder, taught([PreferencePair(words, " a", " b")], "file"))
        assert [one.pair.prompt for one in views.run_pairs("mine")] == [words]
        assert views.run_pairs("mine") == views.run_pairs("mine")
        RunStore().delete("mine")

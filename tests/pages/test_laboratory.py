"""Goodhart, Frontier and Clinic: they open on real results, say what was measured, and keep their secrets."""

import pytest

from core.alignment.experiments.clinic_reading import symptoms
from core.alignment.experiments.failures import FAILURES
from core.alignment.experiments.goodhart_reading import mean_over_seeds, outcome
from core.gallery import load_entry
from pages._goodhart.voters import ENTRIES
from pages._parts.text import minus
from tests.pages.page_helpers import a_run, fine, opened, said, unfolded


def chart_count(at):
    return len(at.get("vega_lite_chart")) + len(at.get("arrow_vega_lite_chart"))


@pytest.mark.parametrize("part", ["PPO", "Best of n", "Light and heavy errors", "Two tastes"])
def test_every_part_of_goodhart_opens_on_numbers(part):
    at = opened("goodhart", part=part)
    assert at.title[0].value == "Goodhart" and "Nothing has been computed" not in said(at)
    assert chart_count(at) >= 1


@pytest.mark.parametrize("voter", ENTRIES)
def test_goodharts_claim_says_whether_anything_broke(voter):
    entry = load_entry(ENTRIES[voter])
    means = mean_over_seeds(entry["data"]["findings"])
    batch = entry["key"]["ppo"]["rollout_batch"]
    ends = {key: outcome(m["kl"], m["proxy"], m["gold"], batch * len(m["seeds"])) for key, m in means.items()}
    broke = [key for key, one in ends.items() if one.broke]
    for beta in entry["key"]["betas"]:
        words = said(opened("goodhart", goodhart_voter=voter, goodhart_beta=f"{beta:g}"))
        drawn = [ends[key] for key in broke if key[1:] == (beta, "single")]  # the sentence is of what is drawn
        if drawn:
            worst = max(drawn, key=lambda one: (one.misled, one.fall))
            assert ("while the score said" in words) == worst.misled
            assert (
                minus(f"fell back to {worst.gold:+.1f}") in words and f"{len(broke)} of {len(ends)} settings" in words
            )
        else:
            assert (f"in {len(broke)} of all" if broke else "Nothing broke") in words and "fell back to" not in words


@pytest.mark.parametrize("part", ["PPO", "Best of n"])
def test_each_voters_numbers_are_their_own(part):
    words = {voter: said(opened("goodhart", part=part, goodhart_voter=voter)) for voter in ENTRIES}
    assert len(set(words.values())) == len(ENTRIES)


def test_a_prediction_is_answered_by_the_measurement_of_its_voter_alone():
    at = opened("goodhart", goodhart_voter="Sunny")
    assert "Gold at the end" not in said(at) and "**Ensemble**" not in said(at)
    at = opened("goodhart", goodhart_voter="Sunny", goodhart_guess_sunny="no difference")
    assert "Gold at the end" in said(at) and "**Ensemble**" in said(at)
    means = mean_over_seeds(load_entry("goodhart")["data"]["findings"])
    key = next(key for key in means if key[2] == "min")
    worst = outcome(means[key]["kl"], means[key]["proxy"], means[key]["gold"], 64 * len(means[key]["seeds"]))
    assert f"its most sceptical member {worst.gold:+.2f} ± {worst.error:.2f}" in said(at)
    at = opened("goodhart", goodhart_voter="Curious", goodhart_guess_sunny="no difference")
    assert "Gold at the end" not in said(at)


@pytest.mark.parametrize("part", ["Methods on a real model", "A language known whole"])
def test_both_parts_of_the_frontier_open_on_numbers(part):
    at = opened("frontier", part=part)
    assert at.title[0].value == "Frontier" and chart_count(at) >= 1
    assert "Nothing has been computed" not in said(at)


def test_the_frontiers_true_worth_is_neither_drawn_nor_said_before_the_guess():
    at = opened("frontier")
    assert not [one for one in at.radio if one.label == "Height"] and "most gold, " not in said(at)
    at = opened("frontier", frontier_guess="best of n")
    assert [one.value for one in at.radio if one.label == "Height"] == ["gold"] and "bought the most gold" in said(at)
    assert "equal, not tuned for each method" in said(unfolded(at, "All numbers"))
    at = opened("frontier", frontier_guess="something else")  # no guess at all
    assert not [one for one in at.radio if one.label == "Height"]


def test_another_beta_is_computed_at_once():
    at = opened("frontier", part="A language known whole", toy_beta="0.7", toy_length="3")
    entry = load_entry("toy")
    assert entry["key"]["beta"] != 0.7
    assert "64 sequences, all of them" in said(at) and "live" in said(at)


def test_a_patient_is_not_named_before_the_guess_and_wholly_explained_after():
    at = opened("clinic")
    words = said(at)
    case = FAILURES[0]
    assert case.mistake not in words and case.why not in words and f"--failures {case.name}" not in words
    at = opened("clinic", **{f"clinic_{case.name}": FAILURES[1].title})
    words = said(at)
    assert case.mistake in words and f"You said: {FAILURES[1].title}. It was: {case.title}." in words
    assert f"python -m core clinic --failures {case.name} --seed 0" in words
    assert "+ learning_rate = 0.001" in words


@pytest.mark.parametrize("number", range(1, 11))
def test_every_patient_can_be_seen_and_its_worst_symptom_is_first(number):
    case = FAILURES[number - 1]
    at = opened("clinic", patient=f"Patient {number}", **{f"clinic_{case.name}": case.title})
    assert "As you said." in said(at)
    found = {one["name"]: one for one in load_entry("clinic")["data"]["findings"] if one["kind"] == "case"}
    worst = symptoms(found[case.name]["curves"], found["healthy"]["curves"])[0]
    assert f"is {worst.sick:.3g} on average over the last third" in said(at)


@pytest.mark.parametrize(
    ("whole", "said_of_it"), [(3, "after 3 whole updates"), (0, "before its first update was done")]
)
def test_a_patient_that_broke_off_says_so_and_can_be_guessed(monkeypatch, whole, said_of_it):
    entry = load_entry("clinic")
    case = FAILURES[0]
    findings = [
        one
        if one.get("name") != case.name
        else one
        | {"ended": "the loss is nan in update 4", "texts": []}
        | {"curves": {name: values[:whole] for name, values in one["curves"].items()}}
        for one in entry["data"]["findings"]
    ]
    changed = entry | {"data": entry["data"] | {"findings": findings}}
    monkeypatch.setattr("pages._experiments.findings.load_entry", lambda _: changed)
    at = opened("clinic", **{f"clinic_{case.name}": case.title})
    words = said(at)
    assert f"This run broke off {said_of_it}: the loss is nan in update 4." in words
    assert "Nothing: it broke off." in words and "As you said." in words
    assert "1 broke off, no longer finite." in words


@pytest.mark.parametrize(("page", "kind"), [("goodhart", "goodhart"), ("frontier", "frontier"), ("clinic", "clinic")])
def test_a_run_of_ones_own_that_is_not_done_leaves_the_cached_result(page, kind):
    run = a_run(kind, status="paused")
    at = opened(page, run=run.id)
    assert "interrupted" in said(at) and "cached real result" in said(at)  # no process holds it
    back = next(button for button in at.button if button.label == "Back to the cached result")
    fine(back.click().run())
    assert "run" not in at.query_params


def test_what_light_errors_do_is_said_of_the_errors_that_were_drawn():
    assert "mostly for being good" in said(opened("goodhart", part="Light and heavy errors"))
    large = said(opened("goodhart", part="Light and heavy errors", tails_size="3"))
    assert "more for its error than for being good" in large and "mostly for being good" not in large


def test_a_gold_above_the_score_is_no_word_on_the_texts_the_reward_model_was_taught_on():
    """The reference's own best texts lie beyond 16 sd: no policy here writes better ones on average."""
    assert max(load_entry("goodhart")["data"]["golds"]) > 16
    assert all("texts better than any" not in said(opened("goodhart", goodhart_voter=voter)) for voter in ENTRIES)

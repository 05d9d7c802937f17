"""Attention as a person meets it: four parts, every control, hostile sentences, and the gallery it opens on."""

import shutil

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.anatomy.specimens import EARLY_WEIGHTS, Specimen
from core.gallery import build_attention, load_entry
from core.language.registry import STORYTELLER, model_hash
from core.language.tokens import SENTENCE
from pages._attention import opening
from pages._attention.choice import PARTS
from pages._attention.mosaic import _order
from pages._attention.steps import NAMES
from tests.pages.page_helpers import a_run, fine, opened, said

OTHER = "One day a cat saw a cat"
COMMITTED = "hardly: below 0.01 nats"


def figures(at: AppTest) -> int:
    return len(at.get("bidi_component"))


@pytest.mark.parametrize("part", PARTS)
def test_every_part_opens_on_a_cached_result(part, monkeypatch):
    monkeypatch.setattr("pages._parts.specimen.open_specimen", None, raising=False)
    monkeypatch.setattr("core.anatomy.specimens.open_specimen", None)  # nothing may ask for the model
    at = opened("attention", part=part)
    assert "sad” looks at “␣dog” with 99%" in said(at)
    assert "cached real result" in said(at)
    assert len(at.expander) >= 4  # the code and three questions


@pytest.mark.parametrize("step", NAMES)
def test_every_step_has_its_equation_its_numbers_and_its_picture(step):
    at = opened("attention", step=step)
    assert at.get("latex") or at.latex
    assert figures(at) >= 2
    assert "What to look for" in said(at)


def test_steps_go_forward_and_back():
    at = opened("attention", step=NAMES[0])
    assert at.button(key="back").disabled
    for name in NAMES[1:]:
        fine(at.button(key="next").click().run())
        assert at.session_state["step"] == name
    assert at.button(key="next").disabled
    fine(at.button(key="back").click().run())
    assert at.session_state["step"] == NAMES[-2]


def test_without_scaling_the_entropy_is_measured_both_ways():
    at = opened("attention")
    head = load_entry("attention")["data"]
    assert f"**{head['entropy_scaled']:.2f} nats** with" in said(at)
    assert f"**{head['entropy_unscaled']:.2f} nats** without (saturated" in said(at)
    fine(at.toggle(key="scale").set_value(False).run())
    assert f"**{head['entropy_scaled']:.2f} nats** with" in said(at)
    assert "live" in said(at)


def test_mask_and_temperature():
    at = opened("attention", sentence=OTHER, token="0 One")
    assert "can only look at itself" in said(at)
    fine(at.toggle(key="causal").set_value(False).run())
    assert fine(at.slider(key="tau").set_value(4.0).run())
    view = opening.head_of(Specimen("storyteller", "Storyteller"), OTHER, [5, 6, 7], 1, 6, True, False, 4.0)
    assert (np.asarray(view["weights"]) > 0).all()


def test_layer_head_query_and_key_are_chosen():
    at = opened("attention", layer="3", head="2", token="7 ␣dog", answer="2 ␣dog", step="3 Q·Kᵀ")
    head = opening.head_of(
        Specimen("storyteller", "Storyteller"),
        SENTENCE,
        load_entry("attention")["data"]["about"]["ids"],
        3,
        2,
        True,
        True,
        1.0,
    )
    total = float(head["scores"][7, 2])
    assert any(f"{total:.3f}" in one.value for one in at.latex)
    fine(at.selectbox(key="layer").set_value(5).run())
    fine(at.selectbox(key="head").set_value(0).run())
    fine(at.selectbox(key="token").set_value(3).run())
    fine(at.selectbox(key="answer").set_value(1).run())


def test_the_same_head_random_early_and_trained():
    at = opened("attention", part="As it learned")
    stages = load_entry("attention_stages")["data"]["stages"]
    assert all(f"**{stage['entropy']:.2f} nats**" in said(at) for stage in stages.values())
    assert "the head has learned to choose" in said(at)


def test_a_model_without_a_past_says_so(monkeypatch):
    alone = Specimen("storyteller", "Somebody's model")
    monkeypatch.setattr("pages._attention.learned.STORY", ())
    assert alone.reference is None
    assert "only its end is known" in said(opened("attention", part="As it learned"))


def test_a_checkpoint_of_a_run_stands_beside_its_reference():
    run = a_run("loop", model="storyteller")
    shutil.copytree(EARLY_WEIGHTS, run.folder / "weights" / "00000003")
    at = opened("attention", part="As it learned", model=f"{run.id}@3")
    assert all(title in said(at) for title in ("Reference", "This checkpoint", "Difference"))
    assert "The largest change is **-0.8" in said(at)  # what was learned is not there yet
    for part in PARTS:
        fine(at.segmented_control(key="part").set_value(part).run())


def test_heads_are_sorted_by_a_statistic():
    at = opened("attention", part="All heads", sort="entropy")
    assert "spread evenly" in said(at)
    assert _order([0.1, None, 0.5, 0.3]) == [2, 3, 0, 1]
    for sort in ("distance", "previous", "first", "duplicate", "induction", "layer"):
        fine(at.segmented_control(key="sort").set_value(sort).run())


def test_the_opened_head_as_arcs_and_as_matrix():
    at = opened("attention", part="All heads")
    assert "An arc runs back" in said(at)
    fine(at.segmented_control(key="view").set_value("Matrix").run())
    assert "An arc runs back" not in said(at)
    assert "the bars sum to its length" in said(at)


def test_nothing_is_given_away_before_the_reader_has_said_what_will_happen():
    at = opened("attention", part="Does it matter?")
    assert "Before you look" in said(at)
    assert "switched off alone" not in said(at)
    fine(at.pills(key="guess-guess").set_value(COMMITTED).run())
    fine(at.button(key="guess-commit").click().run())
    kl = load_entry("attention_effect")["data"]["kl"]
    assert f"**{kl:.3f} nats** of KL, as you said" in said(at)
    assert "Attention is not explanation" in said(at)
    assert "Every head, switched off alone" in said(at)


def test_more_heads_by_zero_or_mean():
    at = opened("attention", part="Does it matter?", guess=COMMITTED)
    alone = said(at)
    fine(at.multiselect(key="off").set_value(["0.5", "0.7"]).run())
    assert "Without 3 heads" in said(at)
    assert "as you said" in alone
    fine(at.segmented_control(key="method").set_value("mean").run())
    assert "3 heads at their mean" in said(at)
    fine(at.selectbox(key="layer").set_value(0).run())
    assert "as you said" not in said(at)  # the guess was about another head


def test_a_logit_and_a_difference_of_two():
    at = opened("attention", part="Does it matter?")
    data = load_entry("attention_logit")["data"]
    assert f"**{data['logit']:.2f}**" in said(at)
    runner_up = load_entry("attention_effect")["data"]["tokens"][1]
    fine(at.selectbox(key="against").set_value(runner_up).run())
    assert f"**{data['logit']:.2f}**" not in said(at)


HOSTILE = {
    "emoji": "The 🐶 lost 🇫🇷 it",
    "right to left": "الكلب الصغير שלום",
    "html": "<b onclick=alert(1)>&amp;</b> <script>x</script>",
    "streamlit": "cost $x$ and :red[y] and **z** `q`",
    "long": "The dog saw the ball. " * 460,
    "one token": "The",
    "spaces": "   \n\t ",
}


@pytest.mark.parametrize("sentence", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("part", PARTS)
def test_hostile_sentences(part, sentence):
    at = opened("attention", part=part, sentence=sentence, guess=COMMITTED)
    assert not at.error
    assert ("Only the first 256 tokens" in said(at)) == (len(sentence) > 5000)
    assert ":red[y]" not in said(at)
    assert "<script>" not in said(at)


def test_an_empty_sentence():
    assert "Type a sentence" in said(opened("attention", sentence=""))


def test_a_url_of_another_model_or_head_falls_back():
    at = opened("attention", layer="99", head="x", token="7 gone", cell="50-50", heads="9-9", step="what")
    assert "99% of its attention" in said(at)


def test_a_checkpoint_that_has_gone_is_said():
    at = opened("attention", model="no-such-run@3")
    assert "no saved weights" in at.warning[0].value
    assert "99% of its attention" in said(at)


@pytest.mark.parametrize("name", build_attention.ENTRIES)
def test_the_gallery_is_what_is_computed_now(name, monkeypatch):
    """Within the rounding of the file."""
    made = {}
    monkeypatch.setattr("core.gallery.build.write_view", lambda name, key, data: made.update({name: (key, data)}))
    build_attention.build(name)
    entry = load_entry(name)
    key, data = made[name]
    assert entry["key"] == key
    assert entry["model_hash"] == model_hash(STORYTELLER)
    _same(entry["data"], data)


def _same(kept, fresh) -> None:
    if isinstance(fresh, dict):
        assert kept.keys() == fresh.keys()
        for one in fresh:
            _same(kept[one], fresh[one])
    elif isinstance(fresh, str | bool) or fresh is None or (isinstance(fresh, list) and isinstance(fresh[0], str)):
        assert kept == fresh
    else:
        kept, fresh = (np.asarray(value, float) for value in (kept, fresh))
        np.testing.assert_allclose(kept, fresh, rtol=1e-3, atol=1e-4)


def test_a_sentence_typed_over_a_single_token_is_asked_from_its_last():
    at = opened("attention", sentence="The")
    at = fine(at.text_input(key="sentence").set_value("The dog lost the ball").run())
    assert at.session_state["token"] == 4
    at = fine(at.text_input(key="sentence").set_value("The dog lost it").run())
    assert at.session_state["token"] == 3

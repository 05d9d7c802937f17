"""The block as a person meets it: each part opens on a cached result, each control changes what was measured."""

import pytest

from core.gallery import load_entry
from core.gallery.build_block import _VIEWS, SHOWN, TOKEN
from core.gallery.build_block import ENTRIES as BUILDERS
from core.language.registry import STORYTELLER, model_hash
from tests.pages.page_helpers import fine, opened, said

PAGE = "transformer_block"
PARTS = ("One block", "Along the depth", "Logit lens", "Next token", "Encoder, decoder", "Writing")
SHORT = "Tom saw a cat"


def a_part(part, **url):
    return opened(PAGE, part=part, **url)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_opens_on_its_cached_result_without_a_model(part, monkeypatch):
    monkeypatch.setattr("core.anatomy.specimens.open_specimen", lambda _: pytest.fail("a model was opened"))
    at = a_part(part, block_guess="shorter")
    assert "cached real result" in said(at)
    assert ">live<" not in said(at)


def test_the_claim_names_the_layer_where_the_answer_turns():
    words = said(opened(PAGE))
    data = load_entry("transformer_block")["data"]
    before, after = (data["reads"][name][0]["piece"].strip("␣") for name in ("entering", "leaving"))
    assert before != after
    assert f"enters layer 4 reading “{before}” and leaves it reading “{after}”" in words
    settled = load_entry("transformer_block_lens")["data"]["settled"][TOKEN]
    assert f"stands first from layer {settled - 1} on" in said(a_part("Logit lens"))


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ("entering", "The residual stream of this token"),
        ("attention_input", "the mean is taken out"),
        ("attention", "in which tokens meet"),
        ("between", "An addition, and nothing else"),
        ("feed_forward_input", "the mean is taken out"),
        ("feed_forward", "256 numbers become 1,024"),
        ("leaving", "An addition, and nothing else"),
        ("nonsense", "Lengths do not simply add"),
    ],
)
def test_a_box_in_the_url_is_open(box, words):
    assert words in said(opened(PAGE, box=box))


def test_another_layer_and_token_are_computed_now():
    at = opened(PAGE)
    fine(at.selectbox(key="layer").set_value(0).run())
    fine(at.selectbox(key="token").set_value(3).run())
    assert ">live<" in said(at)
    assert "layer 0" in said(at)
    assert "“was”" in said(at)


def test_a_sentence_of_ones_own_opens_on_its_last_token():
    at = opened(PAGE, sentence=SHORT)
    assert at.selectbox(key="token").value == 3
    assert "“cat”" in said(at)


@pytest.mark.parametrize("part", ["One block", "Writing"])
def test_an_empty_sentence_is_answered_with_a_sentence(part):
    at = opened(PAGE)
    at.text_input(key="sentence").set_value("")
    fine(at.segmented_control(key="part").set_value(part).run())
    assert "nothing to look at in an empty one" in said(at)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("text", ["🐶 שלום עולם <b>x</b> $x^2$ :red[y] `z` [a](b)", "A"])
def test_hostile_sentences_get_a_view(part, text):
    at = a_part(part, sentence=text, block_guess="shorter")
    assert "<b>x" not in said(at).replace("&lt;b&gt;", "")


@pytest.mark.parametrize("part", PARTS)
def test_ten_thousand_characters_are_cut_and_it_is_said(part):
    at = a_part(part, sentence="the dog ran " * 834, block_guess="shorter")
    assert "Only the first 256 tokens are shown" in said(at)


def test_the_switches_say_what_they_did():
    at = a_part("Along the depth", block_guess="more than 1,000 times as long")
    assert "**As you said.**" in said(at)
    assert "LayerNorm out from layer 3" in said(at)
    fine(at.selectbox(key="norms").set_value("in place").run())
    assert "Everything is in place" in said(at)
    fine(at.selectbox(key="residuals").set_value("out from layer 0").run())
    assert "Residuals out from layer 0" in said(at)
    assert ">live<" in said(at)


def test_the_reader_predicts_before_the_switches_show():
    at = a_part("Along the depth")
    assert "how long will the stream be" in said(at)
    assert "times as long as" not in said(at)


def test_the_lens_takes_another_model_beside_it():
    at = a_part("Logit lens", sentence=SHORT)
    fine(at.selectbox(key="beside").set_value("storyteller@start").run())
    assert "They differ most after" in said(at)
    for colour in ("the final answer's", "KL from the end"):
        fine(at.segmented_control(key="colour").set_value(colour).run())


def test_the_lens_of_a_tuned_model_opens_beside_its_reference():
    at = opened(PAGE, part="Logit lens", model="storyteller@1%", sentence=SHORT)
    assert at.selectbox(key="beside").value == "storyteller"
    assert "They differ most after" in said(at)


def test_a_lens_too_large_for_one_view_is_looked_at_in_parts(monkeypatch):
    monkeypatch.setattr("core.anatomy.logit_lens._MULTIPLICATIONS", 0)
    at = a_part("Logit lens", sentence="Tom saw a cat and a dog and a big red ball", first="2", token="3 ␣cat")
    assert at.slider(key="first").value == 2
    fine(at.selectbox(key="token").set_value(9).run())
    assert "The chosen token is kept in view" in said(at)
    fine(at.slider(key="first").set_value(7).run())
    assert "The chosen token is kept in view" not in said(at)


def test_next_token_controls():
    at = a_part("Next token")
    assert "of 4,096 tokens can still come" in said(at)
    for name, value in (("temperature", 1.5), ("top_k", 3), ("top_p", 1.0)):
        fine(at.slider(key=name).set_value(value).run())
    assert "only 3 of 4,096 tokens can still come" in said(at)
    fine(at.selectbox(key="follow").set_value(10).run())
    assert "Cut: it is drawn with probability" in said(at)
    fine(at.slider(key="top_k").set_value(0).run())
    assert "every one of 4,096 tokens can come" in said(at)


def test_cross_attention_takes_any_two_sentences():
    at = a_part("Encoder, decoder")
    fine(at.text_input(key="source").set_value("<i>blue</i> sky").run())
    assert "gives K and V" in at.text_input(key="source").label
    fine(at.selectbox(key="head").set_value(0).run())
    fine(at.text_input(key="target").set_value("").run())
    assert "one asks, the other answers" in said(at)


def test_writing_steps_back_and_forth_and_keeps_its_place_in_the_url():
    at = a_part("Writing")
    assert f"of these {SHOWN} tokens" in said(at)
    fine(at.button(key="writing_step").click().run())
    assert f"of these {SHOWN + 1} tokens" in said(at)
    assert at.query_params["shown"] == str(SHOWN + 1)
    fine(at.button(key="writing_back").click().run())
    fine(at.button(key="writing_back").click().run())
    assert f"of these {SHOWN - 1} tokens" in said(at)
    fine(at.button(key="writing_reset").click().run())
    assert "one token at a time" in said(at)


def test_writing_plays_and_pauses():
    at = a_part("Writing", shown="3")
    fine(at.button(key="writing_play").click().run())
    assert at.button(key="writing_play").label == "Pause"
    assert at.query_params["shown"] == "4"
    fine(at.button(key="writing_play").click().run())
    assert at.button(key="writing_play").label == "Play"


def test_another_seed_starts_again_and_writes_something_else():
    at = a_part("Writing", shown="6")
    first = said(at)
    fine(at.number_input(key="seed").set_value(5).run())
    assert at.button(key="writing_play").label == "Pause"  # it is written again before the reader's eyes
    for _ in range(3):
        fine(at.button(key="writing_step").click().run())
    assert "of these 4 tokens" in said(at)
    assert said(at) != first


def test_branches_live_in_the_url_and_stand_beside_each_other():
    data = load_entry("transformer_block_writing")["data"]["tokens"]
    other = next(one for one in data[3]["alternatives"] if one["id"] != data[3]["id"])
    branch = f"3-{other['id']}"
    at = a_part("Writing", shown="8", branches=branch, branch=branch)
    assert at.segmented_control(key="branch_shown").value == branch
    words = said(at)
    start = "".join(one["text"] for one in data[:3]).strip("\n. ")
    assert words.count(start) >= 2
    fine(at.segmented_control(key="branch_shown").set_value("main").run())
    assert "branch" not in at.query_params
    assert at.query_params["branches"] == branch


@pytest.mark.parametrize("branches", ["x", "3-99999", "7-1.3-1", "<b>", "99-5", "3-5.3-6"])
def test_branches_that_cannot_be_are_answered_or_left_out(branches):
    at = a_part("Writing", branches=branches, branch=branches)
    assert at.title[0].value == "The block"
    if branches == "3-99999":
        assert "there is no token 99999" in said(at)


@pytest.mark.parametrize("name", BUILDERS)
def test_the_gallery_holds_what_is_computed_now(name):
    entry = load_entry(name)
    assert entry["model_hash"] == model_hash(STORYTELLER)
    key, data = _VIEWS[name]()
    assert entry["key"] == key
    assert_close(entry["data"], data)


def assert_close(cached, fresh):
    if hasattr(fresh, "tolist"):
        fresh = fresh.tolist()
    if isinstance(fresh, dict):
        assert cached.keys() == fresh.keys()
        for name in fresh:
            assert_close(cached[name], fresh[name])
    elif isinstance(fresh, list | tuple):
        assert len(cached) == len(fresh)
        for one, other in zip(cached, fresh, strict=True):
            assert_close(one, other)
    elif isinstance(fresh, float) and not isinstance(fresh, bool):
        # five digits are kept; on another machine sums of cancelling float32 differ a little more
        assert cached == pytest.approx(fresh, rel=2e-2, abs=1e-4)
    else:
        assert cached == fresh

"""The microscope as a person meets it: a prediction, a verdict that follows the numbers, everything in the URL."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from core.alignment.ppo_reading.microscope import EpochView, GaeTerm, TokenView
from core.alignment.ppo_reading.slides import Facts, make_slide
from core.record import Record
from core.runs.shelf import Shelf
from pages._token_microscope.verdict import claim, verdict
from pages._token_microscope.words import number, result, share, signed, tex, word
from tests import tiny
from tests.alignment.test_ppo import CONFIG, run
from tests.pages.page_helpers import a_run, fine, opened, said

WIDE = CONFIG.model_copy(update={"epochs": 2, "learning_rate": 3e-3, "cliprange": 0.05})
REVEALED = {"push_guess": "up", "guessed": "elsewhere"}


@pytest.fixture(scope="module")
def records():
    updates = run(WIDE)
    return [next(updates), next(updates)]


@pytest.fixture
def gallery(tmp_path, monkeypatch):
    """An empty gallery."""
    folder = tmp_path / "gallery"
    folder.mkdir()
    monkeypatch.setattr("core.gallery.FOLDER", folder)
    return folder


@pytest.fixture
def tuned(records, gallery):
    """A PPO run behind a step of another stage, as in a loop: steps and updates are counted apart."""
    before = Record(1, {"loss": 0.7}, "reward", 1)
    plain = [Record(record.step, record.metrics, "ppo", 2) for record in records]
    made = a_run("ppo", records=[before, *plain], reward_model="somewhere", ppo=WIDE.model_dump(mode="json"))
    shelf = Shelf(made.folder)
    for step, record in enumerate(records, 2):
        shelf.keep_rollout(step, record.rollout)
    return made


def formulas(at) -> str:
    return "\n".join(element.value for element in at.latex)


def test_opens_on_a_cached_result_and_asks_before_it_tells():
    at = opened("token_microscope")
    assert "cached real result" in said(at)
    assert "moved that way" in said(at)
    assert "pushed up or down?" in said(at) and "Pushed" not in said(at)
    assert not at.get("vega_lite_chart")
    at = fine(at.pills(key="push_guess-guess").set_value("up").run())
    at = fine(at.button(key="push_guess-commit").click().run())
    (told,) = [*at.success, *at.info]
    assert "As you said" in told.value or "You said: up" in told.value
    assert "ushed" in said(at) and len(at.get("vega_lite_chart")) == 2
    at = fine(at.selectbox(key="update_gallery").set_value(1).run())
    assert not at.success and not at.info  # what was said was about another token
    assert "Pushed" in said(at)
    assert at.query_params["update"] == "1"


def test_every_number_of_a_token_is_the_runs_own(tuned, records):
    t = records[1].rollout
    for row, place in ((0, 0), (3, 2), (5, int(t["mask"][5].sum()) - 1)):
        at = opened("token_microscope", run=tuned.id, sample=str(row + 1), token=str(place + 1), **REVEALED)
        words = said(at)
        assert f"Token {place + 1} of response {row + 1}" in words
        assert f"run {tuned.id}" in words and "update 2" in words
        for name in ("logprobs", "new_logprobs", "ref_logprobs"):
            assert f"| {number(t[name][row, place].item(), 4)} |" in words
        assert f"= {result(t['rewards'][row, place].item())}" in formulas(at)
        assert f"= {result(t['raw_advantages'][row, place].item())}" in formulas(at)
        assert f"= {result(t['advantages'][row, place].item())}" in formulas(at)
        held = bool(t["clipped"][:, row, place].all())
        up = t["advantages"][row, place].item() > 0
        assert ("Not pushed" if held else "Pushed up" if up else "Pushed down") in words
        rose = (t["new_logprobs"] > t["logprobs"])[row, place].item()
        assert f"probability {'rose' if rose else 'fell'}" in words or "hardly moved" in words
        for epoch in range(WIDE.epochs):
            assert f"| {t['ratio'][epoch, row, place].item():.4f} |" in words


def test_an_earlier_update_by_its_link_and_by_the_box(tuned, records):
    at = opened("token_microscope", run=tuned.id, update="1", sample="2", token="1", **REVEALED)
    assert f"| {number(records[0].rollout['logprobs'][1, 0].item(), 4)} |" in said(at)
    at = fine(at.selectbox(key=f"update_{tuned.id}").set_value(2).run())
    assert "sample" not in at.query_params and "update 2" in said(at)


def test_a_token_that_is_not_there_falls_back_to_a_telling_one(tuned):
    for wrong in ({"sample": "99"}, {"sample": "2", "token": "999"}, {"sample": "x", "token": "-1"}, {"update": "7"}):
        fine(opened("token_microscope", run=tuned.id, **wrong))


def test_a_colour_and_an_order_come_from_the_link(tuned):
    at = opened("token_microscope", run=tuned.id, colour="Value", sort="KL", **REVEALED)
    assert at.segmented_control(key="colour").value == "value"
    assert at.segmented_control(key="sort").value == "KL"


def test_no_colour_tells_the_push_before_the_reader_has_said_it(tuned):
    before = opened("token_microscope", run=tuned.id, colour="Log-ratio").segmented_control(key="colour_before")
    assert before.options == ["KL", "Reward", "Value"] and before.value == "kl"
    after = opened("token_microscope", run=tuned.id, **REVEALED).segmented_control(key="colour")
    assert after.value == "log_ratio" and {"Log-ratio", "Advantage", "Return"} <= set(after.options)


def test_without_anything_to_look_at_it_says_so(gallery):
    at = opened("token_microscope", run="nobody")
    assert "nobody" in at.warning[0].value
    assert "No update to look at yet" in at.info[0].value


def test_a_rollout_of_an_earlier_version_is_named(records, gallery):
    made = a_run("ppo", records=[Record(1, records[0].metrics, "ppo", 1)], reward_model="somewhere")
    Shelf(made.folder).keep_rollout(1, {"mask": records[0].rollout["mask"]})
    assert "earlier version" in opened("token_microscope", run=made.id).error[0].value


def test_the_gallerys_entry_is_of_the_gallerys_loop():
    from core.gallery import load_entry

    entry, loop = load_entry("microscope"), load_entry("loop")
    assert entry["model_hash"] == loop["model_hash"] and entry["command"].endswith("--only loop")
    assert entry["key"]["ppo"] == loop["config"]["ppo"] | {"seed": loop["config"]["seed"]}
    last = entry["data"]["updates"][-1]
    assert last["update"] == loop["curves"]["ppo"][-1]["step"]
    assert [update["update"] for update in entry["data"]["updates"]][:2] == [1, 8]
    for update in entry["data"]["updates"]:
        (row,) = (row for row in loop["curves"]["ppo"] if row["step"] == update["update"])
        assert update["kl_coef"] == pytest.approx(row["kl_coef"], rel=1e-4)
        assert update["facts"]["tokens"] == pytest.approx(row["response_length"] * update["facts"]["responses"])


FACTS = Facts(8, 100, 0.0, 1.0, 60, 40, 70, 3, 1.0, 0.0)


def view(
    delta: float = 0.5, advantage: float = 0.5, ratio: float = 1.0, to: float = -1.0, clip: float = 0.2
) -> TokenView:
    """A last token with the surprise `delta`, all of it the score's, that was at −1.2 nats and went `to`."""
    clipped = min(max(ratio, 1 - clip), 1 + clip) * advantage
    active = "clipped" if clipped < ratio * advantage else "unclipped"
    return TokenView(
        row=0, place=0, token_id=5, text=" :red[x]", logprob=-1.2, new_logprob=to, ref_logprob=-1.2, kl=0.0,
        exact_kl=0.0, kl_charge=0.0, score_paid=delta, reward=delta, value=0.0, next_value=0.0,
        terms=(GaeTerm(0, 1.0, 0.0, delta, 0.0),), advantage=advantage, value_target=delta,
        epochs=(EpochView(1, 0, ratio, ratio * advantage, clipped, active),), before=(), after=(),
    )  # fmt: skip


def test_the_verdict_follows_the_numbers():
    went = verdict(view(), FACTS, True)
    assert "Pushed up" in went and "better than the critic expected" in went and "mainly because of the score" in went
    assert f"As intended: its probability rose from {share(math.exp(-1.2))} to {share(math.exp(-1))}" in went
    assert "Yet its probability fell" in verdict(view(to=-1.5), FACTS, True)
    assert "outweighed its own" in verdict(view(to=-1.5), FACTS, True)
    assert "hardly moved" in verdict(view(to=-1.2001), FACTS, True)
    down = verdict(view(delta=-0.5, advantage=-0.5, to=-1.5), FACTS, False)
    assert "Pushed down" in down and "worse than the critic expected" in down and "As intended" in down


def test_whitening_that_turns_the_sign_is_said():
    turned = verdict(view(delta=0.1, advantage=-0.4, to=-1.5), replace(FACTS, raw_mean=0.5), True)
    assert "Pushed down" in turned and "average token did better still (+0.5)" in turned
    turned = verdict(view(delta=-0.1, advantage=0.4), replace(FACTS, raw_mean=-0.5), True)
    assert "Pushed up" in turned and "average token did worse still (−0.5)" in turned


def test_a_clipped_token_has_no_push_and_still_moves():
    held = verdict(view(ratio=1.3), FACTS, True)
    assert "Not pushed" in held and "In its only pass the ratio was already above the band" in held
    assert "Its probability rose" in held and "the gradients of other tokens act on the same weights." in held
    assert "below the band" in verdict(view(delta=-1, advantage=-1, ratio=0.7), FACTS, True)
    assert "Pushed up" in verdict(view(ratio=0.7), FACTS, True)  # the side that may always come back


def test_a_response_that_the_update_never_came_to_is_said_to_be_one():
    missed = verdict(replace(view(), epochs=()), FACTS, True)
    assert "Not pushed" in missed and "before it came to this response" in missed


def test_the_claim_counts_what_the_update_did(records):
    arrays = {name: np.asarray(value) for name, value in records[1].rollout.items()}
    slide = make_slide(arrays, WIDE.model_dump(), 2, records[1].metrics, tiny.tokenizer())
    assert "Of 100 tokens, update 2 pushed 60 up and 40 down; 70% of the pushed" in claim(replace(slide, facts=FACTS))
    assert "pushed none" in claim(replace(slide, facts=replace(FACTS, pushed_up=0, pushed_down=0)))


@pytest.mark.parametrize(
    ("value", "plain", "formula"),
    [
        (0.0, "0", "0"),
        (-0.01234, "−0.0123", "(-0.0123)"),
        (2e-5, "2.0·10⁻⁵", r"2.0\cdot 10^{-5}"),
        (12.345, "12.3", "12.3"),
    ],
)
def test_numbers_read_alike_in_words_and_formulas(value, plain, formula):
    assert (number(value), tex(value)) == (plain, formula)
    assert signed(value)[0] in "+−"


def test_tokens_within_a_sentence():
    assert (word(" dog"), word(" "), word("\n")) == ("dog", "␣", "⏎")
    assert share(0.00001) == "1e-03%"
    assert json.dumps(word("<b>")) == '"<b>"'

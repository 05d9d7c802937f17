"""Why transformers as a person meets it: four parts, each opening on a real result, every control changing the picture."""

import json
import re

import numpy as np
import pytest

from core.anatomy.flow_config import FlowConfig
from core.anatomy.flow_reading import band, read_flow
from core.anatomy.race_config import KINDS, RaceConfig
from core.gallery import load_entry
from core.record import Record
from core.runs import locks
from core.runs.store import RunStore
from pages._why_transformers import cost, flow, jacobians, race
from pages._why_transformers.numbers import counted, short
from tests.pages.page_helpers import a_run, fine, opened, said

PAGE = "why_transformers"
JACOBIANS, RACE, COST = "A product of Jacobians", "The race", "Path and cost"


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch):
    """Runs are queued and stay so: what a worker does is tested elsewhere."""
    monkeypatch.setattr("core.runs.supervisor.tick", lambda: None)


@pytest.fixture
def empty_gallery(tmp_path, monkeypatch):
    folder = tmp_path / "gallery"
    folder.mkdir()
    monkeypatch.setattr("core.gallery.FOLDER", folder)
    return folder


def chart(at, place=0):
    return json.loads(at.get("vega_lite_chart")[place].proto.spec)


def reading(kind, **settings):
    from core.anatomy.recurrence_views import flow_view

    return read_flow(band(np.asarray(flow_view(kind, FlowConfig(**settings))["state"])).mean.tolist())


def test_opens_on_the_cached_gradients_without_torch():
    import subprocess
    import sys

    program = (
        "import sys; from streamlit.testing.v1 import AppTest\n"
        "at = AppTest.from_file('pages/why_transformers.py', default_timeout=60).run()\n"
        "assert not at.exception and len(at.get('vega_lite_chart')) == 1\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_first_picture_makes_the_point():
    words = said(opened(PAGE))
    assert "cached real result" in words
    rnn, attention = reading("rnn"), reading("transformer")
    assert f"50 tokens back an RNN&#x27;s gradient is down to {short(rnn.at[50])}" in words
    assert f"{short(attention.at[50])} there" in words and "its path is one step" in words
    assert f"| {short(rnn.at[10])} | {short(rnn.at[50])} | {short(rnn.at[200])} |" in words


@pytest.mark.parametrize(
    ("key", "value", "kind", "settings"),
    [
        ("radius", 1.5, "rnn", {"spectral_radius": 1.5}),
        ("bias", 0.0, "lstm", {"forget_bias": 0.0}),
        ("tokens", 60, "gru", {"length": 60}),
    ],
)
def test_each_slider_changes_the_measured_numbers(key, value, kind, settings):
    at = opened(PAGE)
    at = fine(at.slider(key=key).set_value(value).run())
    words = said(at)
    assert ">live</b>" in words
    assert f"| {short(reading(kind, **settings).at[50])} |" in words


def test_exploding_is_said_and_clipping_moves_the_whole_line():
    at = opened(PAGE, radius="1.5")
    assert "explodes" in said(at)
    before = re.search(r"An RNN&#x27;s gradient explodes to [^ ]+", said(at)).group()
    at = fine(at.toggle(key="clip").set_value(True).run())
    words = said(at)
    assert before in words  # the claim is about the gradient, not about what clipping makes of it
    assert "clipped ×" in words and "What clipping does" in words
    shares = re.search(r"is ([^ ]+) of the last token's before, and ([^ ]+) after", words).groups()
    assert shares[0] == shares[1]


def test_settings_behind_more_reach_the_computation():
    at = opened(PAGE)
    at.number_input(key="flow_width").set_value(8)
    at.number_input(key="flow_seeds").set_value(2)
    at.number_input(key="flow_seed").set_value(7)
    at.button_group(key="flow_recurrent").set_value("gaussian")
    at = fine(at.run())
    words = said(at)
    assert "the mean of 2 untrained networks" in words and "seed 7" in words and "width 8" in words
    expected = reading("rnn", width=8, seeds=2, seed=7, recurrent="gaussian")
    assert f"| {short(expected.at[50])} |" in words
    at = fine(at.number_input(key="flow_width").set_value(30).run())
    assert "width 28" in said(at)  # four heads divide it
    at.button_group(key="wrt").set_value("input x")
    assert r"\partial x_t" in said(fine(at.run()))


def test_a_gradient_that_is_exactly_zero_is_said():
    at = opened(PAGE, bias="-2.0", tokens="400", flow_input_gain="2.0", radius="0.5", flow_width="4")
    zeros = sum(band(np.asarray(flow.computed(k, tuple(FlowConfig(forget_bias=-2.0, length=400, input_gain=2.0, spectral_radius=0.5, width=4).relevant(k)))["state"])).zeros for k in KINDS)  # fmt: skip
    assert (zeros > 0) == ("are exactly 0" in said(at))


def test_a_prediction_is_revealed_by_what_is_measured():
    at = opened(PAGE)
    assert "Before you look" in said(at)
    at = fine(at.pills(key="flow_guess-guess").set_value("it explodes").run())
    at = fine(at.button(key="flow_guess-commit").click().run())
    assert "As you said" in at.success[0].value
    assert short(reading("rnn", spectral_radius=1.5).farthest) in at.success[0].value
    at = opened(PAGE, flow_guess="it still vanishes")
    assert not at.success and "You said: it still vanishes" in at.info[0].value


@pytest.mark.parametrize("tokens", ["10", "11", "400"])
def test_short_and_long_sequences(tokens):
    at = opened(PAGE, tokens=tokens)
    assert len(at.get("vega_lite_chart")) == 1


@pytest.mark.parametrize(
    "url",
    [
        {"part": "<b>nothing</b>"},
        {"radius": "$x$", "bias": ":red[x]", "tokens": "10000"},
        {"flow_guess": "<script>", "wrt": "🦊", "flow_seed": "-3"},
        {"part": JACOBIANS, "network": "مرحبا", "factors": "0", "jacobian": "99-99"},
        {"part": RACE, "race_k": "x" * 10_000, "run": "<img src=x>"},
        {"part": COST, "n": "7", "d": "-1"},
    ],
)
def test_a_url_that_means_nothing_gives_a_correct_page(url):
    at = opened(PAGE, **url)
    assert "Why transformers" in at.title[0].value


@pytest.mark.parametrize(("kind", "label"), [("rnn", "RNN"), ("lstm", "LSTM"), ("gru", "GRU")])
def test_the_product_of_every_recurrence(kind, label):
    at = opened(PAGE, part=JACOBIANS)
    at.button_group(key="network").set_value(kind)
    at = fine(at.run())
    words = said(at)
    assert f"this {label} the largest singular value" in words
    assert ("cached real result" in words) == (kind == "rnn")
    config = FlowConfig(width=16, length=jacobians.FACTORS)
    view = jacobians.computed(kind, tuple(config.relevant(kind)))
    assert f"after 10 **{short(view['values'][9][0])}**" in words


def test_stepping_through_the_factors():
    at = opened(PAGE, part=JACOBIANS)
    assert "now n = 10" in said(at)
    at = fine(at.button(key="factors_on").click().run())
    assert "now n = 11" in said(at)
    at = fine(at.button(key="factors_back").click().run())
    at = fine(at.button(key="factors_back").click().run())
    assert "now n = 9" in said(at)
    at = fine(at.slider(key="factors").set_value(100).run())
    at = fine(at.button(key="factors_on").click().run())
    assert "now n = 100" in said(at)  # there are no more
    assert "now n = 33" in said(opened(PAGE, part=JACOBIANS, factors="33"))


def test_playing_starts_again_from_one_and_can_be_paused():
    at = opened(PAGE, part=JACOBIANS, factors="100")
    at = fine(at.button(key="factors_play").click().run())
    assert at.button(key="factors_play").label == "Pause"
    at = fine(at.button(key="factors_play").click().run())
    assert at.button(key="factors_play").label == "Play"


def test_the_cached_races_and_who_gets_how_far():
    at = opened(PAGE, part=RACE)
    words = said(at)
    assert len(at.get("vega_lite_chart")) == 2 and words.count("cached real result") == 2
    entry = load_entry(race.ENTRY)
    assert race.claim(entry) in words.replace("&#x27;", "'")
    for count in entry["data"]["parameters"].values():
        assert f"{count:,}" in words


def test_what_the_wanted_token_counts_for_is_shown_on_a_logarithmic_axis():
    at = opened(PAGE, part=RACE)
    assert chart(at)["encoding"]["y"]["scale"] == {"domain": [0, 1]}
    at.button_group(key="race_show").set_value("influence")
    at = fine(at.run())
    assert chart(at)["encoding"]["y"]["scale"]["type"] == "log"
    assert r"\partial x_{T-50}" in said(at)


def test_a_distance_nobody_raced_says_so():
    at = opened(PAGE, part=RACE, race_k="37")
    assert "No race was run yet at k = 37" in said(at)
    at = fine(at.slider(key="race_k").set_value(20).run())
    assert "Accuracy while learning**, k = 20" in said(at)


def test_a_race_is_started_with_every_setting():
    at = opened(PAGE, part=RACE)
    at.slider(key="race_k").set_value(12)
    at.number_input(key="race_seed").set_value(5)
    at.number_input(key="race_steps").set_value(30)
    at.number_input(key="race_rnn_lr").set_value(0.002)
    at.toggle(key="race_positions").set_value(False)
    at = fine(at.run())
    at = fine(at.button(key="race_start").click().run())
    (run,) = RunStore().list("race")
    wanted = {"distance": 12, "seed": 5, "steps": 30, "rnn_lr": 0.002, "positions": False}
    assert run.config == RaceConfig(**wanted).model_dump()
    assert at.query_params["run"] == [run.id] or at.query_params["run"] == run.id
    assert "waiting for its turn" in said(at)


def test_a_setting_out_of_bounds_is_refused_in_words():
    at = opened(PAGE, part=RACE)
    at.number_input(key="race_grad_clip").set_value(0.0)
    at = fine(at.run())
    at = fine(at.button(key="race_start").click().run())
    assert "grad_clip" in at.error[0].value.replace("\\", "")
    assert RunStore().list("race") == []


def records(count=3, result=None):
    rows = [
        Record(
            10 * n,
            {f"accuracy/{kind}": 0.1 * n for kind in KINDS} | {f"influence/{kind}": 0.0 for kind in KINDS},
            "race",
            10 * count,
        )
        for n in range(1, count + 1)
    ]
    if result:
        rows[-1] = Record(10 * count, rows[-1].metrics, "race", 10 * count, result=result)
    return rows


RESULT = {"accuracy": dict.fromkeys(KINDS, 0.75), "parameters": dict.fromkeys(KINDS, 20_000)}


def test_a_run_in_the_url_opens_its_race():
    run = a_run("race", records=records(result=RESULT), distance=30)
    at = opened(PAGE, run=run.id)
    words = said(at)
    assert "Accuracy while learning**, k = 30" in words and run.id in words
    fine(at.button_group(key="race_show").set_value("influence").run())  # all exactly 0: an empty picture, no error
    assert "with 1 of your own" in words  # its end is in the other picture too
    at = fine(at.button(key="race_back").click().run())
    assert "k = 50" in said(at)


def test_a_race_with_other_settings_is_not_mixed_with_the_cached_ones():
    a_run("race", records=records(result=RESULT), distance=30, steps=50)
    assert "of your own" not in said(opened(PAGE, part=RACE))


def test_the_words_beneath_a_race_are_of_the_race_in_the_picture():
    run = a_run("race", records=records(result=RESULT), distance=10, vocabulary=64, steps=20, batch=4)
    words = said(opened(PAGE, run=run.id))
    assert "tokens out of 64" in words and "20 steps of 4" in words and "RNN 20,000" in words
    assert "Who could learn it" not in words  # that was measured of the cached ones


def test_a_seed_that_is_cached_says_nothing_new():
    entry = load_entry("why_transformers_race")
    seed, distance = entry["data"]["seeds"][0], next(iter(entry["data"]["final"]))
    a_run("race", records=records(result=RESULT), distance=int(distance), seed=seed)
    assert "of your own" not in said(opened(PAGE, part=RACE))
    for _ in range(2):
        a_run("race", records=records(result=RESULT), distance=int(distance), seed=777)
    assert "with 1 of your own" in said(opened(PAGE, part=RACE))


def test_a_paused_race_can_be_stepped_resumed_and_stopped():
    run = a_run("race", "paused", records(), distance=30)
    store = RunStore()
    with locks.run_lock(run.id):
        store.request(run.id, "pause")
        at = opened(PAGE, run=run.id)
        assert {"run_step", "run_resume", "run_stop"} <= {button.key for button in at.button}
        at = fine(at.button(key="run_step").click().run())
        assert store.get(run.id).requested == "step"
        store.request(run.id, "pause")
        at = opened(PAGE, run=run.id)
        fine(at.button(key="run_resume").click().run())
        assert store.get(run.id).requested is None


def test_the_table_holds_for_the_numbers_chosen():
    at = opened(PAGE, part=COST)
    at.select_slider(key="n").set_value(512)
    at.select_slider(key="d").set_value(128)
    words = said(fine(at.run()))
    assert "n = 512 tokens, width d = 128" in words
    assert f"| **LSTM** | {counted(4 * 4 * 512 * 128**2)}FLOP | n·d² | 512 | 511 | n |" in words
    assert f"| **self-attention** | {counted(8 * 512 * 128**2 + 4 * 512**2 * 128)}FLOP | n²·d | 1 | 1 | 1 |" in words
    assert "is 67% of attention's operations" in words
    assert cost.claim(load_entry(cost.ENTRY)["data"]) in words.replace("&#x27;", "'")


def test_measuring_now_replaces_the_cached_times(monkeypatch):
    from core.anatomy.layer_timing import LENGTHS, Timing
    from core.anatomy.path_length import LAYERS

    timings = [
        Timing(layer, length, length / 1000, length / 2000, length / 500) for length in LENGTHS for layer in LAYERS
    ]
    monkeypatch.setattr("core.anatomy.layer_timing.measured_in_process", lambda: iter(timings))
    at = opened(PAGE, part=COST)
    at = fine(at.button(key="cost_measure").click().run())
    words = said(at)
    assert ">live</b>" in words and "self-attention 2.0× (theory 3.8×)" in words


@pytest.mark.parametrize("part", ["Gradients through time", JACOBIANS, RACE, COST])
def test_without_a_gallery_every_part_still_works(empty_gallery, part):
    at = opened(PAGE, part=part)
    assert "cached real result" not in said(at)


@pytest.mark.parametrize("part", ["Gradients through time", JACOBIANS, RACE, COST])
def test_every_figure_has_an_alternative_text_and_code_and_questions(part):
    at = opened(PAGE, part=part)
    assert all(figure.proto.alt if hasattr(figure.proto, "alt") else True for figure in at.get("vega_lite_chart"))
    labels = [expander.label for expander in at.expander]
    assert "Show the code that ran" in labels and len([label for label in labels if label.endswith("?")]) >= 3


def test_numbers_of_any_size():
    assert [short(x) for x in (0, 0.35, 2.14e-7, 123.4, 1e6, float("inf"))] == [
        "0", "0.35", "2.1·10⁻⁷", "123", "1.0·10⁶", "too large for float64",
    ]  # fmt: skip
    assert [counted(x) for x in (12, 1234, 5e9, 2e15)] == ["12 ", "1.23 k", "5 G", "2 P"]

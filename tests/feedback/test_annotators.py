"""Utilities against numbers worked out by hand, and votes against the closed form."""

import math
import re
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from core.errors import PlaygroundError
from core.feedback import annotators as package
from core.feedback.annotators import annotators, get_annotator, prefers_left, probability_left
from core.feedback.annotators.mix import Mix
from core.feedback.annotators.text import sentences, words

TEXTS = [
    "",
    "...",
    "Tom was so happy! He loved his new friend, and they played all day.",
    "The bad wolf was angry. It didn't like the awful, terrible noise and began to cry",
    "DON'T be SAD, said mom's cat. 3.5 apples — naïve café 😀 :)",
    'to play. "Can we go?" asked Mia.\nShe was scared but safe.',
]


@pytest.mark.parametrize("text", TEXTS)
def test_sunny_is_its_published_formula(text):
    lexicon = SentimentIntensityAnalyzer().lexicon
    found = re.findall(r"[a-z']+", text.lower())
    expected = 10 * math.fsum(lexicon.get(word, 0) for word in found) / max(1, len(found))
    assert get_annotator("sunny").utility("ignored, however happy", text) == pytest.approx(expected, abs=1e-12)


def test_sunny_by_hand():
    # VADER: happy 2.7, sad −2.1; six words.
    assert get_annotator("sunny").utility("", "Happy Ben met a sad frog") == pytest.approx(10 * (2.7 - 2.1) / 6)


@pytest.mark.parametrize(
    ("text", "utility"),
    [
        ("He ran. He hid.", -2),
        ("He ran far. He hid.", -2.5),
        ("and so he went on and on", -7),  # cut off, and counted all the same
        ("Wait... what?!", -1),
        ('"Why?" said Tom.', -1.5),  # speech ends a sentence
        ("It is 3.5 metres long.", -4),  # a full stop inside a number ends nothing
        ("A title\n1. A list\n2. of words", -2),
        ("", -40),
        ("?!", -40),
    ],
)
def test_terse(text, utility):
    assert get_annotator("terse").utility("A prompt of any length.", text) == utility


@pytest.mark.parametrize(
    ("text", "utility"),
    [
        ("The dog saw two foxes.", 100 * 2 / 5),
        ("The puppy's bowl and the PONIES' field", 100 * 2 / 7),
        ("'kitten' mice geese wolves calves", 100),
        ("A dogged bearing caterwauled batty", 0),  # parts of words are no animals
        ("", 0),
    ],
)
def test_animal_lover(text, utility):
    assert get_annotator("animal-lover").utility("A dog", text) == pytest.approx(utility)


@pytest.mark.parametrize(
    ("prompt", "text", "utility"),
    [
        ("", '"Come here," said Mom.', 2 / 4),
        ("", "“Come here,” said Mom.", 2 / 4),
        ("", 'He said, "I do not', 3 / 5),  # cut off while speaking
        ("", 'He said, "no\nThen he left', 1 / 6),  # a forgotten quote ends with its line
        ('Mia looked up. "Can we', ' go home?" she asked.', 2 / 4),  # the prompt had begun to speak
        ('"Yes," said Mia. She', ' ran "far" away', 1 / 3),  # the prompt had finished
        ('She said, "yes\nShe', " ran away", 0),
        ("", "He ran home.", 0),
        ('"', "", 0),
    ],
)
def test_talkative(prompt, text, utility):
    assert get_annotator("talkative").utility(prompt, text) == pytest.approx(utility)


@pytest.mark.parametrize(
    ("text", "utility"),
    [
        ("Who is it? It is Tom.", 3 / 6),
        ('"Why?" he asked. "Really?!" What now', 2 / 6),  # the last one is cut off before its mark
        ("He ran home.", 0),
        ("???", 0),
        ("", 0),
    ],
)
def test_curious(text, utility):
    assert get_annotator("curious").utility("Why?", text) == pytest.approx(utility)


def test_mix_is_the_weighted_mean_of_scaled_parts():
    text = 'The happy dog ran. "Who is it?" asked Tom.'
    sunny, curious = get_annotator("sunny"), get_annotator("curious")
    expected = (2 * sunny.utility("", text) / sunny.scale - curious.utility("", text) / curious.scale) / 3
    assert Mix({"sunny": 2, "curious": -1, "terse": 0}).utility("", text) == pytest.approx(expected)
    others = [annotator for name, annotator in annotators().items() if name != "mix"]
    equal = sum(other.utility("", text) / other.scale for other in others) / len(others)
    assert get_annotator("mix").utility("", text) == pytest.approx(equal)


@pytest.mark.parametrize("weights", [{}, {"sunny": 0}, {"sunny": math.nan}, {"mix": 1}, {"nobody": 1}])
def test_a_mix_that_means_nothing_is_refused(weights):
    with pytest.raises(PlaygroundError):
        Mix(weights)


@pytest.mark.parametrize("name", sorted(annotators()))
@given(prompt=st.text(), response=st.text())
def test_every_utility_is_finite_and_repeatable(name, prompt, response):
    annotator = get_annotator(name)
    utility = annotator.utility(prompt, response)
    assert math.isfinite(utility)
    assert utility == annotator.utility(prompt, response)


@given(st.text(alphabet="ab1.!?\n \"'"))
def test_sentences_lose_no_word_and_invent_none(text):
    assert [word for body, _ in sentences(text) for word in body] == words(text)


def test_annotators_are_found_and_described():
    assert list(annotators()) == ["animal_lover", "curious", "mix", "sunny", "talkative", "terse"]
    for name, annotator in annotators().items():
        assert (annotator.name, annotator.scale > 0) == (name, True)
        assert len(annotator.description) > len(annotator.title) > 0
    with pytest.raises(PlaygroundError, match="sunny"):
        get_annotator("grumpy")


def test_a_new_annotator_is_one_new_file(tmp_path, monkeypatch):
    (tmp_path / "shouter.py").write_text(
        textwrap.dedent("""
            from core.feedback.annotators.base import Annotator

            class Shouter(Annotator):
                name, title, description, scale = "shouter", "Shouter", "Likes capitals.", 1.0

                def utility(self, prompt, response):
                    return float(sum(letter.isupper() for letter in response))
        """)
    )
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    package.annotator_classes.cache_clear()
    package._default_annotators.cache_clear()
    try:
        assert get_annotator("shouter").utility("", "HI Tom") == 3
    finally:
        monkeypatch.undo()
        sys.modules.pop(f"{package.__name__}.shouter", None)
        package.annotator_classes.cache_clear()
        package._default_annotators.cache_clear()


@pytest.mark.parametrize(("left", "right", "sd"), [(1.0, 0.0, 1.0), (0.2, 1.7, 0.8), (-3.0, -3.1, 4.0), (5, -5, 2)])
def test_probability_left_is_the_closed_form_and_symmetric(left, right, sd):
    assert probability_left(left, right, sd) == pytest.approx(1 / (1 + math.exp(-2 * (left - right) / sd)), rel=1e-12)
    assert probability_left(left, right, sd) + probability_left(right, left, sd) == 1


def test_probability_left_at_its_limits():
    assert probability_left(1e9, -1e9, 1e-3) == 1
    assert probability_left(-1e9, 1e9, 1e-3) == 0
    assert [probability_left(*pair, 0) for pair in [(1, 0), (0, 1), (1, 1)]] == [1, 0, 0.5]
    for sd in (-1.0, math.nan):
        with pytest.raises(ValueError, match="sd"):
            probability_left(0, 1, sd)


def test_a_vote_is_the_uniform_below_the_probability():
    sunny = get_annotator("sunny")
    left, right = "a happy day", "a sad day"
    probability = probability_left(sunny.utility("", left), sunny.utility("", right), 30.0)
    assert 0.5 < probability < 1
    assert prefers_left(sunny, "", left, right, 30.0, probability - 1e-9)
    assert not prefers_left(sunny, "", left, right, 30.0, probability)
    assert not prefers_left(sunny, "", right, left, 30.0, probability)


def test_importing_the_annotators_costs_nothing_heavy():
    script = (
        "import sys; from core.feedback.annotators import annotators; from core.feedback.prompts import prompt_sets; "
        "annotators()['mix'].utility('', 'a happy dog'); prompt_sets(); "
        "sys.exit(bool({'torch', 'transformers', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0

"""distinct-n by counting by hand, its interval by repetition; self-BLEU by sacrebleu's own numbers and the formula."""

import math
import random

import pytest
import sacrebleu

from core.alignment.before_after.diversity import COMPARED, distinct_n, self_bleu


def test_distinct_n_counted_by_hand():
    texts = ["The cat sat.", "the cat ran!"]
    assert distinct_n(texts, 1).value == 4 / 6  # the cat sat ran, of six words
    assert distinct_n(texts, 2).value == 3 / 4  # the-cat twice
    assert distinct_n(texts, 3).value == 1.0
    assert distinct_n(texts, 4) == (0.0, 0.0, 0.0)  # nobody has four words
    assert distinct_n(["no no no no"], 1).value == 1 / 4


def test_ngrams_do_not_reach_over_the_end_of_a_text():
    assert distinct_n(["a b", "c d"], 2).value == 1.0
    assert distinct_n(["a b", "a b"], 2).value == 0.5


def test_the_jackknife_leaves_out_each_text_really():
    texts = ["a b c a", "a b d", "e f", "a b c a b"]
    found = distinct_n(texts, 2)
    without = [distinct_n(texts[:place] + texts[place + 1 :], 2).value for place in range(4)]
    mean = sum(without) / 4
    error = math.sqrt(3 / 4 * sum((one - mean) ** 2 for one in without))
    assert found.high - found.value == pytest.approx(3.182 * error)  # Student's, three degrees


def test_the_interval_is_about_as_wide_as_repetition_says():
    rng = random.Random(0)
    words = [f"w{'x' * n}" for n in range(40)]
    weights = [1 / (n + 1) for n in range(40)]
    found = [distinct_n([" ".join(rng.choices(words, weights, k=8)) for _ in range(60)], 2) for _ in range(120)]
    values = [one.value for one in found]
    mean = sum(values) / len(values)
    sd = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    width = sum(one.high - one.value for one in found) / len(found)
    assert 0.7 < width / (1.96 * sd) < 1.5


def test_self_bleu_is_sacrebleus_with_the_others_as_references():
    texts = ["the cat sat on the mat .", "the cat sat on a hat .", "birds sing all day long here ."]
    each = [
        sacrebleu.sentence_bleu(text, [other for other in texts if other is not text], use_effective_order=True).score
        for text in texts
    ]
    assert self_bleu(texts).value == pytest.approx(sum(each) / 3)


def test_self_bleu_in_closed_form():
    assert self_bleu(["one two three four five"] * 3).value == pytest.approx(100)
    # Two words in two, one of them shared: p1 = 1/2; no bigram shared, smoothed to 1/2 of one of one; no length penalty.
    assert self_bleu(["red dog", "red cat"]).value == pytest.approx(100 * math.sqrt(1 / 2 * 1 / 2))


def test_self_bleu_leaves_out_blank_texts_and_looks_at_so_many():
    assert self_bleu(["", "  ", "alone"]) == (0.0, 0.0, 0.0)
    alike, unlike = ["the very same five words"] * COMPARED, ["quite different from anything before it"] * 5
    assert self_bleu(alike + unlike).value == pytest.approx(100)

"""The live head against scikit-learn's logistic regression, the inverse Hessian, integrals, and plain transformers."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from transformers import OPTConfig, OPTForCausalLM

from core.alignment.live.bets import Bet, BetBook, bet, hits, running_shares
from core.alignment.live.feature_shelf import FeatureShelf
from core.alignment.live.frozen_features import frozen_features
from core.alignment.live.live_curves import MEASURED_AT, learn, taste
from core.alignment.live.live_head import PRIOR_SD, chance_left, fit_live_head
from core.alignment.live.next_pair import expected_information, least_sure_first
from core.alignment.preferences import ResponsePair
from core.errors import PlaygroundError
from core.feedback.annotators import get_annotator
from tests.tiny import FAMILIES, tokenizer


def some_votes(votes: int, width: int = 12, seed: int = 0):
    """Gaps of different sizes in the two views, and votes with a taste behind them."""
    rng = np.random.default_rng(seed)
    gaps = rng.normal(size=(votes, 2, width)) * np.array([1.0, 20.0])[:, None]
    taste = rng.normal(size=width)
    return gaps, rng.random(votes) < expit(gaps[:, 0] @ taste)


def scaled(gaps: np.ndarray) -> np.ndarray:
    """Both views of equal weight, a typical pair of length 1: written anew, view by view."""
    views = []
    for view in range(2):
        lengths = np.linalg.norm(gaps[:, view], axis=1)
        views.append(gaps[:, view] / (math.sqrt(2) * math.sqrt(np.mean(lengths**2))))
    return np.concatenate(views, axis=1)


@pytest.mark.parametrize("votes", [2, 9, 60])
def test_the_head_is_scikit_learns_logistic_regression(votes):
    gaps, left = some_votes(votes)
    left[:2] = [True, False]
    oracle = LogisticRegression(C=PRIOR_SD**2, fit_intercept=False, tol=1e-10, max_iter=10_000)
    oracle.fit(scaled(gaps), left)
    head = fit_live_head(gaps, left)
    assert head.votes == votes
    assert head.predict(gaps)[0] == pytest.approx(scaled(gaps) @ oracle.coef_[0], abs=1e-5)


@pytest.mark.parametrize("votes", [10, 60])  # fewer than weights, and more
def test_its_variance_is_that_of_the_inverse_hessian(votes):
    gaps, left = some_votes(votes)
    rows = scaled(gaps)
    mean, variance = fit_live_head(gaps, left).predict(gaps)
    weight = expit(mean) * expit(-mean)
    covariance = np.linalg.inv(rows.T @ (weight[:, None] * rows) + np.eye(rows.shape[1]) / PRIOR_SD**2)
    assert variance == pytest.approx(np.einsum("ni,ij,nj->n", rows, covariance, rows), rel=1e-6)


def test_swapping_every_side_swaps_every_prediction():
    gaps, left = some_votes(20)
    mean, variance = fit_live_head(gaps, left).predict(gaps)
    turned_mean, turned_variance = fit_live_head(-gaps, ~left).predict(-gaps)
    assert turned_mean == pytest.approx(-mean)
    assert turned_variance == pytest.approx(variance)


def test_one_sided_votes_have_a_finite_head_and_no_votes_know_nothing():
    gaps, _ = some_votes(40)
    separable = fit_live_head(gaps, np.ones(40, dtype=bool))
    assert np.isfinite(separable.predict(gaps)[0]).all()
    nothing = fit_live_head(gaps[:0], [])
    mean, variance = nothing.predict(gaps)
    assert (mean == 0).all() and (variance > 0).all() and nothing.votes == 0
    same = fit_live_head(np.zeros((3, 2, 4)), [True, False, True])
    assert same.predict(np.ones((1, 2, 4)))[0] == pytest.approx([0.0])


@pytest.mark.parametrize(("mean", "variance"), [(0.0, 3.0), (1.2, 0.5), (-2.0, 4.0)])
def test_probability_and_information_against_numerical_integrals(mean, variance):
    def averaged(function):
        return quad(lambda z: function(expit(mean + math.sqrt(variance) * z)) * norm.pdf(z), -12, 12, epsabs=1e-10)[0]

    def entropy(p):
        return -p * math.log(p) - (1 - p) * math.log(1 - p) if 0 < p < 1 else 0.0

    chance = averaged(lambda p: p)
    assert chance_left(np.array([mean]), np.array([variance]))[0] == pytest.approx(
        chance, abs=0.015
    )  # MacKay's approximation
    information = entropy(chance) - averaged(entropy)
    assert expected_information(np.array([mean]), np.array([variance]))[0] == pytest.approx(information, abs=1e-6)


def test_the_next_pair_is_the_one_the_head_knows_least_about():
    gaps, left = some_votes(40)
    head = fit_live_head(gaps, left)
    known, unknown, empty = gaps[0], gaps[0] + 3 * some_votes(1, seed=9)[0][0], np.zeros_like(gaps[0])
    order = least_sure_first(head, np.stack([empty, known, unknown]))
    assert order[0] == 2 and order[-1] == 0  # two texts with the same features teach nothing
    assert expected_information(np.zeros(1), np.zeros(1))[0] == 0  # a toss-up by taste is not worth asking about


def test_bets_use_earlier_votes_alone_and_the_book_changes_nothing():
    gaps, left = some_votes(25)
    by_key = dict(enumerate(gaps))
    one_by_one = [bet(fit_live_head(gaps[:n], left[:n]), gaps[n]) for n in range(25)]
    book = BetBook()
    for n in (1, 7, 25):
        bets, head = book.upto(range(n), by_key, left)
        assert bets == one_by_one[:n]
        assert head is not None and head.votes == n
    assert bets[0].side == "none" and bets[0].left == 0.5 and bets[0].votes == 0
    refreshed, _ = BetBook().upto(range(25), by_key, left)
    assert refreshed == bets
    undone, head = book.upto(range(20), by_key, left)
    assert undone == one_by_one[:20] and head.votes == 20
    turned = left.copy()
    turned[19] = not turned[19]
    otherwise, _ = book.upto([*range(19), "again", *range(20, 25)], by_key | {"again": gaps[19]}, turned)
    expected = [bet(fit_live_head(gaps[:n], turned[:n]), gaps[n]) for n in range(25)]
    assert otherwise == expected and otherwise[20:] != bets[20:]
    assert book.upto([], {}, []) == ([], None)


def test_running_shares_count_real_bets_alone():
    bets = [Bet(0.0, 4.0, 0), Bet(0.7, 1.0, 1), Bet(-0.8, 1.0, 2), Bet(0.1, 0.5, 3)]
    assert hits(bets, [True, True, True, False]) == [True, False, False]
    assert [(share.hits, share.total) for share in running_shares([True, False, False])] == [(1, 1), (1, 2), (1, 3)]
    assert Bet(-0.8, 1.0, 2).confidence == pytest.approx(expit(0.8 / math.sqrt(1 + math.pi / 8)))


@pytest.mark.parametrize("family", FAMILIES)
def test_features_are_means_over_the_responses_own_tokens(family):
    policy, encode = FAMILIES[family](), tokenizer()
    prompts = ["Once upon a time", "The dog", "One day, a girl named Lily went to the park and"]
    responses = [" there was a cat.", " ran.", " saw a big red ball in the grass near the tree."]
    found = frozen_features(policy, encode, prompts, responses, batch_size=2)
    for prompt, response, (words, context) in zip(prompts, responses, found, strict=True):
        ids = encode(prompt + response, return_tensors="pt")["input_ids"]
        own = len(encode(response)["input_ids"])
        assert encode(prompt)["input_ids"] == ids[0, :-own].tolist()  # these texts split where the response begins
        with torch.no_grad():
            states = policy.base_model(ids, output_hidden_states=True).hidden_states
        middle = states[round(2 / 3 * (len(states) - 1))][0, -own:]
        normed = (middle - middle.mean(-1, keepdim=True)) / middle.std(-1, keepdim=True, unbiased=False)
        assert words == pytest.approx(policy.get_input_embeddings()(ids[0, -own:]).mean(0).detach().numpy(), abs=1e-5)
        assert context == pytest.approx(normed.mean(0).numpy(), abs=1e-3)


def test_embeddings_narrower_than_the_states_end_in_zeros():
    shape = {"vocab_size": 4096, "hidden_size": 16, "ffn_dim": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    policy = OPTForCausalLM(OPTConfig(**shape, word_embed_proj_dim=8))
    ((words, context),) = frozen_features(policy, tokenizer(), ["The dog"], [" ran."])
    assert words.shape == context.shape == (16,)
    assert words[:8].all() and not words[8:].any() and context.all()


def test_an_empty_response_is_read_at_the_last_token():
    policy, encode = FAMILIES["gpt2"](), tokenizer()
    (words, _), (same, _) = frozen_features(policy, encode, ["The dog ran", "The dog"], ["", " ran"])
    assert words == pytest.approx(same)


def test_the_shelf_reads_in_the_background_and_gives_what_was_asked():
    policy, encode = FAMILIES["gpt2"](), tokenizer()
    shelf = FeatureShelf(lambda: (policy, encode))
    assert shelf.gap("The dog", " ran.", " slept.") is None
    texts = [("The dog", " ran."), ("The dog", " slept."), *((f"Prompt {n}", " and so on.") for n in range(20))]
    shelf.want(texts)
    shelf.want(texts)
    assert shelf.wait(60)
    expected = frozen_features(policy, encode, ["The dog"] * 2, [" ran.", " slept."])
    assert shelf.gap("The dog", " ran.", " slept.") == pytest.approx(expected[0] - expected[1], abs=1e-5)
    shelf.want([("Another", " text")])  # the thread has ended, and begins again
    assert shelf.wait(60)
    assert shelf.features("Another", " text") is not None


def test_a_policy_that_cannot_be_had_is_said_and_not_tried_forever():
    calls = []

    def nowhere():
        calls.append(1)
        raise PlaygroundError("not on this machine")

    shelf = FeatureShelf(nowhere)
    for _ in range(3):
        shelf.want([("a", "b")])
        shelf.wait(10)
    assert shelf.error == "not on this machine" and len(calls) == 1


@pytest.mark.parametrize("choice", ["random", "least sure"])
def test_a_simulated_sitting_learns_a_taste_that_the_features_hold(choice):
    rng = np.random.default_rng(0)
    sunny = get_annotator("sunny")
    moods = [" was happy and good.", " was sad and bad.", " went home.", " loved the wonderful party."]
    pairs = [ResponsePair("Tom", moods[a], moods[b]) for a, b in rng.integers(0, 4, (300, 2)) if a != b]
    gaps = np.array(
        [[[sunny.utility("", p.left) - sunny.utility("", p.right), *rng.normal(size=3)]] * 2 for p in pairs]
    )
    known = taste(sunny, pairs[:100], pairs[100:], seed=1)
    assert 0.8 < known.ceiling < 1
    curve = learn(known, gaps[:100], gaps[100:], choice, seed=0)
    assert len(curve.skill) == len(MEASURED_AT) and len(curve.bets) == MEASURED_AT[-1] - 1
    assert curve.skill[-1] > 0.9
    assert learn(known, gaps[:100], gaps[100:], choice, seed=0) == curve

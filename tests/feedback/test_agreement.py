"""κ and α against published worked examples and scikit-learn; what two people said of the same texts."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score

from core.feedback.agreement import (
    MISSING,
    TIE,
    acts_of,
    cohen_kappa,
    judgements,
    krippendorff_alpha,
    rated,
    simulated_judgements,
)
from core.feedback.annotators import get_annotator
from core.feedback.comparison import Vote
from core.feedback.habits import habits
from core.feedback.leanings import side_and_length

X = MISSING
KRIPPENDORFF_2011 = [  # "Computing Krippendorff's alpha-reliability", section C: four observers, twelve units
    [1, 2, 3, 3, 2, 1, 4, 1, 2, X, X, X],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, X, 3],
    [X, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, X],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, X],
]
TWO_OBSERVERS = [  # the same paper, section A: two observers, binary data, none missing
    [0, 1, 0, 0, 0, 0, 0, 0, 1, 0],
    [1, 1, 1, 0, 0, 1, 0, 0, 0, 0],
]


def from_table(table: list[list[int]]) -> tuple[list[int], list[int]]:
    """Two raters' answers from how often each combination came."""
    cells = [(row, column) for row, counts in enumerate(table) for column, n in enumerate(counts) for _ in range(n)]
    return [row for row, _ in cells], [column for _, column in cells]


def a_vote(number: int, choice: str, left: str, right: str, **more) -> Vote:
    fields = {"prompt": "P", "policy": "storyteller", "prompt_set": "stories", "created": float(number)}
    fields |= {"response_seconds": None, "strength": None, "source": "app", "undone": False} | more
    return Vote(id=number, pair_id=number, annotator="me", choice=choice, left=left, right=right, **fields)


def test_alpha_of_krippendorffs_example_with_missing_data():
    assert krippendorff_alpha(KRIPPENDORFF_2011).value == pytest.approx(0.743, abs=0.0005)
    assert krippendorff_alpha(KRIPPENDORFF_2011).items == 11  # the twelfth unit has a single rating
    assert krippendorff_alpha(TWO_OBSERVERS).value == pytest.approx(0.095, abs=0.0005)


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        ([[88, 14, 18], [10, 40, 10], [2, 6, 12]], 0.492),  # Cohen (1968), Psychological Bulletin 70:213, table 1
        ([[20, 5], [10, 15]], 0.4),  # 50 grant proposals: Wikipedia, "Cohen's kappa"
        ([[45, 15], [25, 15]], 0.1304),  # the same page: equal agreement, different marginals
        ([[25, 35], [5, 35]], 0.2593),
    ],
)
def test_kappa_of_published_tables_and_of_scikit_learn(table, kappa):
    one, two = from_table(table)
    found = cohen_kappa(one, two)
    assert found.value == pytest.approx(kappa, abs=0.0005)
    assert found.value == pytest.approx(cohen_kappa_score(one, two))
    assert found.low < found.value < found.high


def test_the_interval_is_about_that_of_the_large_sample_error():
    one, two = from_table([[200, 50], [100, 150]])
    found = cohen_kappa(one, two)
    error = np.sqrt(0.7 * 0.3 / 500) / (1 - 0.5)  # Cohen (1960), eq. 8
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert found == cohen_kappa(one, two)  # the same votes, the same interval


def test_ten_pairs_judged_alike_are_no_certainty_and_the_interval_holds_what_it_promises():
    found = cohen_kappa([0, 1] * 5, [0, 1] * 5)
    assert found.value == found.high == 1 and 0.3 < found.low < 0.8
    assert krippendorff_alpha([[0, 1] * 5, [0, 1] * 5]).low < 0.8
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):  # two raters who agree on nine pairs of ten: κ is 0.8
        one = rng.integers(0, 2, 10)
        found = cohen_kappa(one, np.where(rng.random(10) < 0.1, 1 - one, one))
        held += found is None or found.low <= 0.8 <= found.high
    assert held >= 175  # resampling the pairs alone held it in 130


def test_six_comparisons_of_a_ranking_are_no_six_witnesses():
    rng = np.random.default_rng(0)
    places = np.triu_indices(4, 1)
    acts = np.repeat(np.arange(20), 6)
    held = {"acts": 0, "pairs": 0}
    for _ in range(200):  # two people who rank by chance: κ is 0
        one, two = ((r[:, places[0]] > r[:, places[1]]).ravel().astype(int) for r in rng.random((2, 20, 4)))
        for name, found in (("acts", cohen_kappa(one, two, acts)), ("pairs", cohen_kappa(one, two))):
            held[name] += found.low <= 0 <= found.high
    assert held["acts"] >= 185 > held["pairs"]
    assert (cohen_kappa(one, two, acts).acts, cohen_kappa(one, two, acts).items) == (20, 120)


def test_what_one_act_judged_is_named_alike():
    votes = [a_vote(1, "left", "a", "b", ranking="r"), a_vote(2, "left", "a", "c", ranking="r")]
    votes.append(a_vote(3, "left", "a", "d"))
    assert acts_of(votes, [{3: 0, 1: 1}, {2: 0, 9: 1}]) == ["r", "r", "3", "pair 9"]


def test_what_is_missing_does_not_count_and_what_is_not_defined_is_none():
    assert cohen_kappa([0, 1, X, 0], [0, 0, 1, X]).items == 2
    assert cohen_kappa([0, 0, 0], [0, 0, 0]) is None
    assert cohen_kappa([0], [0]) is None
    assert krippendorff_alpha([[0, X], [X, 1]]) is None
    assert krippendorff_alpha([[0, 0], [0, 0]]) is None
    assert krippendorff_alpha(rated([])) is None
    assert krippendorff_alpha([[0, 1, 1], [0, 1, 1]]).value == 1.0


def test_judgements_are_about_texts_and_not_about_sides():
    mine = judgements([a_vote(1, "left", "a", "b"), a_vote(2, "right", "a", "b"), a_vote(3, "tie", "a", "b")])
    yours = judgements([a_vote(1, "right", "b", "a"), a_vote(2, "left", "b", "a"), a_vote(4, "skip", "a", "b")])
    assert mine == {1: 0, 2: 1, 3: TIE}
    assert yours == {1: 0, 2: 1}
    assert rated([mine, yours]).tolist() == [[0, 1, TIE], [0, 1, X]]
    undone, repeat = a_vote(5, "left", "a", "b", undone=True), a_vote(6, "left", "a", "b", repeat_of=1)
    assert judgements([undone, repeat]) == {}


def test_a_simulated_taste_judges_the_same_pairs_without_noise():
    sunny = get_annotator("sunny")
    votes = [
        a_vote(1, "left", "so sad", "happy day"),
        a_vote(2, "left", "so happy", "a sad day"),
        a_vote(3, "left", "x", "y"),
    ]
    assert simulated_judgements(votes, sunny) == {
        1: 0,
        2: 1,
    }  # sorted: "happy day" before "so sad", "a sad…" before "so…"


def test_side_and_length_against_scikit_learn():
    rng = np.random.default_rng(0)
    votes, x, y = [], [], []
    for n in range(400):
        a, b = rng.integers(1, 40, 2)
        left = rng.random() < 1 / (1 + np.exp(-(0.5 + 0.8 * (a - b) / 10)))
        votes.append(a_vote(n, "left" if left else "right", "w " * a, "w " * b))
        x.append([1.0, (a - b) / 10])
        y.append(left)
    side, length = side_and_length(votes)
    oracle = LogisticRegression(C=2.5**2, fit_intercept=False, tol=1e-10).fit(x, y)
    assert [side.value, length.value] == pytest.approx(oracle.coef_[0].tolist(), abs=1e-4)
    assert side.low < 0.5 < side.high and length.low < 0.8 < length.high
    assert side.real and length.real
    assert length.odds[0] == pytest.approx(np.exp(length.value))


def test_one_sided_votes_have_a_finite_push_and_none_have_none():
    votes = [a_vote(n, "left", "one two three", "one") for n in range(10)]
    votes.append(a_vote(10, "right", "one", "one two three"))
    side, length = side_and_length(votes)
    x, y = [[1.0, 0.2]] * 10 + [[1.0, -0.2]], [True] * 10 + [False]
    oracle = LogisticRegression(C=2.5**2, fit_intercept=False, tol=1e-10).fit(x, y)
    assert [side.value, length.value] == pytest.approx(oracle.coef_[0].tolist(), abs=1e-4)
    assert np.isfinite([side.low, length.high]).all()
    assert side_and_length([]) is None
    assert side_and_length([a_vote(1, "tie", "a", "b"), a_vote(2, "left", "a", "b", ranking="r")]) is None


def test_habits_leave_out_hidden_repeats_and_the_sides_of_rankings():
    votes = [
        a_vote(1, "left", "a b", "c"),
        a_vote(2, "left", "a b", "c", repeat_of=1),
        a_vote(3, "left", "a b", "c", ranking="r"),
    ]
    found = habits(votes)
    assert (found.left.total, found.longer.total, found.decided) == (1, 2, 2)


def test_the_highest_of_several_by_chance_is_seldom_called_agreement():
    """Coin-tossers, each beside six others: the nearest of six is near by luck."""
    rng = np.random.default_rng(0)
    called = {False: 0, True: 0}
    for _ in range(150):
        mine, *others = rng.integers(0, 2, size=(7, 40))
        best = max((cohen_kappa(mine, other) for other in others), key=lambda one: one.value)
        called[False] += best.beyond_chance
        called[True] += best.beyond_chance_among(6)
    assert called[True] <= 9 < called[False]  # 2.5 % would be four
    mine = rng.integers(0, 2, size=200)
    other = np.where(rng.random(200) < 0.3, 1 - mine, mine)
    assert cohen_kappa(mine, other).beyond_chance_among(6)

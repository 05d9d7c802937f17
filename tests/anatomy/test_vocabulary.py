"""The cloud of content vectors: PCA against scikit-learn, neighbours and analogies against plain loops."""

import subprocess
import sys
import time

import numpy as np
import pytest
from sklearn.decomposition import PCA

from core.anatomy import projection, vocabulary
from core.anatomy.parts import token_embedding
from core.anatomy.projection import Projection, progress_of, result_of, start
from core.anatomy.specimens import open_specimen
from core.anatomy.word_classes import (
    KINDS,
    counted,
    first_letter,
    frequency_classes,
    kind_of_word,
    most_seen,
)
from core.errors import PlaygroundError


@pytest.fixture(scope="module")
def storyteller():
    model, tokenizer = open_specimen("storyteller")
    return token_embedding(model).detach().numpy(), tokenizer


@pytest.fixture
def points():
    return np.random.default_rng(0).normal(size=(300, 6)) * [5, 3, 2, 1, 1, 0.5] + 7


def same_up_to_sign(mine, theirs, **tolerance):
    signs = np.sign((mine * theirs).sum(axis=0))
    np.testing.assert_allclose(mine * signs, theirs, **tolerance)


def test_principal_axes_are_scikit_learns_up_to_sign(points):
    theirs = PCA(3).fit(points)
    mine = vocabulary.principal_axes(points)
    same_up_to_sign(mine.of(points), theirs.transform(points), atol=1e-8)
    np.testing.assert_allclose(mine.share, theirs.explained_variance_ratio_, rtol=1e-9)


def test_they_are_on_the_storytellers_vocabulary_too(storyteller):
    vectors, _ = storyteller
    theirs = PCA(3, svd_solver="full").fit(vectors)
    mine = vocabulary.principal_axes(vectors)
    same_up_to_sign(mine.of(vectors), theirs.transform(vectors), atol=2e-3)
    np.testing.assert_allclose(mine.share, theirs.explained_variance_ratio_, rtol=1e-3)


def test_the_same_cloud_gives_the_same_signs(points):
    axes = vocabulary.principal_axes(points).axes
    assert (axes[np.arange(3), np.abs(axes).argmax(axis=1)] > 0).all()


def test_a_cloud_of_one_point_has_no_directions_but_no_error_either():
    flat = vocabulary.principal_axes(np.ones((4, 3)))
    assert np.isfinite(flat.of(np.ones((4, 3)))).all()
    assert (flat.share == 0).all()


def test_neighbours_are_those_of_the_plain_loop(points):
    rows = vocabulary.units(points)
    cosines = sorted(((vocabulary.cosine(points[7], points[i]), i) for i in range(300) if i != 7), reverse=True)
    found = vocabulary.neighbours(rows, 7, 5)
    assert [token for token, _ in found] == [i for _, i in cosines[:5]]
    assert [cos for _, cos in found] == pytest.approx([cos for cos, _ in cosines[:5]])


def test_more_neighbours_than_there_are_gives_all():
    rows = vocabulary.units(np.eye(3))
    assert len(vocabulary.neighbours(rows, 0, 10)) == 2
    assert vocabulary.nearest(rows, np.ones(3), 5, without=[0, 1, 2]) == []


def test_a_zero_vector_is_near_nothing():
    rows = vocabulary.units(np.array([[1.0, 0], [0, 0], [0, 1]]))
    assert vocabulary.neighbours(rows, 1, 2)[0][1] == 0.0


def test_an_analogy_that_is_there_by_construction():
    royal, man, woman = np.eye(3)
    vectors = np.stack([royal + man, man, woman, royal + woman, -royal])  # king, man, woman, queen, nobody
    found = vocabulary.analogy(vectors, vocabulary.units(vectors), 0, 1, 2, count=1)
    assert found["answers"][0] == [3, pytest.approx(1.0)]


def test_the_words_of_an_analogy_are_left_out_of_the_answers_alone():
    vectors = np.array([[1.0, 0.1], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    found = vocabulary.analogy(vectors, vocabulary.units(vectors), 0, 1, 2, count=4)
    assert [token for token, _ in found["answers"]] == [3]
    assert found["unfiltered"][0][0] == 2


def test_the_storyteller_knows_who_she_is(storyteller):
    vectors, tokenizer = storyteller
    rows = vocabulary.units(vectors)
    ids = [vocabulary.tokens_of_word(tokenizer, word)[0] for word in ("she", "he", "his", "her")]
    answers = vocabulary.analogy(vectors, rows, *ids[:3])["answers"]
    assert answers[0][0] == ids[3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("#544", [544]), ("#4095", [4095]), ("#4096", []), ("", []), ("   ", [])],
)
def test_what_a_searched_text_stands_for(storyteller, text, expected):
    assert vocabulary.tokens_of_word(storyteller[1], text) == expected


@pytest.mark.parametrize("text", ["#x", "#²", "#-1", "##", "<b>", "🐶", "\x00"])
def test_anything_else_is_cut_into_the_tokens_it_is_made_of(storyteller, text):
    _, tokenizer = storyteller
    assert tokenizer.decode(vocabulary.tokens_of_word(tokenizer, text)).strip(" ") == text


def test_a_word_is_looked_up_as_inside_a_sentence(storyteller):
    _, tokenizer = storyteller
    assert vocabulary.tokens_of_word(tokenizer, "dog") == tokenizer(" dog")["input_ids"]
    assert vocabulary.tokens_of_word(tokenizer, " dog") == tokenizer(" dog")["input_ids"]
    assert len(vocabulary.tokens_of_word(tokenizer, "electrification")) > 1


def test_shared_labels_against_the_plain_loop(points):
    rows, labels = vocabulary.units(points[:60]), np.arange(60) % 3
    labels[:5] = -1
    kept = np.flatnonzero(labels >= 0)
    hits = chance = 0.0
    for i in kept:
        others = [j for j in kept if j != i]
        near = sorted(others, key=lambda j: -rows[i] @ rows[j])[:10]
        hits += sum(labels[j] == labels[i] for j in near) / 10
        chance += sum(labels[j] == labels[i] for j in others) / len(others)
    found = vocabulary.shared_among_neighbours(rows, labels)
    assert found["share"] == pytest.approx(hits / len(kept))
    assert found["chance"] == pytest.approx(chance / len(kept))


@pytest.mark.parametrize(
    ("piece", "kind"),
    [("␣she", "pronoun or article"), ("␣because", "preposition or conjunction"), ("␣was", "auxiliary"),
     ("␣slowly", "adverb"), ("␣playing", "verb form"), ("␣jumped", "verb form"), ("␣red", "other word"),
     ("␣bed", "other word"), ("␣beautiful", "adjective"), ("␣happiness", "noun"), ("␣Lily", "capitalised"),
     ("␣dog", "other word"), ("ing", "no whole word"), ("␣42", "no whole word"), ("⟨F0 9F⟩", "no whole word")],
)  # fmt: skip
def test_kinds_of_words(piece, kind):
    assert kind_of_word(piece) == kind
    assert kind in KINDS


@pytest.mark.parametrize(("piece", "letter"), [("␣apple", 0), ("Zoo", 25), ("␣", -1), ("42", -1), ("∅", -1), ("é", -1)])
def test_first_letters(piece, letter):
    assert first_letter(piece) == letter


def test_counts_are_those_of_the_bundled_texts(storyteller):
    from core.feedback.prompts import prompt_sets
    from core.feedback.sources import bundled_pairs

    _, tokenizer = storyteller
    counts = counted(tokenizer, len(tokenizer))
    texts = [t for p in prompt_sets() for t in (*p.train, *p.heldout)]
    texts += [t for pair in bundled_pairs() for t in (pair.response_a, pair.response_b)]
    dog = tokenizer(" dog")["input_ids"][0]
    assert counts[dog] == sum(tokenizer(text)["input_ids"].count(dog) for text in texts if "dog" in text)
    assert counts.sum() == sum(map(len, tokenizer(texts)["input_ids"]))


def test_classes_of_frequency():
    shades, names = frequency_classes(np.array([0, 1, 2, 3, 9, 10, 100, 5000]))
    assert shades.tolist() == [0, 1, 1, 2, 2, 3, 4, 4]
    assert len(names) == 5


def test_drawn_are_the_most_seen_then_the_earliest_merges():
    counts = np.array([0, 5, 0, 9, 0])
    assert most_seen(counts, 3).tolist() == [0, 1, 3]
    assert most_seen(counts, 2, always=[4]).tolist() == [1, 3, 4]


def test_tsne_runs_in_the_background_tells_how_far_it_is_and_is_kept(points):
    wanted = Projection("tsne", 2, neighbours=5)
    assert progress_of(projection.folder_of(points[:120], wanted)).status == "none"
    folder = start(points[:120], wanted)
    assert progress_of(folder).status == "working"
    until = time.monotonic() + 60
    while progress_of(folder).status == "working" and time.monotonic() < until:
        time.sleep(0.1)
    assert progress_of(folder).status == "done", (folder / "progress.json").read_text()
    made = result_of(folder)
    assert made.shape == (120, 2) and np.isfinite(made).all()
    assert not (folder / "vectors.npy").exists()
    written = (folder / "result.npy").stat().st_mtime_ns
    assert start(points[:120], wanted) == folder
    assert (folder / "result.npy").stat().st_mtime_ns == written
    assert projection.folder_of(points[:120] + 1, wanted) != folder
    assert projection.folder_of(points[:120], Projection("tsne", 3, neighbours=5)) != folder


def test_tsne_reports_its_iterations(points):
    told = []
    projection.project(points[:60], Projection("tsne", 2, neighbours=5), lambda done, of: told.append((done, of)))
    assert told[0][0] < told[-1][0] <= told[-1][1] == 1000


def test_a_projection_whose_process_died_says_so_and_can_be_started_again(points, monkeypatch):
    wanted = Projection("tsne", 2, neighbours=5)
    idle = [sys.executable, "-c", "pass"]
    real = subprocess.Popen
    monkeypatch.setattr(projection.subprocess, "Popen", lambda command, **options: real(idle, **options))
    folder = start(points, wanted)
    (folder / "progress.json").write_text('{"done": 50, "of": 1000}')
    assert progress_of(folder).status == "failed"
    start(points, wanted)
    assert not (folder / "progress.json").exists()


def test_a_projection_that_cannot_be_made_says_why(points, monkeypatch):
    monkeypatch.setattr(projection, "has_umap", lambda: False)
    with pytest.raises(PlaygroundError, match="umap-learn"):
        projection.project(points, Projection("umap"))


def test_a_broken_result_is_named(points):
    folder = projection.folder_of(points, Projection("tsne"))
    folder.mkdir(parents=True)
    (folder / "result.npy").write_bytes(b"half")
    with pytest.raises(PlaygroundError, match="cannot be read"):
        result_of(folder)

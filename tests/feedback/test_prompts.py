"""The bundled prompts are what they say they are, and a reader's own file is read whole or refused by line."""

import json
from pathlib import Path

import pytest

from core.errors import PlaygroundError
from core.feedback.data import make_stories
from core.feedback.prompts import SUMMARISE, load_prompts, prompt_sets

STORIES = load_prompts("stories")


def folded(prompts):
    return {" ".join(prompt.lower().split()) for prompt in prompts}


@pytest.mark.parametrize(
    ("name", "policy", "train", "heldout"),
    [("stories", "storyteller", 1000, 256), ("summaries", "smollm2-135m", 30, 10), ("chat", "smollm2-135m", 80, 20)],
)
def test_every_set_has_its_size_and_policy(name, policy, train, heldout):
    prompts = load_prompts(name)
    assert (prompts.name, prompts.policy, len(prompts.heldout)) == (name, policy, heldout)
    assert len(prompts.train) >= train


@pytest.mark.parametrize("prompts", prompt_sets(), ids=lambda prompts: prompts.name)
def test_no_prompt_comes_twice_and_none_is_both_learnt_and_measured(prompts):
    together = prompts.train + prompts.heldout
    assert len(folded(together)) == len(together)
    assert folded(prompts.train).isdisjoint(folded(prompts.heldout))
    assert all(prompt == prompt.strip() for prompt in together)


def test_the_three_sets_are_listed():
    assert [prompts.name for prompts in prompt_sets()] == ["stories", "summaries", "chat"]


def test_story_openings_are_short_and_clean():
    for prompt in STORIES.train + STORIES.heldout:
        assert 6 <= len(prompt.split()) <= 17, prompt
        assert prompt.isascii(), prompt
        assert set("{}[]_|;").isdisjoint(prompt), prompt
        assert not any(wrong in f" {prompt.lower()} " for wrong in (" a a", " a e", " a i", " a o", " a u")), prompt
        assert not any(wrong in f" {prompt.lower()} " for wrong in (" an b", " an s", " a an ", " the the ")), prompt


def test_story_openings_are_varied():
    openings = STORIES.train + STORIES.heldout
    assert len({" ".join(opening.split()[:3]) for opening in openings}) > 700
    assert sum(opening.count('"') % 2 for opening in openings) > 200  # speech just begun
    # After its name, no scene comes more than twice.
    assert len({opening.split(maxsplit=1)[1] for opening in openings}) > 0.95 * len(openings)


def test_the_grammar_writes_exactly_the_file_that_is_shipped():
    shipped = (Path(make_stories.__file__).parent / "stories.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line) for line in shipped.splitlines()] == make_stories.rows()


def test_a_summary_prompt_is_a_short_article_and_the_request():
    for prompt in load_prompts("summaries").train + load_prompts("summaries").heldout:
        article = prompt.removesuffix(SUMMARISE)
        assert article != prompt
        assert 80 <= len(article.split()) <= 130


def test_own_text_file_holds_out_every_fifth_and_keeps_repeats_once(tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("one\n\n two \ntwo words\r\none\nthree\nfour\nfive\nsix", encoding="utf-8")
    prompts = load_prompts(str(file))
    assert prompts.title == "mine"
    assert prompts.train == ("one", " two", "two words", "three", "five", "six")
    assert prompts.heldout == ("four",)


@pytest.mark.parametrize(("count", "heldout"), [(1, 0), (2, 1), (4, 1), (5, 1), (9, 1), (10, 2)])
def test_a_small_file_still_holds_something_out(tmp_path, count, heldout):
    file = tmp_path / "mine.txt"
    file.write_text("\n".join(f"prompt {number}" for number in range(count)))
    prompts = load_prompts(str(file))
    assert (len(prompts.train), len(prompts.heldout)) == (count - heldout, heldout)


def test_own_jsonl_file(tmp_path):
    file = tmp_path / "mine.jsonl"
    rows = [{"prompt": "several\nlines"}, {"prompt": "a line\u2028separator", "other": 1}]
    file.write_text("\ufeff" + "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8")
    prompts = load_prompts(str(file))
    assert prompts.train + prompts.heldout == ("several\nlines", "a line\u2028separator")


@pytest.mark.parametrize("bad", ['{"prompt": ', '{"text": "x"}', '{"prompt": 3}', '{"prompt": "  "}', '["x"]', "null"])
def test_a_bad_row_is_named_by_file_and_line(tmp_path, bad):
    file = tmp_path / "mine.jsonl"
    file.write_text('{"prompt": "good"}\n\n' + bad + "\n")
    with pytest.raises(PlaygroundError, match=r"mine\.jsonl, line 3: "):
        load_prompts(str(file))


def test_files_that_cannot_be_prompts_are_refused(tmp_path):
    (tmp_path / "empty.txt").write_text(" \n\n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlaygroundError, match="holds no prompts"):
        load_prompts(str(tmp_path / "empty.txt"))
    with pytest.raises(PlaygroundError, match="not UTF-8"):
        load_prompts(str(tmp_path / "binary.txt"))
    with pytest.raises(PlaygroundError, match="stories, summaries, chat"):
        load_prompts("novels")

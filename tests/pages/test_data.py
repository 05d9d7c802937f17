"""Data: prompts to browse, votes to read, export and delete, files to import."""

import json

import pytest

from core.feedback.prompts import load_prompts
from core.feedback.store import FeedbackStore, NewPair
from tests.pages.page_helpers import fine, opened, said


@pytest.fixture
def voted():
    """Ada has chosen twice, tied once and skipped once; Bo has chosen once."""
    store = FeedbackStore()
    store.add_pairs(
        [NewPair(f"Prompt {n}.", f" One {n}.", f" Two {n}.", "storyteller", "stories") for n in range(4)], pool="test"
    )
    for voter, choices in (("ada", ("left", "right", "tie", "skip")), ("bo", ("left",))):
        for choice in choices:
            store.vote(store.next_pair(voter, "storyteller", "stories"), voter, choice, response_seconds=2.5)
    return store


def table(at):
    return at.dataframe[0].value


def press(at, label):
    return fine(next(button for button in at.button if button.label == label).click().run())


def test_nothing_yet_says_where_votes_come_from():
    assert "Nobody has voted yet" in said(opened("data"))


def test_votes_are_counted_and_listed_newest_first(voted):
    at = opened("data")
    assert "3 comparisons voted on here and 0 imported" in said(at)
    assert "**3** with a preference &nbsp; 1 tied &nbsp; 1 skipped" in said(at)
    assert list(table(at)["voter"]) == ["bo", "ada", "ada", "ada", "ada"]
    assert list(table(at)["choice"]) == ["left", "skip", "tie", "right", "left"]
    newest = voted.votes(limit=1)[0]
    assert (table(at)["chosen"][0], table(at)["rejected"][0]) == (newest.left, newest.right)


def test_the_url_narrows_to_one_voter(voted):
    assert set(table(opened("data", who="bo"))["voter"]) == {"bo"}


def test_the_download_is_what_trainers_read(voted):
    from pages._data.votes import exported

    rows = [json.loads(line) for line in exported("ada", "jsonl").decode().splitlines()]
    assert len(rows) == 2
    assert {"prompt", "chosen", "rejected"} <= set(rows[0])


def test_votes_are_deleted_only_after_a_second_yes(voted):
    at = press(opened("data", who="ada"), "Delete these votes")
    assert "All 4 votes of ada go for good" in said(at)
    assert len(voted.votes("ada")) == 4
    at = press(at, "Delete them for good")
    assert "4 votes deleted." in said(at)
    assert voted.votes("ada") == []
    assert len(voted.votes("bo")) == 1


def test_prompts_can_be_browsed_and_found():
    stories = load_prompts("stories")
    at = opened("data", view="Prompts")
    assert len(table(at)) == len(stories.train) + len(stories.heldout)
    assert f"{len(stories.heldout):,} held out" in said(at)
    word = stories.train[0].split()[-1].lower()
    found = table(opened("data", view="Prompts", find=word))
    assert 0 < len(found) < len(stories.train)
    assert all(word in prompt.lower() for prompt in found["prompt"])


def test_an_import_keeps_the_good_rows_and_lists_the_others():
    lines = [{"prompt": "A", "chosen": " b", "rejected": " c"}, {"prompt": "A", "chosen": " b"}]
    at = opened("data", view="Import")
    at = at.file_uploader[0].upload("mine.jsonl", "\n".join(map(json.dumps, lines)).encode(), "application/json").run()
    at = press(at, "Import it")
    assert "1 comparison imported" in said(at)
    assert "1 row could not be used" in said(at)
    assert list(table(at)["line"]) == [2]
    (dataset,) = FeedbackStore().datasets()
    assert (dataset.name, dataset.rows) == ("mine.jsonl", 1)
    press(press(at, "Delete"), "Delete it for good")
    assert FeedbackStore().datasets() == []


def test_all_or_none_refuses_the_file():
    at = opened("data", view="Import")
    at = at.file_uploader[0].upload("mine.jsonl", b'{"prompt": "A"}\n', "application/json").run()
    at.toggle[0].set_value(True)
    at = press(at, "Import it")
    assert "Nothing was imported" in said(at)
    assert "mine.jsonl, line 1" in said(at)
    assert FeedbackStore().datasets() == []


def test_a_name_that_this_machine_could_not_give_a_file_is_kept_all_the_same():
    """Other systems count characters where this one counts bytes."""
    name = "日本語の好み" * 20 + ".jsonl"
    at = opened("data", view="Import")
    at = at.file_uploader[0].upload(name, b'{"prompt": "A", "chosen": " b", "rejected": " c"}\n').run()
    assert "1 comparison imported" in said(press(at, "Import it"))
    assert [dataset.name for dataset in FeedbackStore().datasets()] == [name]


def test_a_full_disk_for_temporary_files_is_said(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    at = opened("data", view="Import")
    at = at.file_uploader[0].upload("mine.jsonl", b"{}\n").run()
    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    at = press(at, "Import it")
    assert "Nothing was imported" in said(at) and "for reading: No space left on device" in said(at)

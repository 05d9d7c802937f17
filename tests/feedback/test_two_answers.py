"""Public two-answer formats, each as its data set's card shows a row; ties counted, several voters a pair kept."""

import csv
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.cli import main
from core.feedback.interchange import import_preferences, read_preferences
from core.feedback.pairs import PreferencePair
from core.feedback.rows import RejectedRow, pair_from
from core.feedback.sources import load_preferences
from core.feedback.store import FeedbackStore
from core.feedback.unusable import Tie, Unusable

ASKED = "\n\nHuman: A joke?\n\nAssistant:"
KNOCK = PreferencePair(ASKED, " Knock.", " No.")


def talk(answer):
    return [{"role": "user", "content": "A joke?"}, {"role": "assistant", "content": answer}]


ARENA = {"conversation_a": talk("Knock."), "conversation_b": talk("No."), "judge": "arena_user_9", "model_a": "x"}
KAGGLE = {"prompt": '["A joke?"]', "response_a": '["Knock."]', "response_b": '["No."]', "id": 3}
SHP = {"history": "A joke?", "human_ref_A": "Knock.", "human_ref_B": "No.", "score_A": 9, "score_B": 2}
WEBGPT = {"question": {"dataset": "eli5", "full_text": "A joke?"}, "answer_0": "Knock.", "answer_1": "No."}
SAFE = {"prompt": "A joke?", "response_0": "No.", "response_1": "Knock.", "safer_response_id": 0}
STEER = {"context": [{"role": "user", "content": "A joke?"}], "response1": "Knock.", "response2": "No."}
STEER2 = {"prompt": "A joke?", "response_1": "Knock.", "response_2": "No.", "split": "train"}
RANKED = [
    *({"answer": "Oh.", "rank": 2.0, "model": "x"}, {"answer": "No.", "rank": 3.0, "model": "y"}),
    *({"answer": "Knock.", "rank": 1.0, "model": "z"},),
]
FARM = {"instruction": "A joke?", "input": "", "output_1": "No.", "output_2": "Knock."}


@pytest.mark.parametrize(
    ("row", "voter"),
    [
        (ARENA | {"winner": "model_a"}, "arena_user_9"),
        (KAGGLE | {"winner_model_a": 1, "winner_model_b": 0, "winner_tie": 0}, ""),
        (SHP | {"labels": 1}, ""),
        (SHP, ""),
        (WEBGPT | {"score_0": 0.5, "score_1": -0.5}, ""),
        (SAFE | {"better_response_id": 1}, ""),
        (STEER | {"overall_preference": -2}, ""),
        (STEER2 | {"preference_strength": "-1"}, ""),
        ({"input": "A joke?", "answer_a": "Knock.", "answer_b": "No.", "winner": "a"}, ""),
        ({"query": "A joke?", "answer_a": "Knock.", "answer_b": "No.", "winner": "a"}, ""),
        ({"prompt": f"{ASKED} ", "answers": RANKED}, ""),
        ({"prompt": f"{ASKED} ", "answers": repr(RANKED)}, ""),
        ({"qid": 1, "question": "A joke?", "response_j": "Knock.", "response_k": "No."}, ""),
        ({"instruction": "A joke?", "chosen_response": "Knock.", "rejected_response": "No."}, ""),
        (FARM | {"preference": 2, "annotator_id": 17}, "17"),
    ],
)
def test_each_public_format_is_read(row, voter):
    pair = pair_from(row)
    assert (pair.prompt, pair.chosen, pair.rejected, pair.annotator) == (ASKED, " Knock.", " No.", voter)


@pytest.mark.parametrize(
    "row",
    [
        ARENA | {"winner": "model_b"},
        KAGGLE | {"winner_model_a": 0, "winner_model_b": 1, "winner_tie": 0},
        SHP | {"labels": 0},
        WEBGPT | {"score_0": -1.0, "score_1": 1.0},
        SAFE | {"better_response_id": 0},
        STEER | {"overall_preference": 1},
        STEER2 | {"preference_strength": 3},
        FARM | {"preference": 1},
    ],
)
def test_the_other_way_round_it_is_the_other_pair(row):
    pair = pair_from(row)
    assert (pair.chosen, pair.rejected) == (" No.", " Knock.")


@pytest.mark.parametrize(
    "row",
    [
        ARENA | {"winner": "tie"},
        ARENA | {"winner": "tie (bothbad)"},
        {"prompt": "Once", "chosen": " upon", "rejected": " more", "winner": "Tie"},
        {"prompt": "Once", "chosen": " upon", "rejected": " more", "winner": "both_bad"},
        {"prompt": "Once", "chosen": " upon", "rejected": " more", "winner_tie": "1"},
        {"prompt": "Once", "chosen": " upon", "rejected": " more", "score_chosen": 5.0, "score_rejected": "5"},
        KAGGLE | {"winner_model_a": 0, "winner_model_b": 0, "winner_tie": 1},
        WEBGPT | {"score_0": 0.0, "score_1": 0.0},
        STEER | {"overall_preference": 0},
        {"prompt": "Once", "response_a": " upon", "response_b": " more", "winner": "Neither"},
        {"prompt": "Once", "response_a": " upon", "response_b": " more", "winner": "neither is better"},
        {"prompt": "Once", "response_a": " upon", "response_b": " more", "winner": "equally good"},
        STEER2 | {"preference_strength": 0},
        {"system": "", "input": "Where?", "chosen": "x", "rejected": "y", "status": "tie"},
    ],
)
def test_ties_are_ties(row):
    with pytest.raises(Tie):
        pair_from(row)


@pytest.mark.parametrize(
    "winner", ["same-model-7b", "Equall/Saul-7B", "bothmodel", "tiefighter", "drawer", "Equal Weight 7B", None]
)
def test_a_winners_name_that_begins_like_a_tie_is_none(winner):
    row = {"prompt": "Once", "chosen": " upon", "rejected": " more", "winner": winner, "score_chosen": 5.0}
    assert pair_from(row | {"score_rejected": 1.0}) == PreferencePair("Once", " upon", " more")


@pytest.mark.parametrize(
    "winner",
    [
        *(
            "Both responses are equally good.",
            "neither is better",
            "same quality",
            "tie, both",
            "equal",
            "About the same",
        ),
        *("no preference", "No_preference", "no clear winner", "roughly equal", "about_the_same", "the same quality"),
    ],
)
def test_a_tie_in_words_is_one(winner):
    with pytest.raises(Tie):
        pair_from({"prompt": "Once", "response_a": "x", "response_b": "y", "winner": winner})


def test_the_winner_that_is_named_goes_before_scores_and_a_margin_is_kept():
    row = {"prompt": "Once", "response_a": "x", "response_b": "y", "score_a": 5, "score_b": 3}
    assert pair_from(row).chosen == "x"
    assert pair_from(row | {"winner": "b", "margin": 1.5}) == PreferencePair("Once", "y", "x", 1.5)
    assert (
        pair_from(row | {"label": "train", "status": "done"}).chosen == "x"
    )  # a column of that name which says nothing of the kind


def test_a_turn_that_was_judged_by_itself_is_read_up_to_there():
    def both(first, second):
        asked = [{"role": "user", "content": "Another?"}, {"role": "assistant", "content": second}]
        return [*talk(first), *asked]

    row = {"conversation_a": both("Knock.", "Who?"), "conversation_b": both("No.", "Never."), "winner": "model_a"}
    assert pair_from(row | {"turn": 1}) == KNOCK
    for turn in (2, "2", 7, None, True):
        whole = pair_from(row | {"turn": turn})
        assert whole.prompt == ASKED
        assert whole.rejected == " No.\n\nHuman: Another?\n\nAssistant: Never."


def test_summaries_are_read_as_their_own_models_read_the_post():
    info = {"subreddit": "cats", "title": "My cat", "post": "It sleeps.", "article": None}
    row = {"info": info, "summaries": [{"text": " A dog."}, {"text": " A cat sleeps."}], "choice": 1, "worker": "w3"}
    pair = pair_from(row)
    assert pair.prompt == "SUBREDDIT: r/cats\nTITLE: My cat\nPOST: It sleeps.\nTL;DR:"
    assert (pair.chosen, pair.rejected, pair.annotator) == (" A cat sleeps.", " A dog.", "w3")


@pytest.mark.parametrize("winner", ["a", "A", "response_a", "left", "model_a"])
def test_answers_that_continue_a_prompt_stay_plain_text(winner):
    row = {"prompt": "Once", "response_a": " upon", "response_b": " more", "preference": winner}
    assert pair_from(row) == PreferencePair("Once", " upon", " more")


def test_several_turns_of_the_arenas_table_are_a_dialogue():
    row = {"prompt": '["Hi", "A joke?"]', "response_a": '["Hello.", "Knock."]', "response_b": '["Hey.", "No."]'}
    pair = pair_from(row | {"winner_model_a": "1", "winner_model_b": "0", "winner_tie": "0"})
    assert pair.prompt == "\n\nHuman: Hi\n\nAssistant:"
    assert pair.chosen == " Hello.\n\nHuman: A joke?\n\nAssistant: Knock."


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompt": "p", "response_a": "x", "response_b": "y"}, "no winner"),
        ({"response_a": "It is x", "response_b": "It is y", "winner": "a"}, "prompt is missing"),
        ({"question": "", "response_a": "x", "response_b": "y", "winner": "a"}, "prompt is empty"),
        ({"prompt": "p", "answers": RANKED[:1]}, "not two or more with a rank"),
        ({"prompt": "p", "response_a": "x", "response_b": "y", "winner": 1}, "names neither answer"),  # 1 of a and b?
        ({"prompt": "p", "response_a": "x", "response_b": "y", "winner": "maybe"}, "names neither answer"),
        (WEBGPT | {"score_0": "much", "score_1": 1}, "no number"),
        (KAGGLE | {"winner_model_a": 1, "winner_model_b": 1, "winner_tie": 0}, "exactly one"),
        ({"info": {"post": "p"}, "summaries": [{"text": "x"}], "choice": 0}, "instead of two"),
        ({"prompt": "p", "response_a": None, "response_b": "y", "winner": "a"}, "chosen"),
        ({"prompt": "p", "response_a": "x", "response_b": "y", "winner": "tiefighter-13b"}, "names neither answer"),
        (KAGGLE | {"prompt": ["A joke?", None], "winner": "a"}, "prompt is a list of turns, of which one is null"),
        (KAGGLE | {"prompt": '["A joke?", null]', "winner": "a"}, "prompt is a list of turns, of which one is null"),
        (
            KAGGLE | {"response_a": '["Knock.", null]', "winner": "a"},
            "response_a is a list of turns, of which one is null",
        ),
        (
            {"prompt": '["a list"]', "response_a": "plain x", "response_b": "plain y", "winner": "a"},
            "an answer is none",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(row, reason):
    with pytest.raises(Unusable, match=reason) as caught:
        pair_from(row)
    assert not isinstance(caught.value, Tie)


TABLE = [
    {"prompt": "Once", "response_a": " upon", "response_b": " more", "winner": "a", "annotator": "ada"},
    {"prompt": "Once", "response_a": " upon", "response_b": " more", "winner": "b", "annotator": "bob"},
    {"prompt": "Once", "response_a": " upon", "response_b": " more", "winner": "tie", "annotator": "eve"},
]
EXPECTED = [
    PreferencePair("Once", " upon", " more", None, "ada"),
    PreferencePair("Once", " more", " upon", None, "bob"),
]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv", "parquet"])
def test_the_same_table_in_every_kind_of_file(kind, tmp_path):
    path = tmp_path / f"table.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in TABLE))
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(TABLE), path)
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(TABLE[0]), delimiter="," if kind == "csv" else "\t")
            writer.writeheader()
            writer.writerows(TABLE)
    rows = [row for _, row in read_preferences(path)]
    assert rows[:2] == EXPECTED
    assert isinstance(rows[2], RejectedRow) and rows[2].tie


def test_ties_are_counted_and_refuse_no_strict_import(tmp_path, caplog):
    path = tmp_path / "table.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in TABLE))
    report = import_preferences(path, FeedbackStore(), strict=True)
    assert (report.imported, report.ties, report.rejected_total) == (2, 1, 0)
    assert FeedbackStore().dataset(report.dataset_id).ties == 1
    assert load_preferences(str(path)) == load_preferences(f"dataset:{report.dataset_id}") == EXPECTED
    assert "1 ties are counted" in caplog.text


WORDS = [" happy and glad", " sad and ill", " nice", " bad", " sunny", " dark", " kind", " cruel"]


def human_file(path, style):
    """80 votes of three people on 40 prompts as `style` writes them, every eighth a tie where the style knows ties."""
    rows = []
    for i in range(80):
        asked, good, bad = f"What is day {i % 40} like?", WORDS[i % 8 // 2 * 2], WORDS[i % 8 // 2 * 2 + 1]
        if style == "hh":
            shared = f"\n\nHuman: Hi.\n\nAssistant: Hello.\n\nHuman: {asked}\n\nAssistant:"
            rows.append({"chosen": shared + good, "rejected": shared + bad})
        else:
            winner = "tie" if i % 8 == 7 else "model_a"
            sides = [[{"role": "user", "content": asked}, {"role": "assistant", "content": a}] for a in (good, bad)]
            rows.append(
                {"conversation_a": sides[0], "conversation_b": sides[1], "winner": winner, "judge": f"person{i % 3}"}
            )
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return path


@pytest.mark.parametrize("style", ["hh", "arena"])
def test_human_votes_import_and_train_from_the_command_line(style, tmp_path, capfd):
    file = human_file(tmp_path / "votes.jsonl.gz", style)
    assert main(["preferences", "import", str(file), "--json"]) == 0
    report = json.loads(capfd.readouterr().out.splitlines()[-1])
    ties = 10 if style == "arena" else 0
    assert (report["imported"], report["ties"], report["rejected_total"]) == (80 - ties, ties, 0)
    train = ["reward", "train", "--preferences", f"dataset:{report['dataset']}", "--out", str(tmp_path / "reward")]
    assert main([*train, "--weights-kept", "0", "--heldout-share", "0.25", "--json"]) == 0
    result = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert result["pairs_train"] + result["pairs_heldout"] == 80 - ties
    assert (tmp_path / "reward" / "config.json").exists()

"""What a run learned from is what it wrote down: a source that changes while it is interrupted changes nothing."""

import json

import torch

from core.alignment.configs import RewardConfig
from core.alignment.cross_examination.run_pairs import read_run_pairs
from core.alignment.runs import run_reward

CONFIG = RewardConfig(batch_pairs=4, heldout_share=0.25, weights_kept=0)
ROWS = [{"prompt": f"Day {i}:", "chosen": f" a happy day {i}", "rejected": f" a sad day {i}"} for i in range(16)]


def write(file, rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def test_a_resumed_run_goes_on_with_the_votes_it_began_with(tmp_path):
    source = write(tmp_path / "votes.jsonl", ROWS)
    whole = list(run_reward([source], "storyteller", CONFIG, tmp_path / "whole"))
    for record in run_reward([source], "storyteller", CONFIG, tmp_path / "cut"):
        state = record.state()
        break
    write(tmp_path / "votes.jsonl", [ROWS[0] | {"chosen": " something else"}, *ROWS[5:]])
    rest = list(run_reward([source], "storyteller", CONFIG, tmp_path / "cut", state))
    assert [record.metrics for record in rest] == [record.metrics for record in whole[1:]]
    assert read_run_pairs(tmp_path / "cut") == read_run_pairs(tmp_path / "whole")
    assert [one.pair.chosen for one in read_run_pairs(tmp_path / "cut")] == [row["chosen"] for row in ROWS]


def test_simulated_votes_are_written_down_with_their_taste(tmp_path):
    records = list(run_reward(["simulated:sunny:16"], "storyteller", CONFIG, tmp_path))
    pairs = read_run_pairs(tmp_path)
    assert len(pairs) == 16 and {one.source for one in pairs} == {"simulated:sunny:16"}
    assert all(one.gold_gap is not None for one in pairs)
    written = [json.loads(line) for line in (tmp_path / "preferences.jsonl").read_text().splitlines()]
    assert [one.gold_gap for one in pairs] == [row["gold_gap"] for row in written]
    # killed between writing them down and the first step: it is in the stage of the votes, and goes on behind it
    state = next(record for record in records if record.stage == "preferences").state()
    again = list(run_reward(["simulated:sunny:16"], "storyteller", CONFIG, tmp_path, state))
    assert [record.stage for record in again] == ["reward"] * len(again)
    assert torch.isfinite(torch.tensor(again[-1].metrics["loss"]))

"""The whole loop on a tiny policy: files from which the figures can be recomputed, and the same after a kill anywhere."""

import json

import pytest

from core.alignment.configs import LoopConfig, LoopPPOConfig, LoopRewardConfig
from core.alignment.evaluation import HeldoutRow, summarise_heldout
from core.alignment.loop import run_loop
from core.alignment.runs import run_reward
from core.errors import PlaygroundError
from core.files import read_jsonl
from core.language.registry import load_policy
from core.record import PAIR
from tests import tiny


@pytest.fixture
def config(tmp_path):
    folder = tmp_path / "tiny"
    tiny.gpt2().save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("\n".join(f"{prompt} {i}" for i in range(5) for prompt in tiny.PROMPTS))
    return LoopConfig(
        model=str(folder),
        annotator="terse",
        prompts=str(prompts),
        pairs=40,
        reward=LoopRewardConfig(batch_pairs=8),
        ppo=LoopPPOConfig(updates=3, rollout_batch=8, max_new_tokens=8, learning_rate=1e-3, minibatches=2, epochs=1),
        evaluation_prompts=6,
        evaluation_pairs=100,
    )


def numbers(records):
    timed = ("time/", "eps")
    return [(r.stage, r.step, {k: v for k, v in r.metrics.items() if not k.startswith(timed)}) for r in records]


def test_every_figure_can_be_recomputed_from_the_files(config, tmp_path):
    folder = tmp_path / "out"
    records = list(run_loop(config, folder))
    result = records[-1].result
    rows = read_jsonl(folder / "heldout.jsonl")
    assert summarise_heldout([HeldoutRow(**row) for row in rows]).items() <= result.items()
    assert set(rows[0]) == {"prompt", "reference_response", "tuned_response", "gold_reference", "gold_tuned", "kl"}
    assert len(rows) == 6 and result["kl"] > 0 and result["updates"] == 3
    votes = read_jsonl(folder / "preferences.jsonl")
    assert len(votes) == 40 and {"prompt", "chosen", "rejected"} <= set(votes[0])
    compared = [one for r in records if r.stage == "preferences" for one in r.samples]
    assert {one.pop("kind") for one in compared} == {PAIR}  # the newest pair of each batch, as it will be voted on
    voted = {(vote["prompt"], frozenset((vote["chosen"], vote["rejected"]))) for vote in votes}
    assert all((one["prompt"], frozenset((one["left"], one["right"]))) in voted for one in compared)
    seconds = result["seconds"]
    assert seconds["total"] == pytest.approx(seconds["preferences"] + seconds["reward"] + seconds["ppo"])
    assert {r.stage for r in records} == {"preferences", "reward", "ppo", "evaluation"}
    load_policy(str(folder / "policy"))
    assert json.loads((folder / "reward_model" / "normalisation.json").read_text())["sd"] > 0
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]  # nothing half-written left


def test_a_loop_cut_off_in_any_stage_becomes_what_it_would_have_been(config, tmp_path):
    whole = numbers(run_loop(config, tmp_path / "whole"))
    for stage, step in (("preferences", 1), ("reward", 3), ("ppo", 2)):
        folder, kept = tmp_path / stage, []
        for record in run_loop(config, folder):
            kept += numbers([record])
            if (record.stage, record.step) == (stage, step):
                state = record.state()
                break
        assert kept + numbers(run_loop(config, folder, state)) == whole


def test_what_is_changed_while_the_reward_model_learns_waits_for_ppo(config, tmp_path):
    """A control is given once, to the first update that asks: it must be one that it means."""
    waiting = {"kl_coef": 0.7, "learning_rate": 1e-5}

    def controls(_):
        told = dict(waiting)
        waiting.clear()
        return told

    records = list(run_loop(config, tmp_path / "changed", controls=controls))
    plain = list(run_loop(config, tmp_path / "plain"))
    rates = [[r.metrics["learning_rate"] for r in run if r.stage == "reward"] for run in (records, plain)]
    assert rates[0] == rates[1]
    ppo = [record.metrics for record in records if record.stage == "ppo"]
    assert {(row["kl_coef"], row["lr"]) for row in ppo} == {(0.7, 1e-5)}


def test_a_reward_run_mixes_fresh_simulated_votes_with_a_file(config, tmp_path):
    file = tmp_path / "votes.jsonl"
    file.write_text(json.dumps({"prompt": "Once", "chosen": " upon", "rejected": " never"}) + "\n")
    sources = (str(file), "simulated:terse:24")
    records = list(run_reward(sources, config.model, config.reward, tmp_path / "run"))
    assert {r.stage for r in records} == {"preferences", "reward"}
    assert records[-1].result["pairs_train"] + records[-1].result["pairs_heldout"] == 25
    first = next(iter(run_reward(sources, config.model, config.reward, tmp_path / "again")))
    rest = list(run_reward(sources, config.model, config.reward, tmp_path / "again", first.state()))
    assert numbers([first, *rest]) == numbers(records)
    with pytest.raises(PlaygroundError, match="8 to 100000"):
        next(run_reward(("simulated:terse:1",), config.model, config.reward, tmp_path / "bad"))

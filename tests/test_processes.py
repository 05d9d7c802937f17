"""Several processes train what one does: real ones, over gloo, against this one alone."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from core import processes
from core.alignment.configs import DPOConfig, PPOConfig
from core.alignment.reward_folders import save_reward_model
from core.errors import PlaygroundError
from core.feedback.interchange import write_preferences
from core.runs import recorder
from core.runs.follower import check_together
from core.runs.jobs import DPOJob, PPOJob, RaceJob
from core.runs.store import RunStore
from tests import tiny, together

ROOT = Path(__file__).parents[1]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def launched(world, *command):
    """`command` in `world` processes, as a launcher starts them; their exit statuses."""
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(world)}
    path = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    children = [
        subprocess.Popen([sys.executable, *command], cwd=ROOT, env={**os.environ, **meeting, **path, "RANK": str(rank)})
        for rank in range(world)
    ]
    try:
        return [child.wait(120) for child in children]
    finally:
        for child in children:
            child.kill()


def test_every_trainer_gives_the_curve_of_one_process(tmp_path):
    family, world = "gpt2", 3
    assert launched(world, together.__file__, str(tmp_path), family) == [0] * world
    alone, rollout = together.curves_and_rollout(family)
    for rank in range(world):
        said = json.loads((tmp_path / f"{rank}.json").read_text())
        assert said["world"] == world
        for name, curve in alone.items():
            assert len(said["curves"][name]) == len(curve)
            for ours, theirs in zip(said["curves"][name], curve, strict=True):
                assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-4), name
        seen = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert seen.keys() == rollout.keys()
        for name, tensor in rollout.items():
            torch.testing.assert_close(seen[name], tensor, atol=1e-3, rtol=1e-3, msg=f"{name} of rank {rank}")


@pytest.fixture
def job(tmp_path):
    tiny.gpt2().save_pretrained(tmp_path / "tiny")
    tiny.tokenizer().save_pretrained(tmp_path / "tiny")
    judge = together.judge("gpt2")
    save_reward_model(judge.model, judge.tokenizer, judge.normalisation, tmp_path / "judge")
    (tmp_path / "prompts.txt").write_text("Once\nOne day\nThe sun\nShe said\nA dog\n")
    return PPOJob(
        model=str(tmp_path / "tiny"),
        reward_model=str(tmp_path / "judge"),
        prompts=str(tmp_path / "prompts.txt"),
        gold="sunny",
        ppo=PPOConfig(updates=4, rollout_batch=6, minibatches=2, max_new_tokens=8, learning_rate=3e-4),
    )


def stopped_behind_two(job, run_id):
    """A run of this process that was stopped behind its second update, and is to go on with another β."""
    store = RunStore()
    store.create(job, run_id=run_id, queued=False)
    stop = lambda record: store.request(run_id, "stop") if record.step == 1 else None  # noqa: E731
    assert recorder.execute(run_id, on_record=stop).status == "stopped"
    store.set_control(run_id, "kl_coef", 0.5)


def test_accelerate_goes_on_with_a_run_as_one_process_would(job):
    """From the checkpoint of one process, with a control on the way; only the main process writes."""
    store = RunStore()
    for name in ("one", "two"):
        stopped_behind_two(job, name)
    assert recorder.execute("one").status == "finished"
    launch = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launch += ["--main_process_port", str(free_port()), "-m", "core", "runs", "resume", "two", "--json"]
    answer = subprocess.run([sys.executable, *launch], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["status"] == "finished"  # said once
    one, two = store.steps("one"), store.steps("two")
    assert [step.number for step in two] == [1, 2, 3, 4]
    assert [step.metrics["kl_coef"] for step in two] == [0.055, 0.055, 0.5, 0.5]
    for ours, theirs in zip(two, one, strict=True):
        names = [name for name in theirs.metrics if not name.startswith("time/") and name != "eps"]
        expected = {name: theirs.metrics[name] for name in names}
        assert {name: ours.metrics[name] for name in names} == pytest.approx(expected, rel=1e-3, abs=1e-4)
    weights = [load_file(store.get(name).folder / "policy" / "model.safetensors") for name in ("one", "two")]
    for name, weight in weights[0].items():
        torch.testing.assert_close(weights[1][name], weight, atol=1e-4, rtol=1e-3)


def test_accelerate_tunes_on_votes_as_one_process_would(job, tmp_path):
    """`dpo train` from the start, its result delivered once."""
    write_preferences(together.PAIRS, tmp_path / "votes.jsonl")
    model, votes = job.model, str(tmp_path / "votes.jsonl")
    dpo = DPOConfig(batch_pairs=6, learning_rate=3e-4)
    RunStore().create(DPOJob(preferences=(votes,), model=model, dpo=dpo), run_id="one", queued=False)
    assert recorder.execute("one").status == "finished"
    launch = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launch += ["--main_process_port", str(free_port()), "-m", "core", "dpo", "train", "--preferences", votes]
    launch += ["--model", model, "--batch-pairs", "6", "--learning-rate", "3e-4", "--run-id", "two"]
    launch += ["--out", str(tmp_path / "out"), "--json"]
    answer = subprocess.run([sys.executable, *launch], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert answer.returncode == 0, answer.stderr
    said, one = json.loads(answer.stdout), RunStore().get("one").result
    for name in ("accuracy_heldout", "log_loss_heldout", "pairs_heldout", "loss"):
        assert said[name] == pytest.approx(one[name], rel=1e-3)
    for ours, theirs in zip(RunStore().steps("two"), RunStore().steps("one"), strict=True):
        names = set(theirs.metrics) - ({"rewards/accuracies"} if ours.number == 1 else set())  # rounding's, of nothing
        expected = {name: theirs.metrics[name] for name in names}
        assert {name: ours.metrics[name] for name in names} == pytest.approx(expected, rel=1e-3, abs=1e-4)
    ids = torch.arange(20).unsqueeze(
        0
    )  # what they say: of a bias on keys, which changes nothing, rounding has the sign
    policies = (AutoModelForCausalLM.from_pretrained(folder) for folder in (tmp_path / "out", policy_of("one")))
    torch.testing.assert_close(*(policy(ids).logits for policy in policies), atol=1e-3, rtol=1e-3)


def policy_of(run_id):
    return RunStore().get(run_id).folder / "policy"


FAILING = """
import os, sys
from core.alignment import ppo
from core.cli.main import main

learn = ppo.optimise

def fails(*given):
    if given[-1] == 2:
        raise MemoryError
    return learn(*given)

if os.environ["RANK"] == "1":
    ppo.optimise = fails
sys.exit(main(["runs", "resume", "mine"]))
"""


def test_what_ends_one_process_ends_the_run_with_its_reason(job):
    store = RunStore()
    store.create(job, run_id="mine", queued=False)
    assert launched(2, "-c", FAILING) == [1, 1]
    run = store.get("mine")
    assert (run.status, run.step) == ("failed", 1)
    assert "ran out of memory" in run.error


def test_shares_are_all_rows_once(monkeypatch):
    for world in (1, 2, 3, 7):
        monkeypatch.setattr(processes, "world", lambda world=world: world)
        for count in (0, 1, 5, 6, 21):
            shares = []
            for rank in range(world):
                monkeypatch.setattr(processes, "rank", lambda rank=rank: rank)
                shares.append(list(range(count))[processes.share(count)])
            assert [row for share in shares for row in share] == list(range(count))
            assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_alone_everything_is_what_it_was():
    x = torch.ones(3, requires_grad=True)
    assert processes.summed(x) is x and processes.whole(x, 3) is x
    assert processes.gathered("mine") == ["mine"] and processes.from_main(lambda: 7) == 7
    assert processes.is_main() and processes.world() == 1 and processes.reported_failure() is None


def test_a_job_for_one_process_says_so(monkeypatch):
    check_together(RaceJob())
    monkeypatch.setenv("WORLD_SIZE", "2")
    check_together(PPOJob(reward_model="x"))
    with pytest.raises(PlaygroundError, match="race run trains in one process"):
        check_together(RaceJob())


def test_accelerate_that_starts_one_process_alone_is_told(monkeypatch):
    assert not processes.left_alone()
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    monkeypatch.setenv("MASTER_PORT", "29500")
    assert processes.left_alone()
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert not processes.left_alone()

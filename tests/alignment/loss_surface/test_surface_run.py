"""A surface run: recorded losses met exactly, whole or resumed the same, the view true at every moment."""

import json

import numpy as np
import pytest
import torch

from core.alignment.configs import RewardConfig
from core.alignment.loss_surface.config import SurfaceConfig
from core.alignment.loss_surface.surface_run import Drawing, run_surface
from core.alignment.loss_surface.surface_view import read_view
from core.alignment.probe import Probe, probe_pairs
from core.alignment.reward_model import new_reward_model
from core.alignment.reward_training import split_by_prompt
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.language.registry import load_policy
from core.runs import recorder
from core.runs.jobs import RewardJob, SurfaceJob
from core.runs.store import RunStore
from core.runs.surface_source import trained_by
from tests import tiny


@pytest.fixture
def rewarded(tmp_path):
    """A finished reward run of a tiny policy on a preference file, with weights kept at four steps."""
    return learned(tmp_path)


def learned(tmp_path, told_apart=True, **changes):
    """A finished reward run of a tiny policy; `changes` of its config. Votes that are not `told_apart` are a coin's."""
    folder = tmp_path / "tiny"
    tiny.gpt2().save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    texts = [(f" happy{'!' * (i % 5)}", " green") for i in range(96)]
    coin = np.random.default_rng(0).permutation(96) % 2 == 1
    pairs = [
        PreferencePair(f"Day {i}. The cat was", *(text[::-1] if coin[i] and not told_apart else text))
        for i, text in enumerate(texts)
    ]
    votes = tmp_path / "votes.jsonl"
    votes.write_text(
        "".join(json.dumps({"prompt": p.prompt, "chosen": p.chosen, "rejected": p.rejected}) + "\n" for p in pairs)
    )
    config = RewardConfig(**{"batch_pairs": 8, "learning_rate": 3e-3, "weights_kept": 4, "seed": 2} | changes)
    run = RunStore().create(RewardJob(preferences=(str(votes),), model=str(folder), reward=config), queued=False)
    finished = recorder.execute(run.id)
    assert finished.status == "finished", finished.error
    return finished


def test_the_surface_of_a_run_meets_every_recorded_loss(rewarded):
    run = RunStore().create(SurfaceJob(run=rewarded.id, points=13), queued=False)
    finished = recorder.execute(run.id)
    assert finished.status == "finished", finished.error
    view = read_view(finished.folder)
    recorded = {step.step: step.metrics.get("probe/loss") for step in RunStore().steps(rewarded.id)}
    assert [place["step"] for place in view["places"]] == [
        0,
        *(step for step, loss in recorded.items() if loss is not None),
    ]
    for place in view["places"][1:]:
        assert place["measured"] == pytest.approx(recorded[place["step"]], abs=1e-6)
        assert place["recorded"] == recorded[place["step"]]
    start, end = view["places"][0], view["places"][-1]
    assert start["measured"] == pytest.approx(np.log(2), abs=1e-6) and start["recorded"] is None
    assert end["below"] == pytest.approx(end["measured"], abs=1e-6)  # the plane goes through the end
    assert finished.result["largest_difference_to_recorded"] < 1e-6
    assert 0.5 < finished.result["variance_explained"] <= 1.0
    assert all(value is not None for row in view["values"] for value in row) and view["pairs"] == 64
    xs, ys = [place["x"] for place in view["places"]], [place["y"] for place in view["places"]]
    assert view["xs"][0] < min(xs) and max(xs) < view["xs"][-1] and view["ys"][0] < min(ys) and max(ys) < view["ys"][-1]


def test_a_path_that_early_stopping_took_back_ends_where_its_weights_are_from(tmp_path):
    stopping = {"epochs": 8, "weights_kept": 30, "evaluate_every": 4, "patience": 2, "heldout_share": 0.3}
    run = learned(tmp_path, told_apart=False, **stopping)
    best, trained = run.result["best_step"], trained_by(run.id)
    assert best < run.step == trained.went_to
    steps = [one.step for one in trained.kept]
    assert steps == sorted(set(steps)) and steps[-1] == best
    drawing = Drawing(SurfaceConfig(run=run.id, points=13), trained)
    end = next(task for task, (kind, place, _) in enumerate(drawing.tasks) if (kind, place) == ("place", len(steps)))
    assert drawing.measure(end) == pytest.approx(trained.kept[-1].recorded, abs=1e-6)
    assert drawing.view([])["went_to"] == run.step


def test_a_point_of_the_grid_is_the_loss_at_those_weights(rewarded):
    trained = trained_by(rewarded.id)
    drawing = Drawing(SurfaceConfig(run=rewarded.id, points=13), trained)
    task = drawing.tasks.index(("grid", 4, 9))
    plane = drawing.plane
    weights = plane.origin + float(drawing.xs[9]) * plane.u + float(drawing.ys[4]) * plane.v
    policy, tokenizer = load_policy(trained.model)
    model = new_reward_model(policy, tokenizer)
    torch.nn.utils.vector_to_parameters(weights, [p for p in model.parameters() if p.requires_grad])
    train, _ = split_by_prompt(trained.pairs, trained.config.heldout_share, trained.config.seed)
    probe = Probe(tokenizer, probe_pairs(train, trained.config.seed), trained.config.max_tokens, torch.device("cpu"))
    assert drawing.measure(task) == pytest.approx(probe.loss(model), abs=1e-5)


def test_a_resumed_surface_is_the_uninterrupted_one(rewarded, tmp_path):
    config, trained = SurfaceConfig(run=rewarded.id, points=13, plane="random", seed=1), trained_by(rewarded.id)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    records = list(run_surface(config, trained, whole))
    state = None
    for record in run_surface(config, trained, broken):
        view = read_view(broken)
        assert sum(value is not None for row in view["values"] for value in row) <= view["done"]
        if record.step == 10:
            state = record.state()
            break
    rest = list(run_surface(config, trained, broken, state))
    assert [record.step for record in rest] == [record.step for record in records[10:]]
    assert [record.metrics for record in rest] == [record.metrics for record in records[10:]]
    assert read_view(broken) == read_view(whole)
    assert records[-1].step == records[-1].total


def test_a_grid_in_bfloat16_says_how_far_it_is_off_and_its_places_are_not_rounded(rewarded, tmp_path, monkeypatch):
    trained, found = trained_by(rewarded.id), {}
    monkeypatch.setenv("RLHF_PLAYGROUND_PRECISION", "bfloat16")
    for exact in (False, True):
        config = SurfaceConfig(run=rewarded.id, points=13, exact=exact)
        *_, last = run_surface(config, trained, tmp_path / str(exact))
        found[exact] = read_view(tmp_path / str(exact))
        assert last.result["largest_rounding"] == found[exact]["rounding"]
    rounded, whole = found[False], found[True]
    assert rounded["places"] == whole["places"] and whole["rounding"] is None
    apart = np.abs(np.array(rounded["values"]) - np.array(whole["values"]))
    assert 0 < apart.max() < 0.02
    assert 0 < rounded["rounding"] < 0.02
    drawing, ways = Drawing(SurfaceConfig(run=rewarded.id, points=13), trained), {}
    for kind in ("below", "rounded"):
        ways[kind] = [drawing.measure(number) for number, task in enumerate(drawing.tasks) if task[0] == kind]
    assert rounded["rounding"] == max(abs(a - b) for a, b in zip(*ways.values(), strict=True))


def test_a_surface_goes_on_in_the_precision_it_began_in(rewarded, tmp_path, monkeypatch):
    config, trained = SurfaceConfig(run=rewarded.id, points=13), trained_by(rewarded.id)
    monkeypatch.setenv("RLHF_PLAYGROUND_PRECISION", "float32")
    whole = list(run_surface(config, trained, tmp_path / "whole"))
    begun = next(run_surface(config, trained, tmp_path / "begun"))
    state = begun.state()
    monkeypatch.setenv("RLHF_PLAYGROUND_PRECISION", "bfloat16")
    rest = list(run_surface(config, trained, tmp_path / "begun", state))
    assert [record.metrics for record in (begun, *rest)] == [record.metrics for record in whole]
    assert read_view(tmp_path / "begun") == read_view(tmp_path / "whole")


def test_all_training_pairs_have_no_recorded_loss_to_compare_with(rewarded):
    drawing = Drawing(SurfaceConfig(run=rewarded.id, points=13, pairs=0), trained_by(rewarded.id))
    view = drawing.view([])
    assert view["pairs"] == view["of"] > 64 and all(place["recorded"] is None for place in view["places"])


def test_what_cannot_be_drawn_is_said(rewarded):
    with pytest.raises(PlaygroundError, match="no reward model"):
        trained_by(RunStore().create(SurfaceJob(run=rewarded.id), queued=False).id)
    trained = trained_by(rewarded.id)
    with pytest.raises(PlaygroundError, match="kept no weights"):
        Drawing(SurfaceConfig(run=rewarded.id), type(trained)(trained.model, trained.config, trained.pairs, []))
    with pytest.raises(PlaygroundError, match="no run"):
        trained_by("gone")

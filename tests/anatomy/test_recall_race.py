"""The race: the task, equal sizes, a curve that depends on nothing but its config, and survives any interruption."""

import math
import os
import signal
import time

import pytest
import torch
from torch import nn

from core.anatomy.race_config import KINDS, SWEPT_DISTANCES, SWEPT_RATES, SWEPT_SEED, RaceConfig
from core.anatomy.race_reading import reach
from core.anatomy.race_sweep import best_rate, learning_curve, sweep
from core.anatomy.recall_networks import HEADS, network, size_of, width_for
from core.anatomy.recall_race import batch_of, influence, recall_accuracy, recall_loss, run_race, sequences
from core.errors import PlaygroundError
from core.gallery import load_entry
from core.runs import checkpoints, locks, recorder
from core.runs.jobs import RaceJob, job_from
from core.runs.store import RunStore


def eventually(ask, seconds=30.0):
    until = time.monotonic() + seconds
    while not ask():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.01)


TINY = RaceConfig(distance=5, steps=12, batch=4, measure_every=3, heldout=16, parameters=4000, seed=3)


@pytest.fixture(autouse=True)
def one_thread():
    """Bit for bit is promised for a number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_token_is_as_many_steps_back_as_asked():
    config = RaceConfig(distance=7, vocabulary=5)
    ids = sequences(config, 0, 2000)
    assert ids.shape == (2000, 8) and ids.min() == 0 and ids.max() == 4
    counts = torch.bincount(ids.flatten(), minlength=5) / ids.numel()
    assert counts.tolist() == pytest.approx([0.2] * 5, abs=0.01)
    assert torch.corrcoef(ids[:, [0, -1]].double().T)[0, 1].abs() < 0.06  # independent: nothing later says it
    assert torch.equal(sequences(config, 0, 5), ids[:5])  # a function of the row
    assert not torch.equal(batch_of(config, 1), batch_of(config, 2))


def test_loss_and_accuracy_ask_for_the_first_token():
    ids = torch.tensor([[2, 0, 1], [1, 2, 0]])
    sure = 50.0 * nn.functional.one_hot(ids[:, 0], 3)
    assert recall_loss(sure, ids).item() < 1e-9
    assert recall_loss(torch.zeros(2, 3), ids).item() == pytest.approx(math.log(3))

    class First(nn.Module):
        def forward(self, ids):
            return nn.functional.one_hot(ids[:, 0], 3)

    assert recall_accuracy(First(), ids) == 1.0

    class Last(nn.Module):
        def forward(self, ids):
            return nn.functional.one_hot(ids[:, -1], 3)

    assert recall_accuracy(Last(), ids) == 0.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("positions", [True, False])
def test_sizes_are_what_is_said_and_close_to_each_other(kind, positions):
    config = RaceConfig(positions=positions)
    counted = sum(weight.numel() for weight in network(kind, config).parameters())
    assert counted == size_of(kind, width_for(kind, config), config.vocabulary, positions)
    assert counted == pytest.approx(config.parameters, rel=0.03)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_recurrences_start_orthogonal_with_the_radius_asked_for(kind):
    config = RaceConfig(spectral_radius=0.7, forget_bias=2.5)
    layer = network(kind, config).layer
    width = width_for(kind, config)
    for gate in layer.weight_hh_l0.data.split(width):
        torch.testing.assert_close(gate @ gate.T, 0.49 * torch.eye(width), atol=1e-5, rtol=0)
    biases = (layer.bias_ih_l0 + layer.bias_hh_l0).detach()
    forget = torch.zeros_like(biases)
    if kind == "lstm":
        forget[width : 2 * width] = 2.5
    assert torch.equal(biases, forget)


def test_the_transformer_is_blind_to_order_without_positions():
    ids = torch.tensor([[0, 1, 2, 3, 4]])
    swapped = torch.tensor([[3, 1, 2, 0, 4]])
    blind = network("transformer", RaceConfig(positions=False))
    torch.testing.assert_close(blind(ids), blind(swapped))
    seeing = network("transformer", RaceConfig())
    assert not torch.allclose(seeing(ids), seeing(swapped))


def test_the_last_position_sees_what_the_first_layer_of_torch_sees():
    """Our attention for the last position is PyTorch's own multi-head attention with the same weights."""
    model = network("transformer", RaceConfig(distance=9)).double()
    width = model.embedding.embedding_dim
    theirs = nn.MultiheadAttention(width, HEADS, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(model.qkv.weight)
        theirs.in_proj_bias.copy_(model.qkv.bias)
        theirs.out_proj.load_state_dict(model.merge.state_dict())
    ids = sequences(RaceConfig(distance=9), 0, 6)
    x = model.embedding(ids) + model.position.weight[:10]
    normed = model.attention_norm(x)
    last = (x + theirs(normed, normed, normed, need_weights=False)[0])[:, -1]  # the last one sees all: no mask
    last = last + model.down(nn.functional.gelu(model.up(model.forward_norm(last))))
    torch.testing.assert_close(model(ids), model.readout(model.norm(last)))


def test_a_nearby_token_is_learned():
    config = RaceConfig(distance=3, steps=100, parameters=6000, measure_every=50)
    result = list(run_race(config))[-1].result
    assert result["accuracy"]["gru"] > 0.9 and result["accuracy"]["transformer"] > 0.9
    assert set(result["parameters"]) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_influence_is_that_of_finite_differences(kind):
    config = RaceConfig(distance=6, parameters=4000)
    model, ids = network(kind, config).double(), sequences(config, 0, 3)
    told = influence(model, ids)
    plain, total = model.embedding.forward, 0.0
    for row in range(3):
        slopes = []
        for i in range(model.embedding.embedding_dim):
            ends = []
            for way in (1e-6, -1e-6):

                def moved(given, i=i, way=way):
                    x = plain(given).clone()
                    x[:, 0, i] += way
                    return x

                model.embedding.forward = moved
                ends.append(model(ids[row : row + 1])[0, ids[row, 0]])
            slopes.append((ends[0] - ends[1]) / 2e-6)
        total += torch.stack(slopes).norm().item()
    assert told == pytest.approx(total / 3, rel=1e-6)


def metrics_of(config, **more):
    return [(record.step, record.metrics) for record in run_race(config, **more)]


def test_a_resumed_race_is_the_race_it_would_have_been(tmp_path):
    whole = list(run_race(TINY))
    assert [record.step for record in whole] == [3, 6, 9, 12]
    assert whole[-1].result and not whole[0].result
    half = next(run_race(TINY))
    state = half.state()
    checkpoints.save(tmp_path, 1, state)
    rest = list(run_race(TINY, checkpoints.load(tmp_path)[1]))
    assert [(record.step, record.metrics) for record in rest] == [(r.step, r.metrics) for r in whole[1:]]
    assert rest[-1].result == whole[-1].result


def test_the_seed_fixes_the_race():
    assert metrics_of(TINY) == metrics_of(TINY)
    assert metrics_of(TINY) != metrics_of(TINY.model_copy(update={"seed": 4}))


def test_a_race_alone_is_the_same_as_beside_the_others():
    beside = [record.metrics["accuracy/lstm"] for record in run_race(TINY)]
    assert learning_curve("lstm", TINY) == beside


def job():
    return RaceJob(**TINY.model_dump())


def curve(store, run):
    return [(step.step, step.metrics) for step in store.steps(run.id)]


def test_a_race_is_a_run():
    store = RunStore()
    run = store.create(job(), queued=False)
    assert job_from("race", run.config) == job() and "5 steps ago" in run.name
    done = recorder.execute(run.id)
    assert done.status == "finished" and set(done.result["accuracy"]) == set(KINDS)
    assert curve(store, run) == metrics_of(TINY)


@pytest.mark.skipif(os.name == "nt", reason="forks and SIGKILL")
@pytest.mark.parametrize("moment", [1, 2, 3])
def test_a_killed_race_goes_on_to_the_same_curve(moment):
    store = RunStore()
    run = store.create(job(), queued=False)
    pid = os.fork()
    if pid == 0:
        taken = []

        def after(record):
            taken.append(record)
            if len(taken) == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        recorder.execute(run.id, on_record=after, checkpoint_seconds=0.0)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    assert store.get(run.id).status == "interrupted"
    assert recorder.execute(run.id).status == "finished"
    assert curve(store, run) == metrics_of(TINY)


@pytest.mark.skipif(os.name == "nt", reason="forks")
def test_paused_it_goes_on_step_by_step_and_to_the_same_curve():
    store = RunStore()
    run = store.create(job(), queued=False)
    store.request(run.id, "stop")  # nothing holds it yet: it reads as interrupted
    store.request(run.id, "resume")
    store._update(run.id, requested="pause", status="queued")
    pid = os.fork()
    if pid == 0:
        recorder.execute(run.id)
        os._exit(0)
    try:
        eventually(lambda: store.get(run.id).status == "paused")
        assert [step.step for step in store.steps(run.id)] == [3]
        for steps in (2, 3):
            store.request(run.id, "step")
            eventually(lambda steps=steps: len(store.steps(run.id)) == steps and store.get(run.id).status == "paused")
        number, _ = checkpoints.load(run.folder / "checkpoints")
        assert number == 3  # every pause is saved
        store.request(run.id, "resume")
        eventually(lambda: store.get(run.id).status == "finished")
    finally:
        os.waitpid(pid, 0)
    assert curve(store, run) == metrics_of(TINY)


def test_only_a_paused_run_goes_step_by_step():
    store = RunStore()
    run = store.create(job())
    with pytest.raises(PlaygroundError, match="only a paused one"):
        store.request(run.id, "step")
    store._update(run.id, status="running")
    with locks.run_lock(run.id), pytest.raises(PlaygroundError, match="only a paused one"):
        store.request(run.id, "step")


def test_the_sweep_tries_all_rates_for_all():
    found = sweep(TINY, rates=(1e-3, 1e-2), distances=(2, 3), kinds=("rnn", "gru"))
    assert {kind: list(rates) for kind, rates in found.items()} == {"rnn": [1e-3, 1e-2], "gru": [1e-3, 1e-2]}
    assert best_rate({1e-3: 0.5, 1e-2: 0.9, 1e-1: 0.9}) == 1e-2


def test_the_defaults_are_what_the_sweep_found():
    entry = load_entry("why_transformers_sweep")
    assert entry["key"] == {"rates": list(SWEPT_RATES), "distances": list(SWEPT_DISTANCES), "seed": SWEPT_SEED}
    default = RaceConfig()
    for kind in KINDS:
        rates = dict(zip(SWEPT_RATES, entry["data"]["accuracy"][kind], strict=True))
        assert default.learning_rate(kind) == best_rate(rates) == entry["data"]["best"][kind]


def test_reach_is_as_far_as_every_seed_learned_it_and_everything_nearer():
    final = {
        "5": {"rnn": [1.0, 0.9], "lstm": [0.2, 1.0], "gru": [1, 1], "transformer": [1, 1]},
        "10": {"rnn": [0.5, 1.0], "lstm": [1, 1], "gru": [1, 1], "transformer": [1, 1]},
        "200": {"rnn": [1, 1], "lstm": [1, 1], "gru": [0.1, 1], "transformer": [0.95, 1]},
    }
    assert reach(final) == {"rnn": 5, "lstm": 0, "gru": 10, "transformer": 200}


def test_the_gallery_was_raced_with_the_defaults():
    entry = load_entry("why_transformers_race")
    assert entry["key"] == RaceConfig().model_dump()
    data = entry["data"]
    for distance, final in data["final"].items():
        assert set(final) == set(KINDS) and all(len(seeds) == len(data["seeds"]) for seeds in final.values())
        assert set(data["curves"][distance]) == {
            "step",
            *(f"{m}/{kind}" for m in ("accuracy", "influence") for kind in KINDS),
        }
    sizes = {kind: sum(w.numel() for w in network(kind, RaceConfig()).parameters()) for kind in KINDS}
    assert data["parameters"] == sizes


def test_the_gallerys_first_measurements_are_what_is_measured_now():
    """Its whole race again would take minutes: the first records of one seed, against the mean over the seeds."""
    entry = load_entry("why_transformers_race")
    first = {kind: [] for kind in KINDS}
    for seed in entry["data"]["seeds"]:
        config = RaceConfig(**entry["key"] | {"distance": 5, "seed": seed})
        record = next(run_race(config))
        for kind in KINDS:
            first[kind].append(record.metrics[f"accuracy/{kind}"])
    for kind in KINDS:
        measured = sum(first[kind]) / len(first[kind])
        assert entry["data"]["curves"]["5"][f"accuracy/{kind}"][0] == pytest.approx(
            measured, abs=0.02
        )  # other kernels round otherwise

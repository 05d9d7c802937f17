"""The probe: fixed pairs, the training loss, and weights kept on the way that give the recorded value."""

import itertools

import pytest
import torch
from safetensors.torch import load_file

from core.alignment.configs import LoopConfig, RewardConfig
from core.alignment.pair_schedule import steps_kept
from core.alignment.probe import Probe, probe_pairs
from core.alignment.reward_model import new_reward_model, pairwise_loss, score
from core.alignment.reward_training import split_by_prompt, train_reward_model
from core.feedback.pairs import PreferencePair
from tests import tiny

CPU = torch.device("cpu")


def preferences(count=120):
    return [
        PreferencePair(f"Day {i}. The cat was", f" happy{'!' * (i % 5)}", f" green{' and red' * (i % 3)}", margin=i % 2)
        for i in range(count)
    ]


def test_the_probe_is_the_training_loss_on_its_pairs():
    tokenizer, pairs = tiny.tokenizer(), preferences(21)
    model = new_reward_model(tiny.gpt2(), tokenizer)
    torch.nn.init.normal_(model.score.weight)
    prompts = [pair.prompt for pair in pairs]
    chosen = score(model, tokenizer, prompts, [pair.chosen for pair in pairs], batch_size=1)
    rejected = score(model, tokenizer, prompts, [pair.rejected for pair in pairs], batch_size=1)
    expected = pairwise_loss(chosen, rejected, torch.tensor([float(pair.margin) for pair in pairs]))
    assert Probe(tokenizer, pairs, 64, CPU).loss(model) == pytest.approx(expected.item(), abs=1e-5)


def test_a_spelt_out_padding_token_at_the_end_is_no_part_of_a_text_for_training_and_scoring_alike():
    tokenizer = tiny.tokenizer()
    pad = tokenizer.pad_token
    spelt = [PreferencePair("The cat", f" was{pad}{pad}", f" and{pad} ran"), PreferencePair("", pad, " ran")]
    plain = [PreferencePair("The cat", " was", f" and{pad} ran"), PreferencePair("", "", " ran")]
    assert len(tokenizer(pad)["input_ids"]) == 1
    model = new_reward_model(tiny.gpt2(), tokenizer)
    torch.nn.init.normal_(model.score.weight)
    for ours, same in zip(
        Probe(tokenizer, spelt, 64, CPU).scores(model), Probe(tokenizer, plain, 64, CPU).scores(model), strict=True
    ):
        torch.testing.assert_close(ours, same)
    chosen, _ = Probe(tokenizer, spelt, 64, CPU).scores(model)
    scored = score(model, tokenizer, [pair.prompt for pair in spelt], [pair.chosen for pair in spelt])
    torch.testing.assert_close(chosen, scored)


ODD = [PreferencePair("", "a", "b c"), PreferencePair("Once", "", " upon a time"), PreferencePair("The end", ".", "")]


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("size", [1, 2, 40])
def test_every_score_is_the_one_text_alones(family, size):
    """GPT-2's short way (shared beginnings read once) and the long one; texts cut, empty, one the other's beginning."""
    tokenizer, pairs = tiny.tokenizer(), [*ODD, *preferences(37)][:size]
    model = new_reward_model(tiny.FAMILIES[family](), tokenizer)
    torch.nn.init.normal_(model.score.weight)
    for longest in (64, 6):
        scores = Probe(tokenizer, pairs, longest, CPU).scores(model)
        for side, ours in zip(("chosen", "rejected"), scores, strict=True):
            texts = [pair.prompt + getattr(pair, side) for pair in pairs]
            cut = [tokenizer(text)["input_ids"][-longest:] or [tokenizer.pad_token_id] for text in texts]
            with torch.no_grad():
                alone = [
                    model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids))).logits for ids in cut
                ]
            assert ours.numpy() == pytest.approx(torch.cat(alone)[:, 0].numpy(), abs=1e-4)


def test_the_probe_has_the_same_pairs_for_the_same_seed_and_none_twice():
    pairs = preferences()
    assert probe_pairs(pairs, 3) == probe_pairs(pairs, 3) != probe_pairs(pairs, 4)
    assert len({pair.prompt for pair in probe_pairs(pairs, 3)}) == 64
    assert len(probe_pairs(pairs[:10], 3)) == 10


@pytest.mark.parametrize(("steps", "times"), [(30, 12), (5, 12), (1, 12), (100, 1), (7, 0), (0, 3)])
def test_weights_are_kept_evenly_and_behind_the_last_step(steps, times):
    kept = sorted(steps_kept(steps, times))
    assert len(kept) == min(steps, times)
    assert not kept or (kept[-1] == steps and kept[0] >= 1)
    gaps = [after - before for before, after in itertools.pairwise(kept)]
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_the_kept_weights_give_the_recorded_loss(tmp_path):
    tokenizer, pairs = tiny.tokenizer(), preferences()
    config = RewardConfig(batch_pairs=8, learning_rate=3e-3, weights_kept=4, seed=5)
    model = new_reward_model(tiny.gpt2(), tokenizer)
    kept = []
    for record in train_reward_model(model, tokenizer, pairs, config):
        assert ("probe/loss" in record.metrics) == (record.snapshot is not None)
        if record.snapshot:
            record.snapshot(tmp_path / str(record.step))
            kept.append((record.step, record.metrics["probe/loss"]))
    assert len(kept) == 4 and kept[-1][0] == record.step
    assert kept[-1][1] < kept[0][1]
    train, _ = split_by_prompt(pairs, config.heldout_share, config.seed)
    probe = Probe(tokenizer, probe_pairs(train, config.seed), config.max_tokens, CPU)
    for step, loss in kept:
        again = new_reward_model(tiny.gpt2(seed=8), tokenizer)
        again.load_state_dict(load_file(tmp_path / str(step) / "model.safetensors"))
        assert probe.loss(again) == loss


def test_the_loop_keeps_no_weights_on_the_way_unless_it_is_told_to():
    assert LoopConfig().reward.weights_kept == 0 and RewardConfig().weights_kept > 0
    assert LoopConfig(reward={"weights_kept": 3}).reward.weights_kept == 3

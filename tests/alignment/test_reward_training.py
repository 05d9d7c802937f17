"""Teaching a reward model: what is learnt and reported, resumed, stopped early, and delivered."""

import copy
import math

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from core.alignment.configs import RewardConfig
from core.alignment.pair_report import report_pairs
from core.alignment.pair_schedule import batches_by_length
from core.alignment.reward_folders import load_reward_model, save_reward_model
from core.alignment.reward_model import Normalisation, new_reward_model, score
from core.alignment.reward_training import split_by_prompt, train_reward_model
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.language import adapters
from tests import tiny
from tests.alignment.test_reward_model import PROMPTS, reward_model


def preferences(count=48):
    """Votes anyone could learn: the text that says *happy* wins."""
    return [
        PreferencePair(f"Day {i}. The cat was", f" happy{'!' * (i % 3)}", f" green{'.' * (i % 2)}")
        for i in range(count)
    ]


CONFIG = RewardConfig(epochs=2, batch_pairs=8, learning_rate=3e-3, head_learning_rate=1e-2)


def test_training_learns_what_the_votes_say_and_reports_it():
    model, tokenizer = new_reward_model(tiny.gpt2(), tiny.tokenizer()), tiny.tokenizer()
    records = list(train_reward_model(model, tokenizer, preferences(), CONFIG))
    assert records[0].metrics["loss"] == pytest.approx(0.6931, abs=1e-3)  # nothing known: every pair costs log 2
    assert records[-1].metrics["loss"] < 0.3
    result = records[-1].result
    assert result["accuracy_heldout"] == 1.0 and result["pairs_train"] + result["pairs_heldout"] == 48
    assert [r.step for r in records] == list(range(1, len(records) + 1)) and records[0].total == len(records)
    read = result["pairs_per_second"] * result["seconds"]
    assert read == pytest.approx(CONFIG.epochs * result["pairs_train"])  # the last batch of an epoch is a small one
    unseen = [PreferencePair("Day 77. The cat was", " happy!", " green.")]
    prompts, chosen, rejected = ([getattr(p, f) for p in unseen] for f in ("prompt", "chosen", "rejected"))
    assert (score(model, tokenizer, prompts, chosen) > score(model, tokenizer, prompts, rejected)).all()


def test_the_pair_a_record_shows_has_the_scores_that_its_step_met():
    model, tokenizer, long = reward_model(), tiny.tokenizer(), "The cat was. " * 200
    pairs = [PreferencePair(one.prompt, one.chosen + long, one.rejected) for one in preferences()]
    records = train_reward_model(model, tokenizer, pairs, CONFIG)
    next(records)
    before = copy.deepcopy(model)
    (shown,) = next(records).samples
    (pair,) = [one for one in pairs if one.prompt == shown["prompt"]]
    assert shown["rejected"] == pair.rejected and shown["chosen"] == pair.chosen[:1000] + "…"
    scores = [score(before, tokenizer, [pair.prompt], [text]) for text in (pair.chosen, pair.rejected)]
    assert [shown["score_chosen"], shown["score_rejected"]] == pytest.approx([one.item() for one in scores], abs=1e-4)
    assert shown["loss"] == pytest.approx(-math.log(1 / (1 + math.exp((scores[1] - scores[0]).item()))), abs=1e-4)


def test_a_resumed_training_is_the_uninterrupted_one():
    tokenizer = tiny.tokenizer()
    whole = list(train_reward_model(new_reward_model(tiny.gpt2(), tokenizer), tokenizer, preferences(), CONFIG))
    state = None
    for record in train_reward_model(new_reward_model(tiny.gpt2(), tokenizer), tokenizer, preferences(), CONFIG):
        if record.step == 5:
            state = record.state()
            break
    again = new_reward_model(tiny.gpt2(seed=9), tokenizer)  # whatever the fresh model holds, the state replaces
    rest = list(train_reward_model(again, tokenizer, preferences(), CONFIG, state=state))
    assert [r.step for r in rest] == [r.step for r in whole[5:]]
    for ours, theirs in zip(rest, whole[5:], strict=True):
        assert ours.metrics == theirs.metrics  # bit for bit


def test_an_epoch_has_every_pair_once_and_little_padding():
    lengths = np.random.default_rng(0).integers(5, 60, size=203)
    batches = batches_by_length(lengths, 8, (0, 1))
    assert sorted(np.concatenate(batches)) == list(range(203)) and len(batches) == 26
    padded = sum(lengths[b].max() * len(b) for b in batches)
    assert padded < 1.2 * lengths.sum()
    assert [b.tolist() for b in batches] != [b.tolist() for b in batches_by_length(lengths, 8, (0, 2))]


def test_no_prompt_is_on_both_sides_of_the_split():
    pairs = [PreferencePair(f"p{i % 20}", str(i), "x") for i in range(100)]
    train, heldout = split_by_prompt(pairs, 0.1, seed=0)
    assert {p.prompt for p in train}.isdisjoint(p.prompt for p in heldout)
    assert len({p.prompt for p in heldout}) == 2 and len(train) + len(heldout) == 100
    with pytest.raises(PlaygroundError, match="all on one prompt"):
        split_by_prompt(pairs[:1], 0.1, seed=0)


def test_report_equals_hand_counts_and_scikit_learn():
    from sklearn.metrics import log_loss

    chosen, rejected = torch.tensor([2.0, 0.0, 1.0, 1.0]), torch.tensor([0.0, 3.0, 1.0, 0.5])
    report = report_pairs(chosen, rejected)
    assert report.accuracy == 2.5 / 4  # right, wrong, a tie, right
    probability = torch.sigmoid(chosen - rejected)
    assert report.log_loss == pytest.approx(log_loss([1] * 4, probability.numpy(), labels=[0, 1]), abs=1e-6)
    confident = report_pairs(torch.full((100,), 30.0), torch.zeros(100))
    assert confident.calibration_error < 1e-6
    coin = report_pairs(torch.tensor([30.0, -30.0] * 50), torch.zeros(100))
    assert coin.calibration_error == pytest.approx(0.5, abs=1e-6)


STOPPED = CONFIG.model_copy(update={"epochs": 8, "evaluate_every": 2, "patience": 2, "heldout_share": 0.3})


def contradictory(count=48):
    """Votes on chance alone: what is learned of them is learned by heart, and held-out votes get less likely."""
    rng = np.random.default_rng(0)
    pairs = preferences(count)
    return [PreferencePair(p.prompt, p.rejected, p.chosen) if rng.random() < 0.5 else p for p in pairs]


def test_early_stopping_keeps_the_weights_of_the_lowest_heldout_log_loss():
    model, tokenizer = new_reward_model(tiny.gpt2(), tiny.tokenizer()), tiny.tokenizer()
    records = list(train_reward_model(model, tokenizer, contradictory(), STOPPED))
    measured = {r.step: r.metrics["heldout/log_loss"] for r in records if "heldout/log_loss" in r.metrics}
    best = min(measured, key=measured.get)
    assert list(measured)[-1] == list(measured)[list(measured).index(best) + 2]  # two in a row without a lower one
    assert records[-1].step < 8 * 5  # it did end early
    assert records[-1].result["best_step"] == best
    assert records[-1].result["log_loss_heldout"] == pytest.approx(measured[best], abs=1e-6)
    until = new_reward_model(tiny.gpt2(), tokenizer)
    for record in train_reward_model(until, tokenizer, contradictory(), STOPPED):
        if record.step == best:
            break
    for name, weight in until.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), name


@pytest.mark.parametrize("cut", [3, 7])
def test_a_resumed_early_stop_is_the_uninterrupted_one(cut):
    tokenizer = tiny.tokenizer()
    whole = new_reward_model(tiny.gpt2(), tokenizer)
    records = list(train_reward_model(whole, tokenizer, contradictory(), STOPPED))
    cut = min(cut, len(records))
    for record in train_reward_model(new_reward_model(tiny.gpt2(), tokenizer), tokenizer, contradictory(), STOPPED):
        if record.step == cut:
            state = record.state()
            break
    again = new_reward_model(tiny.gpt2(seed=9), tokenizer)
    rest = list(train_reward_model(again, tokenizer, contradictory(), STOPPED, state=state))
    assert [r.metrics for r in rest] == [r.metrics for r in records[cut:]]
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


def test_a_stop_that_was_saved_stays_one():
    tokenizer = tiny.tokenizer()
    whole = new_reward_model(tiny.gpt2(), tokenizer)
    state = list(train_reward_model(whole, tokenizer, contradictory(), STOPPED))[-1].state()
    again = new_reward_model(tiny.gpt2(seed=9), tokenizer)
    assert list(train_reward_model(again, tokenizer, contradictory(), STOPPED, state=state)) == []
    assert torch.equal(again.score.weight, whole.score.weight)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_what_was_tuned_through_adapters_opens_in_plain_transformers(family, tmp_path, monkeypatch):
    """Merged on the way out: neither folder needs peft, or anything from here."""
    monkeypatch.setattr(adapters, "LORA_FROM", 1)
    tokenizer, generator = tiny.tokenizer(), torch.Generator().manual_seed(0)
    judge = adapters.with_adapters(new_reward_model(tiny.FAMILIES[family](), tokenizer), 2, "SEQ_CLS", 0)
    policy = adapters.with_adapters(tiny.FAMILIES[family](), 2, "CAUSAL_LM", 0)
    with torch.no_grad():
        for model in (judge, policy):
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    save_reward_model(judge, tokenizer, Normalisation(), tmp_path / "reward")
    adapters.save_merged(policy, tmp_path / "policy")
    assert not list(tmp_path.rglob("adapter*"))

    batch = tokenizer(PROMPTS, return_tensors="pt", padding=True, padding_side="right")
    for folder, tuned, kind in (
        ("reward", judge, AutoModelForSequenceClassification),
        ("policy", policy, AutoModelForCausalLM),
    ):
        plain = kind.from_pretrained(tmp_path / folder)
        with torch.no_grad():
            expected = tuned.eval()(**batch).logits
            torch.testing.assert_close(plain.eval()(**batch).logits, expected, atol=1e-4, rtol=1e-4)
            with tuned.disable_adapter():
                assert (tuned(**batch).logits - expected).abs().max() > 1e-2
        assert not any("lora" in name for name, _ in plain.named_parameters())


def test_a_text_is_read_as_far_when_it_is_scored_as_when_it_was_learned(tmp_path):
    """Votes on the last words, behind a beginning that training never saw."""
    config = RewardConfig(batch_pairs=8, epochs=3, max_tokens=8, learning_rate=3e-3, head_learning_rate=1e-2)
    pairs = [PreferencePair("One day the dog ran to the park. " * 3, one.chosen, one.rejected) for one in preferences()]
    pairs = [PreferencePair(f"{i} {one.prompt}", one.chosen, one.rejected) for i, one in enumerate(pairs)]
    model, tokenizer = new_reward_model(tiny.gpt2(), tiny.tokenizer()), tiny.tokenizer()
    for _ in train_reward_model(model, tokenizer, pairs, config):
        pass
    long, short = ("Yes. " * 30, " happy"), ("", tokenizer.decode(tokenizer("Yes. " * 30 + " happy")["input_ids"][-8:]))
    both = score(model, tokenizer, [long[0], short[0]], [long[1], short[1]])
    assert both[0].item() == pytest.approx(both[1].item(), abs=1e-5)
    save_reward_model(model, tokenizer, Normalisation(), tmp_path / "reward")
    again = load_reward_model(tmp_path / "reward")
    assert again.rate([long[0]], [long[1]])[0].item() == pytest.approx(both[0].item(), abs=1e-5)
    plain = AutoTokenizer.from_pretrained(tmp_path / "reward")(long[0] + long[1], truncation=True)["input_ids"]
    assert plain == tokenizer(long[0] + long[1])["input_ids"][-8:]


def test_nothing_to_score_is_no_score():
    assert score(reward_model(), tiny.tokenizer(), [], []).shape == (0,)

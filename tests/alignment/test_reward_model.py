"""The reward model's loss, its one definition of a score, and its folder as plain transformers sees it."""

import copy
import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, pipeline

from core.alignment.configs import RewardConfig
from core.alignment.reward_model import (
    Normalisation,
    load_reward_model,
    new_reward_model,
    pad_right,
    pairwise_loss,
    raw_scores,
    running_scores,
    save_reward_model,
    score,
)
from core.alignment.reward_training import batches_by_length, report_pairs, split_by_prompt, train_reward_model
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.language import adapters
from tests import tiny

PROMPTS = [*tiny.PROMPTS, "A", "The end came"]
RESPONSES = [" upon a time.", " and he was very, very happy all day long.", "", ' pie"', "!", "<|endoftext|>"]


def reward_model(family="gpt2"):
    model = new_reward_model(tiny.FAMILIES[family](), tiny.tokenizer())
    torch.nn.init.normal_(model.score.weight, generator=torch.Generator().manual_seed(0))
    return model


def test_the_loss_and_its_gradient_are_the_closed_form():
    chosen = torch.tensor([1.5, -0.3, 0.0, 40.0], dtype=torch.double, requires_grad=True)
    rejected = torch.tensor([0.2, 0.9, 0.0, -40.0], dtype=torch.double, requires_grad=True)
    loss = pairwise_loss(chosen, rejected)
    difference = (chosen - rejected).detach()
    torch.testing.assert_close(loss, -torch.log(1 / (1 + torch.exp(-difference))).mean())
    loss.backward()
    torch.testing.assert_close(chosen.grad, (difference.sigmoid() - 1) / 4)
    torch.testing.assert_close(rejected.grad, -(difference.sigmoid() - 1) / 4)
    assert torch.autograd.gradcheck(pairwise_loss, (chosen[:3], rejected[:3]))
    shifted = pairwise_loss(chosen + 7, rejected + 7)
    torch.testing.assert_close(shifted, loss)  # only differences matter
    assert pairwise_loss(chosen, rejected, margin=1.0) > loss


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_score_is_the_same_alone_and_in_a_batch(family):
    model, tokenizer = reward_model(family), tiny.tokenizer()
    together = score(model, tokenizer, PROMPTS, RESPONSES)
    alone = torch.cat([score(model, tokenizer, [p], [r]) for p, r in zip(PROMPTS, RESPONSES, strict=True)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    assert together.std() > 0.1  # the texts are told apart at all


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_plain_transformers_opens_the_folder_and_scores_identically(family, precision, tmp_path, monkeypatch):
    monkeypatch.setenv("RLHF_PLAYGROUND_PRECISION", precision)  # of training: a score is float32 in any case
    model, tokenizer = reward_model(family), tiny.tokenizer()
    expected = score(model, tokenizer, PROMPTS, RESPONSES)
    save_reward_model(model, tokenizer, Normalisation(0.5, 2.0, "tiny"), tmp_path / "reward")

    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "reward")
    plain_tokenizer = AutoTokenizer.from_pretrained(tmp_path / "reward")
    texts = [p + r for p, r in zip(PROMPTS, RESPONSES, strict=True)]
    batch = plain_tokenizer(texts, return_tensors="pt", padding=True)
    with torch.no_grad():
        torch.testing.assert_close(plain(**batch).logits[:, 0], expected, atol=1e-5, rtol=0)
    assert plain.dtype == torch.float32 and plain.num_labels == 1
    piped = pipeline("text-classification", model=plain, tokenizer=plain_tokenizer)(texts)
    assert [row["score"] for row in piped] == pytest.approx(expected.tolist(), abs=1e-5)  # not squashed

    ours = load_reward_model(tmp_path / "reward")
    torch.testing.assert_close(score(ours.model, ours.tokenizer, PROMPTS, RESPONSES), expected, atol=1e-5, rtol=0)
    assert ours.normalisation == Normalisation(0.5, 2.0, "tiny")
    assert ours.normalise(torch.tensor([2.5])).item() == 1.0


@torch.no_grad()
def test_plain_transformers_cuts_a_text_that_is_too_long_where_we_do(tmp_path):
    model, tokenizer = reward_model("gpt2"), tiny.tokenizer()
    save_reward_model(model, tokenizer, Normalisation(0.0, 1.0, "tiny"), tmp_path / "reward")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "reward")
    text = " ".join(f"{n} dogs ran" for n in range(99))
    batch = AutoTokenizer.from_pretrained(tmp_path / "reward")("Once " + text, return_tensors="pt", truncation=True)
    assert batch["input_ids"].shape[1] == 64  # the tiny model's context
    torch.testing.assert_close(plain(**batch).logits[:, 0], score(model, tokenizer, ["Once "], [text]))
    assert tokenizer.truncation_side == "right"  # the one given stays as it was


def test_running_scores_are_the_scores_of_the_prefixes():
    model, tokenizer = reward_model(), tiny.tokenizer()
    prompt, response = "One day, a dog", " ran to the park."
    running = running_scores(model, tokenizer, prompt, response)
    ids = tokenizer(prompt + response)["input_ids"]
    assert "".join(token for token, _ in running) == prompt + response
    for length, (_, value) in enumerate(running, 1):
        with torch.no_grad():
            expected = model(torch.tensor([ids[:length]])).logits.item()
        assert value == pytest.approx(expected, abs=1e-5)


def test_a_folder_that_is_no_reward_model_is_named(tmp_path):
    with pytest.raises(PlaygroundError, match="no reward model here"):
        load_reward_model(tmp_path)
    save_reward_model(reward_model(), tiny.tokenizer(), Normalisation(), tmp_path / "reward")
    config = json.loads((tmp_path / "reward" / "config.json").read_text())
    config["id2label"] = {"0": "a", "1": "b"}
    (tmp_path / "reward" / "config.json").write_text(json.dumps(config))
    with pytest.raises(PlaygroundError, match="exactly one label"):
        load_reward_model(tmp_path / "reward")


def test_a_policy_and_weights_that_are_missing_or_no_numbers_are_refused(tmp_path):
    tiny.gpt2().save_pretrained(tmp_path / "policy")
    tiny.tokenizer().save_pretrained(tmp_path / "policy")
    with pytest.raises(PlaygroundError, match=r"no reward model: it has no score head"):
        load_reward_model(tmp_path / "policy")
    folder = tmp_path / "reward"
    save_reward_model(reward_model(), tiny.tokenizer(), Normalisation(), folder)
    weights = load_file(folder / "model.safetensors")
    name = next(one for one in weights if one.endswith("ln_f.weight"))
    save_file(
        {key: value for key, value in weights.items() if key != name}, folder / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(PlaygroundError, match="ln_f.weight is not among its weights"):
        load_reward_model(folder)
    weights[name][0] = float("inf")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(PlaygroundError, match="ln_f.weight holds values that are no numbers"):
        load_reward_model(folder)


@pytest.mark.parametrize(
    "given", ['{"sd": -1}', '{"sd": 0}', '{"mean": NaN}', '{"mean": "1"}', '{"sd": null}', '{"x": 1}']
)
def test_a_normalisation_that_would_turn_the_reward_round_or_make_it_none_is_refused(tmp_path, given):
    save_reward_model(reward_model(), tiny.tokenizer(), Normalisation(), tmp_path / "reward")
    (tmp_path / "reward" / "normalisation.json").write_text(given)
    with pytest.raises(PlaygroundError, match=r"normalisation\.json"):
        load_reward_model(tmp_path / "reward")


def test_a_tokenizer_that_does_not_fit_its_weights_is_refused_and_the_classifiers_pad_token_is_used(tmp_path):
    folder = tmp_path / "reward"
    save_reward_model(reward_model(), tiny.tokenizer(), Normalisation(), folder)
    expected = load_reward_model(folder).rate(["A cat", "The"], [" sat on the mat.", " end"])[0]
    other = tiny.tokenizer()
    other.pad_token = other.eos_token
    other.save_pretrained(folder)
    torch.testing.assert_close(
        load_reward_model(folder).rate(["A cat", "The"], [" sat on the mat.", " end"])[0], expected
    )
    other.add_tokens(["<new>"])
    other.save_pretrained(folder)
    with pytest.raises(PlaygroundError, match="its tokenizer knows"):
        load_reward_model(folder)
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(PlaygroundError, match="reward"):
        load_reward_model(folder)


def test_the_pad_token_must_be_its_own():
    tokenizer = tiny.tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    with pytest.raises(PlaygroundError, match="pad token"):
        new_reward_model(tiny.gpt2(), tokenizer)


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
    judge = adapters.with_adapters(new_reward_model(tiny.FAMILIES[family](), tokenizer), 2, "SEQ_CLS")
    policy = adapters.with_adapters(tiny.FAMILIES[family](), 2, "CAUSAL_LM")
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


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_under_autocast_the_head_is_in_float32(family):
    """The trunk's states as they come, rounded, and a product with the head's weights that is not."""
    tokenizer = tiny.tokenizer()
    model = new_reward_model(tiny.FAMILIES[family](), tokenizer)
    torch.nn.init.normal_(model.score.weight)
    ids, mask = pad_right([[5, 9, 7], [8, 3]], tokenizer.pad_token_id, torch.device("cpu"))
    with torch.autocast("cpu", torch.bfloat16):
        found = raw_scores(model, ids, mask)
        states = model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
    expected = torch.stack([states[0, 2], states[1, 1]]).float() @ model.score.weight[0]
    torch.testing.assert_close(found, expected)
    assert (found.bfloat16().float() != found).any()
    torch.testing.assert_close(found, raw_scores(model, ids, mask), atol=0.1, rtol=0.05)

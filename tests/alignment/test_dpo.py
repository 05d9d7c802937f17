"""DPO: the loss and its gradient against the formula, log-probabilities against a plain forward, resuming."""

import math

import pytest
import torch

from core.alignment.actor_critic import response_distribution
from core.alignment.completions import encode_completions, response_logprobs
from core.alignment.configs import DPOConfig
from core.alignment.dpo import dpo_loss, implicit_report, train_dpo
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from tests import tiny
from tests.alignment.test_pair_schedule import EIGHT_STEPS

PAIRS = [
    PreferencePair(prompt, chosen, rejected)
    for prompt in tiny.PROMPTS
    for chosen, rejected in (
        (" was happy and sang.", " fell."),
        (" smiled at her mom", " cried all day and went home."),
    )
]
CONFIG = DPOConfig(batch_pairs=3, epochs=2, learning_rate=1e-3, beta=0.3)


def logprob_alone(model, prompt, response):
    """log π(response | prompt), token by token, one unpadded forward a sequence."""
    tokenizer = tiny.tokenizer()
    query, answer = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prompt, response))
    with torch.no_grad():
        log_p = model(torch.tensor([query + answer])).logits[0].log_softmax(-1)
    return sum(log_p[len(query) + i - 1, token].item() for i, token in enumerate(answer))


def test_loss_and_gradient_are_those_of_the_paper():
    torch.manual_seed(0)
    chosen, rejected, ref_chosen, ref_rejected = torch.randn(4, 7, dtype=torch.float64)
    beta = 0.37
    chosen, rejected = chosen.requires_grad_(), rejected.requires_grad_()
    loss = dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta)
    loss.backward()
    gaps = [
        beta * ((won - ref_won) - (lost - ref_lost))
        for won, lost, ref_won, ref_lost in zip(
            *(x.tolist() for x in (chosen, rejected, ref_chosen, ref_rejected)), strict=True
        )
    ]
    assert loss.item() == pytest.approx(sum(math.log1p(math.exp(-gap)) for gap in gaps) / 7, rel=1e-12)
    expected = torch.tensor([-beta / (1 + math.exp(gap)) / 7 for gap in gaps], dtype=torch.float64)
    torch.testing.assert_close(chosen.grad, expected)
    torch.testing.assert_close(rejected.grad, -expected)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_logprobs_of_a_padded_batch_are_those_of_each_text_alone(family):
    model = tiny.FAMILIES[family]()
    prompts, responses = [pair.prompt for pair in PAIRS], [pair.chosen for pair in PAIRS]
    sequences = encode_completions(tiny.tokenizer(), prompts, responses, 64)
    with torch.no_grad():
        batch = response_logprobs(response_distribution(model, sequences, 1.0), sequences)
    alone = [logprob_alone(model, *both) for both in zip(prompts, responses, strict=True)]
    torch.testing.assert_close(batch, torch.tensor(alone), atol=1e-3, rtol=1e-5)


def test_a_long_text_loses_the_beginning_of_its_prompt_and_an_empty_response_counts_nothing():
    sequences = encode_completions(tiny.tokenizer(), ["a dog ran " * 40, "Once"], [" and sat.", ""], 16)
    assert sequences.mask.sum(-1).tolist() == [16, 1]
    assert sequences.mask[1, sequences.query_length :].sum() == 0


def test_a_pair_longer_than_the_models_context_is_cut_to_it():
    long = [PreferencePair("a dog ran " * 40, " and sat.", " and fell.")] * 3
    (record,) = train_dpo(
        tiny.gpt2(context=64), tiny.gpt2(context=64), long, CONFIG.model_copy(update={"epochs": 1}), tiny.tokenizer()
    )
    assert record.metrics["loss"] == pytest.approx(math.log(2), abs=1e-5)


def test_training_begins_at_log_two_and_learns_the_pairs():
    policy = tiny.gpt2()
    records = list(train_dpo(policy, tiny.gpt2(), PAIRS, CONFIG.model_copy(update={"epochs": 12}), tiny.tokenizer()))
    assert records[0].metrics["loss"] == pytest.approx(math.log(2), abs=1e-5)
    assert records[0].metrics["rewards/margins"] == pytest.approx(0, abs=1e-4)
    assert records[-1].metrics["loss"] < 0.3 and records[-1].metrics["rewards/accuracies"] == 1.0
    last = records[-1].metrics
    assert last["rewards/margins"] == pytest.approx(last["rewards/chosen"] - last["rewards/rejected"], abs=1e-5)
    assert records[-1].result["pairs"] == len(PAIRS)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_implicit_reward_on_unseen_pairs_is_that_of_each_text_alone(family):
    policy, reference = tiny.FAMILIES[family](seed=3), tiny.FAMILIES[family]()
    margins = []
    for pair in PAIRS:
        won, lost = (
            logprob_alone(policy, pair.prompt, text) - logprob_alone(reference, pair.prompt, text)
            for text in (pair.chosen, pair.rejected)
        )
        margins.append(CONFIG.beta * (won - lost))
    report = implicit_report(policy, reference, PAIRS, CONFIG, tiny.tokenizer())
    assert report.accuracy == sum(margin > 0 for margin in margins) / len(PAIRS)
    assert report.log_loss == pytest.approx(
        sum(math.log1p(math.exp(-margin)) for margin in margins) / len(PAIRS), rel=1e-4
    )
    *_, last = train_dpo(policy, reference, PAIRS[:4], CONFIG, tiny.tokenizer(), heldout=PAIRS[4:])
    after = implicit_report(policy, reference, PAIRS[4:], CONFIG, tiny.tokenizer())
    assert (last.result["accuracy_heldout"], last.result["log_loss_heldout"]) == (after.accuracy, after.log_loss)
    assert last.result["pairs_heldout"] == 4 and last.metrics["heldout/log_loss"] == after.log_loss


def test_every_step_has_the_rate_that_the_schedule_gives():
    config = CONFIG.model_copy(update={"batch_pairs": 2, "warmup_share": 0.25})
    records = train_dpo(tiny.gpt2(), tiny.gpt2(), PAIRS, config, tiny.tokenizer())
    said, taken = zip(
        *((one.metrics["lr"], one.state()["optimizer"]["param_groups"][0]["lr"]) for one in records), strict=True
    )
    assert said == taken == pytest.approx([1e-3 * scale for scale in EIGHT_STEPS], abs=1e-8)


def test_resumed_run_equals_the_uninterrupted_one():
    whole = list(train_dpo(tiny.gpt2(), tiny.gpt2(), PAIRS, CONFIG, tiny.tokenizer()))
    for stop in (2, 4):
        begun = train_dpo(tiny.gpt2(), tiny.gpt2(), PAIRS, CONFIG, tiny.tokenizer())
        for _ in range(stop):
            state = next(begun).state()
        rest = list(train_dpo(tiny.gpt2(), tiny.gpt2(), PAIRS, CONFIG, tiny.tokenizer(), state=state))
        assert [one.metrics for one in rest] == [one.metrics for one in whole[stop:]]


def test_no_pairs_is_an_error():
    with pytest.raises(PlaygroundError, match="no preference pairs"):
        next(train_dpo(tiny.gpt2(), tiny.gpt2(), [], CONFIG, tiny.tokenizer()))

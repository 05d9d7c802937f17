"""The steps of a reward model's training, one by one: their gradient, their rate, and what weight decay takes."""

import copy

import pytest
import torch

from core.alignment.configs import RewardConfig
from core.alignment.reward_model import encode_texts, pad_right, raw_scores
from core.alignment.reward_training import train_reward_model
from core.feedback.pairs import PreferencePair
from tests import tiny
from tests.alignment.test_pair_schedule import EIGHT_STEPS
from tests.alignment.test_reward_model import reward_model
from tests.alignment.test_reward_training import preferences

ONE_STEP = RewardConfig(
    batch_pairs=8, learning_rate=2e-3, head_learning_rate=6e-3, warmup_share=0.0, heldout_share=0.0, weights_kept=0
)
MARGINS = (0.0, 0.5, 1.0, 3.0, 0.25, 2.0, None, 0.75)


def with_margins():
    return [
        PreferencePair(one.prompt, one.chosen, one.rejected, margin=margin)
        for one, margin in zip(preferences(8), MARGINS, strict=True)
    ]


def test_the_first_step_is_that_of_the_closed_form_with_the_pairs_margins():
    """∂/∂Δ = (σ(Δ − m) − 1) / N a pair, carried on to the weights by a plain forward through transformers."""
    pairs, tokenizer, model = with_margins(), tiny.tokenizer(), reward_model()
    sides = [[one.chosen for one in pairs], [one.rejected for one in pairs]]
    first, second = (encode_texts(tokenizer, [one.prompt for one in pairs], texts, 64) for texts in sides)
    plain = copy.deepcopy(model)
    chosen, rejected = raw_scores(plain, *pad_right([*first, *second], tokenizer.pad_token_id, plain.device)).chunk(2)
    difference, margins = chosen - rejected, torch.tensor([margin or 0.0 for margin in MARGINS])
    slopes = (difference.detach() - margins).sigmoid() - 1
    (slopes * difference / len(pairs)).sum().backward()
    norm = torch.nn.utils.get_total_norm([p.grad for p in plain.parameters() if p.grad is not None])

    (record,) = train_reward_model(model, tokenizer, pairs, ONE_STEP)
    each = torch.log1p((margins - difference.detach()).exp())
    assert record.metrics["loss"] == pytest.approx(each.mean().item(), rel=1e-4)
    assert record.metrics["grad_norm"] == pytest.approx(norm.item(), rel=1e-3)
    (shown,) = record.samples
    at = [one.prompt for one in pairs].index(shown["prompt"])
    assert shown["loss"] == pytest.approx(each[at].item(), rel=1e-3)


def test_every_step_has_the_rate_that_the_schedule_gives_trunk_and_head():
    config = ONE_STEP.model_copy(update={"batch_pairs": 4, "epochs": 2, "warmup_share": 0.25})
    records = train_reward_model(reward_model(), tiny.tokenizer(), preferences(16), config)
    said, trunk, head = zip(
        *(
            (one.metrics["learning_rate"], *(g["lr"] for g in one.state()["optimizer"]["param_groups"]))
            for one in records
        ),
        strict=True,
    )
    assert said == trunk == pytest.approx([2e-3 * scale for scale in EIGHT_STEPS], abs=1e-8)
    assert head == pytest.approx([6e-3 * scale for scale in EIGHT_STEPS], abs=1e-8)


def test_weight_decay_takes_its_share_of_every_weight_beside_the_gradients_step():
    """AdamW's decay is decoupled, θ ← (1 − η λ) θ − η m̂ / (√v̂ + ε): all that λ = 1 changes is −η θ."""

    def after(weight_decay):
        model = reward_model()
        list(
            train_reward_model(
                model, tiny.tokenizer(), preferences(8), ONE_STEP.model_copy(update={"weight_decay": weight_decay})
            )
        )
        return dict(model.named_parameters())

    plain, decayed = after(0.0), after(1.0)
    for name, start in reward_model().named_parameters():
        rate = 6e-3 if name.startswith("score") else 2e-3
        torch.testing.assert_close(decayed[name] - plain[name], -rate * start, atol=3e-7, rtol=0, msg=name)

"""What is measured, computed again another way."""

import pytest
import torch

from core.alignment.evaluation import HeldoutRow, compare_on_heldout, response_kl, reward_skill, summarise_heldout
from core.alignment.reward_model import RewardModel, new_reward_model
from core.feedback.annotators import get_annotator
from core.language.configs import SamplingConfig
from core.language.sampling import sample
from tests import tiny

SAMPLING = SamplingConfig(max_new_tokens=8, seed=2)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_kl_of_a_response_equals_the_sum_over_plain_forward_passes(family):
    policy, reference = tiny.FAMILIES[family](seed=1), tiny.FAMILIES[family](seed=2)
    rollout = sample(policy, tiny.tokenizer(), tiny.PROMPTS, SAMPLING)
    measured = response_kl(policy, reference, rollout, batch_size=3)
    for row in range(len(rollout)):
        query = rollout.query_ids[row][rollout.query_mask[row].bool()]
        response = rollout.response_ids[row][rollout.response_mask[row].bool()]
        with torch.no_grad():
            p, q = (
                model(torch.cat([query, response])[None]).logits[0, len(query) - 1 : -1].log_softmax(-1)
                for model in (policy, reference)
            )
        expected = torch.nn.functional.kl_div(q, p, log_target=True, reduction="sum")
        assert measured[row].item() == pytest.approx(expected.item(), rel=1e-4)


def test_a_policy_compared_with_itself_ties_everywhere():
    model = tiny.gpt2()
    rows = compare_on_heldout(model, model, tiny.tokenizer(), tiny.PROMPTS, get_annotator("sunny"), SAMPLING)
    summary = summarise_heldout(rows)
    assert summary["gold_win_rate"] == 0.5 and summary["kl"] == 0.0
    assert summary["gold_before"] == summary["gold_after"]


def test_the_summary_counts_ties_half():
    rows = [HeldoutRow("p", "a", "b", 0.0, gold, kl) for gold, kl in ((1.0, 2.0), (0.0, 4.0), (-1.0, 0.0), (3.0, 2.0))]
    assert summarise_heldout(rows) == {"gold_before": 0.0, "gold_after": 0.75, "gold_win_rate": 2.5 / 4, "kl": 2.0}


def test_skill_is_nothing_for_a_reward_model_that_knows_nothing():
    policy, tokenizer = tiny.gpt2(), tiny.tokenizer()
    ignorant = RewardModel(new_reward_model(policy, tokenizer), tokenizer)  # its head is zero: every pair is a tie
    skill = reward_skill(ignorant, policy, tokenizer, tiny.PROMPTS, get_annotator("terse"), 2.0, 40, SAMPLING)
    assert skill["reward_accuracy"] == 0.5 and skill["reward_skill"] == 0.0
    assert 0.5 < skill["reward_accuracy_ceiling"] <= 1.0

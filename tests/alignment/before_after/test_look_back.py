"""Looking back: the same draws at every checkpoint, every figure again another way, and the same after a kill."""

import pytest
import torch

from core.alignment.before_after.look_back import Checkpoint, Judges, look_back
from core.alignment.before_after.perplexity import response_nll
from core.alignment.before_after.side_by_side import answer_both
from core.alignment.evaluation import compare_on_heldout, response_kl, summarise_heldout
from core.alignment.reward_model import RewardModel, new_reward_model
from core.feedback.annotators import get_annotator
from core.language.configs import SamplingConfig
from core.language.sampling import sample
from tests import tiny

SAMPLING = SamplingConfig(max_new_tokens=8, seed=2)


@pytest.fixture(scope="module")
def models():
    return [tiny.gpt2(seed) for seed in (1, 2, 3)]


def judges(models):
    torch.manual_seed(0)
    rater = new_reward_model(models[0], tiny.tokenizer())
    torch.nn.init.normal_(rater.score.weight)
    return Judges(RewardModel(rater, tiny.tokenizer()), get_annotator("terse"), models[2])


def looked(models, state=None):
    stops = [Checkpoint(update, f"run@{update}", lambda at=at: models[at]) for at, update in enumerate((0, 5, 9))]
    return list(look_back(stops, models[0], tiny.tokenizer(), tiny.PROMPTS, SAMPLING, judges(models), state))


def test_every_figure_of_a_row_can_be_computed_again(models):
    records = looked(models)
    assert [record.metrics["update"] for record in records] == [0, 5, 9]
    assert records[-1].result == {"checkpoints": 3} and records[0].result is None
    for record, policy in zip(records, models, strict=True):
        rollout = sample(policy, tiny.tokenizer(), tiny.PROMPTS, SAMPLING)
        rows = record.samples
        assert [row["response"] for row in rows] == rollout.responses
        assert [row["kl"] for row in rows] == pytest.approx(response_kl(policy, models[0], rollout).tolist())
        assert [row["kl_first"] for row in rows] == pytest.approx(response_kl(policy, models[2], rollout).tolist())
        assert [row["nll"] for row in rows] == pytest.approx(response_nll(models[0], rollout).tolist())
        assert [row["tokens"] for row in rows] == rollout.response_mask.sum(-1).tolist()
        taste = get_annotator("terse").utility
        assert [row["gold"] for row in rows] == [taste(row["prompt"], row["response"]) for row in rows]
    assert all(row["kl"] == 0 for row in records[0].samples)


def test_a_policy_that_has_not_moved_writes_what_its_reference_writes(models):
    stops = [Checkpoint(update, "x", lambda: models[0]) for update in (0, 1)]
    first, second = look_back(stops, models[0], tiny.tokenizer(), tiny.PROMPTS, SAMPLING, Judges())
    assert [row["response"] for row in first.samples] == [row["response"] for row in second.samples]
    assert "score" not in first.samples[0] and "gold" not in first.samples[0]


def test_cut_off_anywhere_it_goes_on_as_it_would_have(models):
    whole = looked(models)
    for done in range(2):
        rest = looked(models, whole[done].state())
        assert [(r.step, r.metrics, r.samples) for r in rest] == [
            (r.step, r.metrics, r.samples) for r in whole[done + 1 :]
        ]


def test_one_prompt_asked_alone_gets_the_answer_it_got_among_the_others(models):
    rows = looked(models)[1].samples
    for place, prompt in enumerate(tiny.PROMPTS):
        answers = answer_both(models[1], models[0], tiny.tokenizer(), prompt, SAMPLING, place)
        assert answers.tuned == rows[place]["response"]
        assert sum(place.kl for place in answers.read_tuned) == pytest.approx(rows[place]["kl"], rel=1e-3)


def test_held_out_rows_say_the_kl_to_the_first_of_several_rounds(models):
    policy, reference, first = models
    annotator = get_annotator("terse")
    rows = compare_on_heldout(policy, reference, tiny.tokenizer(), tiny.PROMPTS, annotator, SAMPLING, first)
    expected = response_kl(policy, first, sample(policy, tiny.tokenizer(), tiny.PROMPTS, SAMPLING))
    assert [row.kl_first for row in rows] == pytest.approx(expected.tolist())
    assert summarise_heldout(rows)["kl_first"] == pytest.approx(expected.mean().item())
    alone = compare_on_heldout(policy, reference, tiny.tokenizer(), tiny.PROMPTS, annotator, SAMPLING)
    assert "kl_first" not in alone[0].row and "kl_first" not in summarise_heldout(alone)

"""The clinic's faults are the faults they are called, and a run of it keeps what the page shows."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from core.alignment.configs import PPOConfig, measuring_seed
from core.alignment.experiments.clinic import run_clinic
from core.alignment.experiments.configs import ClinicConfig
from core.alignment.experiments.failures import COLD, FAILURES, OFFSET
from core.alignment.experiments.faults import (
    WithoutPadding,
    drawn_colder,
    padded_on_the_right,
    reads_as_storyteller,
    unnormalised,
)
from core.alignment.ppo import train_ppo
from core.errors import PlaygroundError
from core.language.configs import SamplingConfig
from core.language.sampling import sample
from tests import tiny
from tests.alignment.test_ppo import judge
from tests.language.byte_models import byte_tokenizer


def test_ten_failures_each_a_valid_configuration_that_differs_from_the_healthy_one():
    assert len(FAILURES) == 10 == len({one.name for one in FAILURES})
    for one in FAILURES:
        assert one.changes or one.fault, one.name
        if one.changes:
            assert PPOConfig.checked(**one.changes) != PPOConfig(), one.name
        assert one.title and one.mistake and one.why


def test_raw_scores_lie_where_nobody_put_them():
    model = judge()
    raw, scores = unnormalised(model).rate(tiny.PROMPTS, [" and ran."] * 4)
    torch.testing.assert_close(scores, raw - model.normalisation.mean + OFFSET)


def test_padding_fills_up_on_the_right_and_the_reward_model_never_sees_it():
    tokenizer = tiny.tokenizer()
    padded = padded_on_the_right(tiny.PROMPTS, tokenizer)
    lengths = {len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in padded}
    assert len(lengths) == 1 and all(p.startswith(q) for p, q in zip(padded, tiny.PROMPTS, strict=True))
    clean = WithoutPadding(judge(), tokenizer.pad_token)
    responses = [" and ran."] * 4
    torch.testing.assert_close(clean.rate(padded, responses)[0], judge().rate(tiny.PROMPTS, responses)[0])


def test_drawn_colder_is_drawn_as_at_that_temperature():
    plain, cold = tiny.gpt2(), tiny.gpt2()
    drawn_colder(cold)
    expected = sample(plain, tiny.tokenizer(), tiny.PROMPTS, SamplingConfig(temperature=COLD, max_new_tokens=8))
    drawn = sample(cold, tiny.tokenizer(), tiny.PROMPTS, SamplingConfig(temperature=1.0, max_new_tokens=8))
    assert drawn.responses == expected.responses
    ids = expected.query_ids
    assert torch.equal(cold(ids, use_cache=False).logits, plain(ids, use_cache=False).logits)


def test_a_run_keeps_every_curve_and_what_is_written_in_the_end(tmp_path):
    config = ClinicConfig(failures=("padding", "stale-reference"), votes=16, rollout_batch=8, updates=2)
    *_, last = run_clinic(config, tmp_path)
    cases = {finding["name"]: finding for finding in last.result["findings"]}
    assert list(cases) == ["healthy", "padding", "stale-reference"]
    for case in cases.values():
        assert len(case["curves"]["gold"]) == 2 and len(case["texts"]) == 6
        assert case["curves"]["objective/kl_exact"][0] >= 0
    assert cases["healthy"]["curves"]["objective/kl_exact"][0] == pytest.approx(0, abs=1e-3)
    assert cases["stale-reference"]["curves"]["objective/kl_exact"][0] > 1
    assert all("<|" not in text["prompt"] for text in cases["padding"]["texts"])


def dying_in(update, sick_only=True):
    """PPO whose loss is NaN in that update; the healthy run's too unless `sick_only`."""

    def train(*given):
        of_config = next(one for one in given if isinstance(one, PPOConfig))
        dies = not sick_only or of_config.learning_rate != PPOConfig().learning_rate
        for record in train_ppo(*given):
            if dies and record.step >= update:
                raise FloatingPointError(f"the loss is nan in update {update}: lower the learning rate")
            yield record

    return train


@pytest.mark.parametrize("update", [1, 2])
def test_a_sick_run_that_breaks_off_is_a_finding_and_the_others_go_on(tmp_path, monkeypatch, update):
    monkeypatch.setattr("core.alignment.experiments.clinic.train_ppo", dying_in(update))
    config = ClinicConfig(failures=("learning-rate", "padding"), votes=16, rollout_batch=8, updates=2)
    *_, last = run_clinic(config, tmp_path)
    cases = {finding["name"]: finding for finding in last.result["findings"]}
    dead = cases.pop("learning-rate")
    assert dead["ended"] == f"the loss is nan in update {update}"
    assert len(dead["curves"]["gold"]) == update - 1 and dead["texts"] == []
    assert list(cases) == ["healthy", "padding"]
    assert all(case["ended"] == "" and len(case["curves"]["gold"]) == 2 for case in cases.values())


def test_without_a_healthy_run_there_is_nothing_to_compare_with(tmp_path, monkeypatch):
    monkeypatch.setattr("core.alignment.experiments.clinic.train_ppo", dying_in(1, sick_only=False))
    with pytest.raises(FloatingPointError, match="in update 1"):
        list(run_clinic(ClinicConfig(failures=("padding",), votes=16, rollout_batch=8, updates=2), tmp_path))


def test_an_unknown_failure_is_named(tmp_path):
    with pytest.raises(PlaygroundError, match="There is no failure 'gremlins'"):
        next(run_clinic(ClinicConfig(failures=("gremlins",)), tmp_path))


def test_a_policy_with_other_tokens_has_no_stale_reference(tmp_path):
    """The stale reference is the storyteller's early self: it would be asked about tokens that it does not have."""
    folder = tmp_path / "other"
    tokenizer = byte_tokenizer(("<|endoftext|>", "<pad>"), pad_token="<pad>")
    shape = {"n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 2}
    policy = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), eos_token_id=256, pad_token_id=257, **shape))
    policy.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    assert not reads_as_storyteller(tokenizer) and reads_as_storyteller(tiny.tokenizer())
    with pytest.raises(PlaygroundError, match="other tokens than the storyteller"):
        next(run_clinic(ClinicConfig(model=str(folder), failures=("stale-reference",)), tmp_path))
    assert next(run_clinic(ClinicConfig(model=str(folder), votes=16), tmp_path / "all")).stage


def test_the_seed_it_is_measured_with_is_one_whatever_its_own():
    assert {measuring_seed(seed) for seed in (0, 5)} == {1_000_003, 1_000_008}
    assert SamplingConfig(seed=measuring_seed(2**31 - 1)).seed == 1_000_002
